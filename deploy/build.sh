#!/usr/bin/env bash
# Builds CoreDNS with ede in it: build.sh [COREDNS] [OUTPUT]
#
# COREDNS is a release, such as 1.15.0, or a folder with the source of CoreDNS,
# of any version. The source of a release comes from the Go module proxy. The
# source of ede is the repository that this script stands in, or the latest
# release outside of one. PLUGIN_CFG names a file to use in place of CoreDNS's
# own plugin.cfg; GOOS and GOARCH name another platform. Go is the version that
# CoreDNS names in .go-version, or the one that GOTOOLCHAIN names.
set -euo pipefail

module=github.com/seed-1b7246af/coredns-ede
version=${1:-1.15.0}
output=${2:-coredns}
case $output in /*) ;; *) output=$PWD/$output ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")

fail() { echo "build.sh: $*" >&2; exit 1; }

# Official builds of CoreDNS have the tag, too: gRPC without its trace package.
tags=grpcnotrace
folder=
if [ -d "$version" ]; then
    folder=$(cd "$version" && pwd)
    [ -f "$folder/plugin.cfg" ] || fail "$version is not the source of CoreDNS: it has no plugin.cfg"
    version=$(sed -n 's/.*CoreVersion *= *"\(.*\)".*/\1/p' "$folder/coremain/version.go")
fi
version=${version#v}
if ! [[ $version =~ ^([0-9]+)\.([0-9]+)\.([0-9]+)$ ]]; then
    fail "\"$version\" is not a version of CoreDNS and not a folder; write a version such as 1.15.0"
fi
release=$((10#${BASH_REMATCH[1]} * 1000000 + 10#${BASH_REMATCH[2]} * 1000 + 10#${BASH_REMATCH[3]}))
if [ "$release" -lt 1014006 ]; then
    fail "CoreDNS $version is too old: ede needs functions that came with CoreDNS 1.14.6; take 1.14.7, or 1.15.0"
elif [ "$release" -lt 1015000 ]; then
    # This series has no JSON log: plugin/record/core114.go.
    tags+=,coredns1.14
elif [ "$release" -ge 1016000 ] && [ -z "$folder" ]; then
    fail "CoreDNS $version is too new: this release of ede was tested with 1.14.7 and 1.15.0"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$folder" ]; then
    # Outside of any module, so that no go.mod of the caller decides the version.
    got=$(cd "$work" && go mod download -json "github.com/coredns/coredns@v$version") || true
    field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$got"; }
    folder=$(field Dir)
    [ -n "$folder" ] || fail "the module proxy gives no CoreDNS $version: $(field Error)"
fi
mkdir "$work/coredns"
tar -C "$folder" --exclude=./.git -cf - . | tar -C "$work/coredns" -xf -
chmod -R u+w "$work/coredns"
if [ -n "${PLUGIN_CFG:-}" ]; then
    cat "$PLUGIN_CFG" >"$work/coredns/plugin.cfg"
fi
cd "$work/coredns"
place=$("$here/plugin-cfg.sh" plugin.cfg) || fail "ede does not fit into ${PLUGIN_CFG:-plugin.cfg}"

# The version of Go decides the bytes. "local", as images of Go set it, names none.
case ${GOTOOLCHAIN:-} in
go1*) ;;
*)
    wanted=go$(cat .go-version)
    if [ "$(go env GOVERSION)" = "$wanted" ]; then
        :
    elif (cd "$work" && GOTOOLCHAIN=$wanted go version) >"$work/go" 2>&1; then
        export GOTOOLCHAIN=$wanted
    else
        echo "build.sh: CoreDNS $version names $wanted, which cannot be had here ($(tail -1 "$work/go"));" \
            "building with $(go env GOVERSION), which gives other bytes" >&2
    fi
    ;;
esac

# What this commit is called: its tag, or a name in the form of Go's
# pseudo-versions. Without git, as in a source archive, it has none.
git() { command git -C "$repository" "$@" 2>/dev/null; }
commit=
if [ -f "$repository/ede.go" ]; then
    # A copy inside, so that the binary is the same from every folder.
    mkdir ede
    (cd "$repository" && tar --exclude='*_test.go' --exclude=testdata -cf - go.mod go.sum ./*.go plugin) | tar -C ede -xf -
    name=v0.0.0
    if [ -e "$repository/.git" ] && commit=$(git rev-parse HEAD); then
        name=$(git describe --tags --exact-match --match 'v[0-9]*') ||
            name=v0.0.0-$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd)-${commit:0:12}
        # Of what is compiled, and of nothing else: an image's build has no more.
        [ -z "$(git status --porcelain -- go.mod go.sum ':(glob)*.go' plugin ':(exclude)*_test.go' ':(exclude)*/testdata/*')" ] ||
            commit+=-dirty
    fi
    go mod edit -require="$module@$name" -replace="$module=./ede"
else
    go get "$module@latest"
    name=$(go list -m -f '{{.Version}}' "$module")
fi

export GOFLAGS="-mod=mod -trimpath -buildvcs=false -tags=$tags" CGO_ENABLED=0
# What runs while building is for this machine, whatever the target is.
GOOS='' GOARCH='' go generate coredns.go
go build -ldflags="-s -w -buildid= -X $module/plugin/instance.revision=$commit" -o "$output"
echo "built $output: CoreDNS $version, $place, ede $name${commit:+ at $commit}, $(go env GOVERSION)"
