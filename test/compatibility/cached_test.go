//go:build linux

package compatibility_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// TestAFailureOutOfTheCacheShowsItsCauseInEveryClient reads one as people and as
// scripts do. Half of the readers keep only the last option, so that the cause
// has to stand alone; what an upstream says must not break a document.
func TestAFailureOutOfTheCacheShowsItsCauseInEveryClient(t *testing.T) {
	if testing.Short() {
		t.Skip("starts clients")
	}
	says := func(options ...dns.EDNS0_EDE) string {
		return upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true, options...)}).Addr()
	}
	causes := []struct{ name, upstream, code, text string }{
		{"a dead upstream", upstream.Closed(t), "23", "Network Error"},
		{"an upstream's word", says(dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired, ExtraText: `key "a\b" is old`}), "7", "is old"},
		{"an upstream that repeats itself", says(
			dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSKEYMissing, ExtraText: "no key for tag 4711"},
			dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus},
			dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeCachedError, ExtraText: "seen before"},
		), "9", "tag 4711"},
	}
	for i, c := range causes {
		s := server.Start(t, fmt.Sprintf(".:0 {\nbind 127.0.0.1\nede\ncache {\nservfail 5m\n}\nforward . %s {\nmax_fails 0\n}\n}", c.upstream))
		_, port, err := net.SplitHostPort(s.UDP())
		if err != nil {
			t.Fatal(err)
		}
		for j, r := range readers() {
			t.Run(c.name+" in "+r.name, func(t *testing.T) {
				name := fmt.Sprintf("cached%d-%d.example.org", i, j)
				server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS(&dns.EDNS0_EDE{}))
				said := r.ask(t, port, name)
				for _, want := range []string{c.code + " ", c.text, "cached"} {
					if !strings.Contains(said, want) {
						t.Errorf("%q is not in what it shows:\n%s", want, said)
					}
				}
				if strings.Contains(said, "Cached Error") {
					t.Errorf("that it is cached stands next to the cause:\n%s", said)
				}
			})
		}
	}
}
