#!/usr/bin/env bash
# Builds a CoreDNS release with ede in it: build.sh [COREDNS_VERSION] [OUTPUT]
#
# The source of CoreDNS comes from the Go module proxy. The source of ede is the
# repository that this script stands in, or the latest release outside of one.
# PLUGIN_CFG names a file to use in place of CoreDNS's own plugin.cfg; GOOS and
# GOARCH name another platform.
set -euo pipefail

module=github.com/seed-1b7246af/coredns-ede
version=${1:-1.15.0}
version=${version#v}
output=${2:-coredns}
case $output in /*) ;; *) output=$PWD/$output ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")

fail() { echo "build.sh: $*" >&2; exit 1; }

if ! [[ $version =~ ^([0-9]+)\.([0-9]+)\.[0-9]+$ ]]; then
    fail "\"$version\" is no version of CoreDNS; write one as 1.15.0"
fi
minor=$((10#${BASH_REMATCH[1]} * 1000 + 10#${BASH_REMATCH[2]}))
if [ "$minor" -lt 1015 ]; then
    fail "CoreDNS $version is too old: ede writes to the structured log of the core (clog.InfoAttrs), which came with 1.15.0"
elif [ "$minor" -gt 1015 ]; then
    fail "CoreDNS $version is newer than what this release of ede was tested with, 1.15.x"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Outside of any module, so that no go.mod of the caller decides the version.
got=$(cd "$work" && go mod download -json "github.com/coredns/coredns@v$version") || true
field() { sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$got"; }
source=$(field Dir)
[ -n "$source" ] || fail "the module proxy gives no CoreDNS $version: $(field Error)"
cp -R "$source" "$work/coredns"
chmod -R u+w "$work/coredns"
cd "$work/coredns"
if [ -n "${PLUGIN_CFG:-}" ]; then
    (cd "$OLDPWD" && cat "$PLUGIN_CFG") >plugin.cfg
fi
place=$("$here/plugin-cfg.sh" plugin.cfg) || fail "ede does not fit into ${PLUGIN_CFG:-plugin.cfg}"

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

# Official builds of CoreDNS have the tag, too: gRPC without its trace package.
export GOFLAGS="-mod=mod -trimpath -buildvcs=false -tags=grpcnotrace" CGO_ENABLED=0
# What runs while building is for this machine, whatever the target is.
GOOS='' GOARCH='' go generate coredns.go
go build -ldflags="-s -w -buildid= -X $module/plugin/instance.revision=$commit" -o "$output"
echo "built $output: CoreDNS $version, $place, ede $name${commit:+ at $commit}, $(go env GOVERSION)"
