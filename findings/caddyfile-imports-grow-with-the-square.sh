#!/usr/bin/env bash
# caddy v1.1.4 (github.com/coredns/caddy, the parser of CoreDNS's Corefiles): each `import` of
# a snippet copies all tokens that come after it. A Corefile with twice as many blocks that
# import one small snippet takes four times the memory traffic and time to parse, not twice;
# the same blocks with the lines written out take twice.
#
# A Corefile of 4 MB with 9,999 imports, which is one below the limit of the parser, takes
# seconds: at each start, each reload, and in each program that uses the parser.
#
# Seen on 2026-11-30, octets allocated by 2,000 and by 4,000 blocks: "written out: 2.1 times",
# "imported: 3.9 times". The script counts octets, not time, and fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// allocated is how many octets the parser allocates for n blocks with that body.
func allocated(n int, body string) float64 {
	var text strings.Builder
	text.WriteString("(common) {\n errors\n cache\n}\n")
	for i := range n {
		fmt.Fprintf(&text, "z%d.example.org {\n%s}\n", i, body)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(text.String()), []string{"errors", "cache"})
	runtime.ReadMemStats(&after)
	if err != nil || len(blocks) != n {
		fmt.Println(len(blocks), err)
		os.Exit(1)
	}
	return float64(after.TotalAlloc - before.TotalAlloc)
}

func main() {
	written := allocated(4000, " errors\n cache\n") / allocated(2000, " errors\n cache\n")
	imported := allocated(4000, " import common\n") / allocated(2000, " import common\n")
	fmt.Printf("written out: %.1f times\nimported: %.1f times\n", written, imported)
	if written > 2.5 || imported < 3.5 {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/caddy@v1.1.4 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
