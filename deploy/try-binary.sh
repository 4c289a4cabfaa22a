#!/usr/bin/env bash
# Starts a CoreDNS with ede and looks at one failure: try-binary.sh BINARY
#
# It forwards to a port of loopback where nobody listens, and checks the answer,
# the log line and the metric. It needs dig and curl.
set -euo pipefail

binary=${1:?usage: try-binary.sh BINARY}
work=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "not ok: $*" >&2
    cat "$work/log" >&2
    exit 1
}

# A port may be taken: then CoreDNS ends, and the next try has other ports.
answer=
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 10000))
    cat >"$work/Corefile" <<END
.:$port {
    bind 127.0.0.1
    ede
    prometheus 127.0.0.1:$((port + 1))
    forward . 127.0.0.1:1
}
END
    "$binary" -conf "$work/Corefile" >"$work/log" 2>&1 &
    pid=$!
    until answer=$(dig @127.0.0.1 -p "$port" +tries=1 +timeout=5 www.example.org 2>&1); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$pid" 2>/dev/null || break
    pid=
done
[ -n "$pid" ] || fail "it does not start"
grep -q 'status: SERVFAIL' <<<"$answer" && grep -q 'EDE: 23 (Network Error): (the upstream cannot be reached)' <<<"$answer" ||
    fail "the answer is $answer"
# The line is written after the answer.
for _ in $(seq 50); do
    ! grep -q 'plugin/ede: rcode=SERVFAIL cause=upstream_unreachable ede=23 ' "$work/log" || break
    sleep 0.1
done
grep -q 'plugin/ede: rcode=SERVFAIL cause=upstream_unreachable ede=23 ' "$work/log" || fail "the log has no line of it"
metrics=$(curl -s "http://127.0.0.1:$((port + 1))/metrics") || true
grep -q '^coredns_ede_failures_total{cause="upstream_unreachable".* [1-9]' <<<"$metrics" ||
    fail "the metric does not count it"
echo "ok: $("$binary" -version | head -1): $(grep 'EDE: ' <<<"$answer")"
