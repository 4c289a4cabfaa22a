#!/usr/bin/env bash
# Builds a CoreDNS release with ede in it: build.sh [COREDNS_VERSION] [OUTPUT]
#
# The source of CoreDNS comes from the Go module proxy. The source of ede is the
# repository that this script stands in, or the latest release outside of one.
# PLUGIN_CFG names a file to use in place of CoreDNS's own plugin.cfg.
set -euo pipefail

module=github.com/seed-1b7246af/coredns-ede
version=${1:-1.15.0}
version=${version#v}
output=$(realpath -m "${2:-coredns}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

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
source=$(cd "$work" && go mod download -json "github.com/coredns/coredns@v$version" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')
[ -n "$source" ] || fail "the module proxy has no CoreDNS $version"
cp -R "$source" "$work/coredns"
chmod -R u+w "$work/coredns"
cd "$work/coredns"
if [ -n "${PLUGIN_CFG:-}" ]; then
    cp "$PLUGIN_CFG" plugin.cfg
fi

# By name, as distributions order the file differently. Below dnstap, log and
# errors, which see what ede sends; above every plugin that answers.
anchor=
for name in dnstap log errors; do
    if grep -q "^$name:" plugin.cfg; then anchor=$name; break; fi
done
[ -n "$anchor" ] || fail "plugin.cfg has none of dnstap, log and errors to put ede after"
sed -i "/^ede:/d; /^$anchor:/a ede:$module" plugin.cfg

if [ -f "$here/../ede.go" ]; then
    # A copy inside, so that the binary is the same from every folder.
    mkdir ede
    tar -C "$here/.." --exclude='*_test.go' -cf - go.mod go.sum $(cd "$here/.." && ls *.go) plugin | tar -C ede -xf -
    stamp=$(TZ=UTC git -C "$here/.." log -1 --date=format-local:%Y%m%d%H%M%S --abbrev=12 --format=%cd-%h 2>/dev/null || true)
    go mod edit -require="$module@v0.0.0${stamp:+-$stamp}" -replace="$module=./ede"
else
    go get "$module@latest"
fi

export GOFLAGS=-mod=mod CGO_ENABLED=0
# What runs while building is for this machine, whatever the target is.
GOOS='' GOARCH='' go generate coredns.go
go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$output"
echo "built $output: CoreDNS $version, ede after $anchor"
