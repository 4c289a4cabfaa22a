#!/usr/bin/env bash
# Makes the files of a release: release.sh DIRECTORY
#
# The binaries for each platform, what is compiled into each (CycloneDX), an image
# file for all platforms, and the checksums. Everything is made from the commit that
# is checked out; the same commit gives the same files on any machine. It needs what
# build.sh needs. COREDNS names another release of CoreDNS than 1.15.0.
set -euo pipefail

out=${1:?usage: release.sh DIRECTORY}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
core=${COREDNS:-1.15.0}
module=github.com/seed-1b7246af/coredns-ede
platforms="amd64 arm64"
cyclonedx=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

fail() { echo "release.sh: $*" >&2; exit 1; }

mkdir -p "$out"
out=$(cd "$out" && pwd)
[ -z "$(ls -A "$out")" ] || fail "$out is not empty"
git() { command git -C "$repository" "$@"; }
[ -z "$(git status --porcelain --untracked-files=no)" ] || fail "the work tree has changes that are not committed"
commit=$(git rev-parse HEAD)
if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
    version=${tag#v}
else
    version=0.0.0-${commit:0:12}
    echo "release.sh: no tag at $commit; the files are named $version" >&2
fi
name=coredns-$core-ede$version

binaries=()
for arch in $platforms; do
    file=$name-linux-$arch
    GOOS=linux GOARCH=$arch "$here/build.sh" "$core" "$out/$file"
    # The time and the serial number would differ from one run to the next. build.sh
    # compiles a copy of ede, which the binary calls ./ede.
    (cd "$repository" && GOFLAGS=-trimpath go run "$cyclonedx" bin -json -noserial -version "v$core" -output "$out/$file.cdx.json" "$out/$file")
    sed -i -e '/^ *"timestamp": /d' -e "s#golang/\./ede@(devel)#golang/$module@v$version#" \
        -e "/\"name\": \"\.\/ede\"/{s#\./ede#$module#;n;s#(devel)#v$version#}" "$out/$file.cdx.json"
    binaries+=("$arch=$out/$file")
done
(cd "$repository" && GOFLAGS= go run -C tools ./image -version "$core-ede$version" -revision "$commit" \
    -created "$(git log -1 --format=%cI)" -output "$out/$name-image.tar" "${binaries[@]}")
cd "$out"
sha256sum -- * >SHA256SUMS
cat SHA256SUMS
