#!/usr/bin/env bash
# CoreDNS v1.15.0, plugin file with `fallthrough`. Where a zone has a name without the type
# asked for, file answers NOERROR without records. There are two exceptions: the apex of a zone
# that has nothing but SOA and NS there, and an empty non-terminal. Such a question goes on to
# the next plugin, which may answer with records that the zone does not have. One more record at
# the apex, a TXT for example, ends that for the apex.
#
# Zone.Lookup returns Success without records for both, and ServeDNS passes that on as it passes
# NXDOMAIN on. The README says "no record can be generated", which is true of each NOERROR
# without records; a comment in the source says that only NXDOMAIN is passed on.
#
# Seen on 2026-11-29: of four questions the second and the third are passed on. The script
# fails if that changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/pkg/fall"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

const zone = `example.org. 300 IN SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 300
example.org. 300 IN NS ns.example.org.
ns.example.org. 300 IN A 192.0.2.53
www.below.example.org. 300 IN A 192.0.2.1
`

// next stands for the plugin that the question goes on to.
type next struct{}

func (next) Name() string { return "next" }

func (next) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	m := new(dns.Msg).SetRcode(r, dns.RcodeRefused)
	return m.Rcode, w.WriteMsg(m)
}

func ask(text, name string, qtype uint16) string {
	z, err := file.Parse(strings.NewReader(text), "example.org.", "stdin", 0)
	if err != nil {
		panic(err)
	}
	f := file.File{Next: next{}, Fall: fall.Root, Zones: file.Zones{Z: map[string]*file.Zone{"example.org.": z}, Names: []string{"example.org."}}}
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	if _, err := f.ServeDNS(context.Background(), w, new(dns.Msg).SetQuestion(name, qtype)); err != nil {
		panic(err)
	}
	if w.Msg.Rcode == dns.RcodeRefused {
		return "passed on"
	}
	return "answered by the zone"
}

func main() {
	got := fmt.Sprintln("a name without the type:", ask(zone, "ns.example.org.", dns.TypeAAAA)) +
		fmt.Sprintln("the apex without the type:", ask(zone, "example.org.", dns.TypeMX)) +
		fmt.Sprintln("an empty non-terminal:", ask(zone, "below.example.org.", dns.TypeA)) +
		fmt.Sprintln("the apex with a TXT, without the type:", ask(zone+"example.org. 300 IN TXT \"v\"\n", "example.org.", dns.TypeMX))
	fmt.Print(got)
	if got != "a name without the type: answered by the zone\nthe apex without the type: passed on\n"+
		"an empty non-terminal: passed on\nthe apex with a TXT, without the type: answered by the zone\n" {
		os.Exit(1)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/coredns/coredns@v1.15.0 github.com/miekg/dns@v1.1.73 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run .
