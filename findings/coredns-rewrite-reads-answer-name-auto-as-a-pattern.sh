#!/usr/bin/env bash
# CoreDNS v1.15.0, plugin rewrite: its documentation has an example with the lines
# `answer name auto` and `answer value FROM TO`. CoreDNS loads it, but does not read `auto` as
# the keyword that gives the name of the question back. It reads a pattern `auto` and the
# next word, `answer`, as the new name. So a host whose name contains "auto" gets an answer
# about the name "answer.", which resolvers throw away. Hosts with other names get the right name.
#
# The lines of a block are joined before they are read. The keyword is `answer auto`, without
# `name`.
#
# Seen on 2026-11-30: "auto.example.org. -> answer.", "www.example.org. -> www.example.org.".
# The script fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/rewrite"
	"github.com/miekg/dns"
)

const corefile = `.:0 {
    bind 127.0.0.1
    rewrite stop {
        name suffix .example.org .example.org
        answer name auto
        answer value old.example.net new.example.net
    }
    hosts {
        192.0.2.1 auto.example.org www.example.org
    }
}
`

func main() {
	dnsserver.Quiet = true
	server, err := caddy.Start(caddy.CaddyfileInput{Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer server.Stop()
	changed := false
	for asked, want := range map[string]string{"auto.example.org.": "answer.", "www.example.org.": "www.example.org."} {
		reply, err := dns.Exchange(new(dns.Msg).SetQuestion(asked, dns.TypeA), server.Servers()[0].LocalAddr().String())
		if err != nil || len(reply.Answer) != 1 {
			fmt.Println(asked, reply, err)
			os.Exit(1)
		}
		owner := reply.Answer[0].Header().Name
		fmt.Println(asked, "->", owner)
		changed = changed || owner != want
	}
	if changed {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
