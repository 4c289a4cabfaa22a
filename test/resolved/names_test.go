//go:build linux

package resolved_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A systemd-resolved as upstream keeps single labels and names under local to itself, and
// resolves others: that is told, and no zone, access list or load is blamed.
func TestTheNamesThatASystemdResolvedKeepsToItselfAreTold(t *testing.T) {
	real := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	resolved.Start(t, resolved.Config{Servers: []string{real.Addr()}, DNSSEC: "no", Unrouted: true})
	t.Logf("systemd-resolved %s", resolved.Version(t))
	logs := server.Capture(t)
	s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n diagnose {\n wait 2s\n }\n }\n forward . %s\n}", resolved.Stub))
	if r := server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA); r.Rcode != dns.RcodeSuccess {
		t.Fatalf("it answers %s for a name that resolves", dns.RcodeToString[r.Rcode])
	}
	for _, tc := range []struct{ name, cause, words, advice string }{
		{"db.", "upstream_refuses_name", "it does not forward names of one label", "ResolveUnicastSingleLabel=yes"},
		{"printer.corp.local.", "upstream_local_name", "to multicast DNS (RFC 6762)", "Forward this zone to its own servers"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := server.Ask(t, s.UDP(), tc.name, dns.TypeA, server.EDNS())
			line := logs.WaitFor(t, "qname="+tc.name+" qtype=A queries=", 20*time.Second)
			for _, want := range []string{" cause=" + tc.cause + " ", tc.words, tc.advice} {
				if !strings.Contains(line, want) {
					t.Errorf("%s lacks %q: %s", dns.RcodeToString[r.Rcode], want, line)
				}
			}
			for _, never := range []string{"owner=zone", "overloaded", "dnssec_"} {
				if strings.Contains(line, never) {
					t.Errorf("%s: %s", never, line)
				}
			}
			told := false
			for _, e := range server.ExtendedErrors(r) {
				told = told || strings.Contains(e.ExtraText, "answers others")
			}
			if !told {
				t.Errorf("the client is told %v", server.ExtendedErrors(r))
			}
		})
	}
}
