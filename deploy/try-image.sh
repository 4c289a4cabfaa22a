#!/usr/bin/env bash
# Runs the image as a cluster does and asks it: try-image.sh [IMAGE]
#
# Without IMAGE the Dockerfile is built first. Needs root (it enters the
# container's network, which nobody else is in), dig, and podman or docker.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=$(command -v podman || command -v docker) || { echo "try-image.sh: needs podman or docker" >&2; exit 1; }
image=${1:-}
if [ -z "$image" ]; then
    image=coredns-ede:try
    "$engine" build -t "$image" "$here/.."
fi

work=$(mktemp -d)
container=
finish() {
    [ -z "$container" ] || "$engine" rm -f "$container" >/dev/null
    rm -rf "$work"
}
trap finish EXIT
chmod 755 "$work"
cat >"$work/Corefile" <<'EOF'
.:53 {
    ede
    health
    forward . 127.0.0.1:1
}
EOF

fail() {
    echo "not ok: $*" >&2
    [ -z "$container" ] || "$engine" logs "$container" >&2
    exit 1
}

# What the securityContext of deploy/kubernetes says, in an engine's words.
confined=(--read-only --security-opt=no-new-privileges --cap-drop=ALL --network=none
    --memory=128m --sysctl=net.ipv4.ip_unprivileged_port_start=1024 -v "$work:/etc/coredns:ro")
container=$("$engine" run -d "${confined[@]}" --cap-add=NET_BIND_SERVICE "$image" -conf /etc/coredns/Corefile) ||
    fail "the image does not run"
pid=$("$engine" inspect -f '{{.State.Pid}}' "$container")
inside() { nsenter -t "$pid" -n "$@"; }

for _ in $(seq 50); do
    answer=$(inside dig @127.0.0.1 +tries=1 +timeout=1 www.example.org 2>&1) && break
    sleep 0.2
done
grep -q 'status: SERVFAIL' <<<"$answer" && grep -q 'EDE: 23 (Network Error)' <<<"$answer" ||
    fail "port 53 does not answer with its EDE: $answer"
echo "ok: port 53 answers: $(grep 'EDE: ' <<<"$answer")"

status() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$pid/status"; }
[ "$(status Uid)" = 65532 ] && [ "$(status Gid)" = 65532 ] || fail "runs as $(status Uid):$(status Gid)"
echo "ok: runs as 65532:65532"
# Bit 10 is CAP_NET_BIND_SERVICE.
[ "$(status CapEff)" = 0000000000000400 ] && [ "$(status CapBnd)" = 0000000000000400 ] && [ "$(status NoNewPrivs)" = 1 ] ||
    fail "capabilities $(status CapEff) of $(status CapBnd), no new privileges $(status NoNewPrivs)"
echo "ok: NET_BIND_SERVICE is all it has, and no way to more"
awk '$5 == "/" && $6 !~ /(^|,)ro(,|$)/ { exit 1 }' "/proc/$pid/mountinfo" || fail "the root file system is writable"
echo "ok: the root file system is read-only"
grep -q 'BEGIN CERTIFICATE' "/proc/$pid/root/etc/ssl/certs/ca-certificates.crt" || fail "no certificates for TLS"
[ ! -e "/proc/$pid/root/bin" ] && [ ! -e "/proc/$pid/root/usr" ] || fail "there is more in the image than there should be"
echo "ok: it holds the binary, certificates, and nothing else"

"$engine" kill -s TERM "$container" >/dev/null
[ "$(timeout 20 "$engine" wait "$container")" = 0 ] || fail "does not end by itself after SIGTERM"
echo "ok: ends after SIGTERM"
"$engine" rm -f "$container" >/dev/null
container=

# The capability is in the file, so that the kernel refuses to run it at all
# where the container may not have it.
if said=$("$engine" run --rm "${confined[@]}" "$image" -version 2>&1); then
    fail "runs without NET_BIND_SERVICE: $said"
fi
grep -qi 'operation not permitted' <<<"$said" || fail "without NET_BIND_SERVICE it says: $said"
echo "ok: without NET_BIND_SERVICE it does not start: operation not permitted"
