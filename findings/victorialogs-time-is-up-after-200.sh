#!/usr/bin/env bash
# VictoriaLogs v1.52.2: a query of /select/logsql/query that is out of its time, by the argument
# `timeout` or by -search.maxQueryDuration, after the first rows have left, has answered 200 and
# ends in the midst of its rows, whatever allow_partial_response says. The text of the error
# goes to the log of the server alone. The client sees a chunk whose length is no number (curl
# exits with 56), and nothing at all in a pipe, where the exit status is that of the last
# command. A query that is out of time before its first row answers 503, with the error.
#
# app/vlselect/main.go, logRequestErrorIfNeeded, reports the error when the answer has begun,
# which can then only be broken off.
#
# Seen on 2026-11-29: 200, curl exits with 56, some of the 400000 rows, no word of an error
# among them. The script fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
store=
trap 'if [ -n "$store" ]; then kill "$store"; wait "$store" || true; fi; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN=$dir go install github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.2 >/dev/null 2>&1
port=$((20000 + RANDOM % 10000))
url=http://127.0.0.1:$port
./victoria-logs -httpListenAddr=127.0.0.1:$port -storageDataPath=data -retentionPeriod=1d 2>store.log &
store=$!
until curl -sf $url/health >/dev/null; do
    kill -0 $store
    sleep 0.1
done
lines=400000
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
awk -v n=$lines -v now="$now" 'BEGIN { for (i = 0; i < n; i++)
    printf "{\"_time\":\"%s\",\"_msg\":\"line %d\",\"host\":\"host-%d\",\"text\":\"some text of the line %d\"}\n", now, i, i % 20, i * 7919 }' |
    curl -sf -T - -X POST -H 'Content-Type: application/stream+json' "$url/insert/jsonline?_stream_fields=host"
until curl -s $url/select/logsql/query -d 'query=* | stats count() n' | grep -q "\"$lines\""; do sleep 0.2; done

# How much time is too little depends on the machine.
for milliseconds in 20 40 80 160 320 640 1280; do
    answer=0
    status=$(curl -s -o rows -w '%{http_code}' $url/select/logsql/query -d 'query=*' -d timeout=${milliseconds}ms -d allow_partial_response=0) || answer=$?
    rows=$(wc -l <rows)
    if [ "$status" = 200 ] && [ "$rows" -gt 0 ] && [ "$rows" -lt $lines ]; then
        errors=$(grep -c "couldn't be executed" rows || true)
        echo "status $status, curl exits with $answer, some of $lines rows, $errors lines of error among them"
        [ "$answer" = 56 ] && [ "$errors" = 0 ] || exit 1
        exit 0
    fi
done
echo "status $status, $rows of $lines rows"
exit 1
