#!/usr/bin/env bash
# CoreDNS v1.15.0, plugin template: a template with `rcode SERVFAIL` and `ederror` loads
# without a complaint, and its answers never have the Extended DNS Error. With
# `rcode REFUSED` and `rcode NXDOMAIN` they have it.
#
# For SERVFAIL the plugin returns the rcode before it builds a message; the documentation of
# ederror has no exception.
#
# Seen on 2026-11-30: "SERVFAIL: no EDE", "REFUSED: EDE 23", "NXDOMAIN: EDE 23". The script
# fails if that changes.
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
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/miekg/dns"
)

// answered starts CoreDNS with one template and asks it.
func answered(rcode string) (string, error) {
	dnsserver.Quiet = true
	corefile := ".:0 {\n bind 127.0.0.1\n template ANY ANY {\n rcode " + rcode + "\n ederror 23 \"no route\"\n }\n}\n"
	server, err := caddy.Start(caddy.CaddyfileInput{Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		return "", err
	}
	defer server.Stop()
	query := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	reply, err := dns.Exchange(query, server.Servers()[0].LocalAddr().String())
	if err != nil {
		return "", err
	}
	said := dns.RcodeToString[reply.Rcode] + ": no EDE"
	if opt := reply.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if ede, ok := option.(*dns.EDNS0_EDE); ok {
				said = fmt.Sprintf("%s: EDE %d", dns.RcodeToString[reply.Rcode], ede.InfoCode)
			}
		}
	}
	return said, nil
}

func main() {
	for rcode, want := range map[string]string{
		"SERVFAIL": "SERVFAIL: no EDE", "REFUSED": "REFUSED: EDE 23", "NXDOMAIN": "NXDOMAIN: EDE 23",
	} {
		said, err := answered(rcode)
		fmt.Println(said)
		if err != nil || said != want {
			fmt.Println("want", want, err)
			os.Exit(1)
		}
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
