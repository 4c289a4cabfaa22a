package test_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// TestShadowLeavesTheWireAsItIs compares every packet of a server with ede in
// shadow with those of one without, stock's doubled and missing answers
// included.
func TestShadowLeavesTheWireAsItIs(t *testing.T) {
	logs := server.Capture(t)
	said := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"), ede(22, "b"))})
	cases := map[string]string{
		"acl":             "acl {\n block net 127.0.0.0/8\n }\nwhoami",
		"template":        "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }",
		"template render": "template ANY ANY {\n answer \"{{ index .Match 9 }}\"\n }",
		"hosts":           "hosts {\n 192.0.2.5 known.example.org\n }",
		"forward":         forward(upstream.Closed(t), patiently),
		"said":            forward(said.Addr()),
		"cached":          steady + "\n" + forward(said.Addr()),
		"rewrite":         "rewrite stop {\n name suffix .example.org .example.net answer auto\n }\n" + forward(upstream.Closed(t), patiently),
		"minimal":         "minimal\nfault written-error SERVFAIL",
		"dns64":           "dns64 {\n allow_ipv4\n }\n" + forward(said.Addr()),
		"file":            "file " + zoneFile(t) + " example.org\n" + forward(said.Addr()),
		"nomad":           "nomad example.org {\n address http://" + upstream.Closed(t) + "\n }",
		"nothing":         "errors",
	}
	for _, shape := range append([]string{"dropped"}, shapes...) {
		cases[shape] = "fault " + shape + " REFUSED"
	}
	first := uint16(4711)
	for name, plugins := range cases {
		first += 10
		queries := shadowQueries(first)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shadow := server.Start(t, here(".:0", "ede {\n shadow\n log all\n }", plugins))
			stock := server.Start(t, here(".:0", plugins))
			doubled, answers := false, stockAnswers(name)
			for i, m := range queries {
				wire, _ := pack(t, m)
				for again := range 2 {
					got := listen(t, shadow.UDP(), m, answers)
					want := listen(t, stock.UDP(), m, answers)
					compare(t, fmt.Sprintf("query %d, time %d, over udp", i, again), got, want)
					doubled = doubled || len(want) > 1
				}
				if answers == 0 {
					continue
				}
				compare(t, fmt.Sprintf("query %d over tcp", i), exchange(t, briefClient, "tcp", shadow.TCP(), wire, answers), exchange(t, briefClient, "tcp", stock.TCP(), wire, answers))
			}
			if name == "written-returned" && !doubled {
				t.Error("stock CoreDNS sends one answer: this test has lost its point")
			}
			if answers == 0 {
				return // a drop has no line
			}
			logs.WaitForFunc(t, func(text string) bool {
				return isFailureOf(text, queries[1]) && (strings.Contains(text, "sent=shadow") || strings.Contains(text, "cause=panic"))
			}, patience)
		})
	}
}

// shadowQueries have fixed ids, so that packets are equal octet by octet.
func shadowQueries(first uint16) []*dns.Msg {
	all := []*dns.Msg{
		server.Message("out.example.org", dns.TypeA),
		query("out.example.org"),
		query("out.example.org", server.DO()),
		server.Message("self.example.org", dns.TypeAAAA, server.EDNS(&dns.EDNS0_EDE{InfoCode: 1, ExtraText: "mine"})),
		query("www.example.net", server.BufferSize(512), server.CD()),
	}
	for i, m := range all {
		m.Id = first + uint16(i)
	}
	return all
}

// stockAnswers is how many answers stock CoreDNS gives at least.
func stockAnswers(name string) int {
	switch name {
	case "dropped", "unanswered", "minimal":
		return 0
	case "written-returned", "noerror-returned", "template":
		return 2
	}
	return 1
}

// listen takes all answers to m.
func listen(t *testing.T, addr string, m *dns.Msg, atLeast int) [][]byte {
	t.Helper()
	if atLeast == 0 {
		return server.Packets(t, addr, m, 0, silence)
	}
	wire, _ := pack(t, m)
	return exchange(t, briefClient, "udp", addr, wire, atLeast)
}

func compare(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d answers with ede in shadow, %d without", what, len(got), len(want))
		return
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s, answer %d:\n%v\nwithout ede:\n%v", what, i, parse(t, got[i]), parse(t, want[i]))
		}
	}
}

func TestShadowOverEncryptedTransportsIsAsWithout(t *testing.T) {
	server.Capture(t)
	cert, key := certificate.New(t).Files(t)
	said := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
	for name, plugins := range map[string]string{
		"said":             forward(said.Addr()),
		"cached":           steady + "\n" + forward(said.Addr()),
		"returned":         "fault returned SERVFAIL",
		"written-returned": "fault written-returned REFUSED",
	} {
		t.Run(name, func(t *testing.T) {
			block := func(above string) (corefile string) {
				for _, scheme := range []string{"tls", "https", "quic", "grpc"} {
					corefile += here(scheme+"://.:0", above, "tls "+cert+" "+key, plugins)
				}
				return corefile
			}
			shadow, stock := server.Start(t, block("ede {\n shadow\n }")), server.Start(t, block("errors"))
			for _, network := range []string{"tls", "https", "quic", "grpctls"} {
				for i, m := range shadowQueries(4711) {
					got := server.Query(t, encrypted(shadow, network), network, m.Copy()).String()
					want := server.Query(t, encrypted(stock, network), network, m.Copy()).String()
					if got != want {
						t.Errorf("query %d over %s:\n%s\nwithout ede:\n%s", i, network, got, want)
					}
				}
			}
		})
	}
}

func encrypted(s *server.Server, network string) string {
	return map[string]func(...string) string{"tls": s.DoT, "https": s.DoH, "quic": s.DoQ, "grpctls": s.GRPC}[network]()
}
