package diagnosis_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// An Unbound that gives its reasons is right for most zones, and wrong for some: what
// is proved here goes before.
func TestBehindAnUnboundThatSaysWhyEveryZoneHasItsCode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a resolver")
	}
	if undecided := judgeAll(t, resolver.Unbound.With("  ede: yes"), "", 1); len(undecided) > 0 {
		t.Errorf("%d cases are undecided", len(undecided))
	}
}

// blackHole is an address of which nothing comes back.
func blackHole(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", port.Free(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

// Real programs whose own fault every name shows: no zone is named, whatever code
// they give.
func TestRealUpstreamsAreFoundAtFault(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	b := bed.New(t, time.Now(), bed.Case{Name: "valid"}, bed.Case{Name: "other"})
	b.Listen(t, 53)
	old := bed.New(t, time.Now(), bed.Case{Name: "valid"})
	const longAgo = "  val-override-date: \"20200101000000\"\n"
	dead := blackHole(t)
	closed := port.Free(t)
	for _, tc := range []struct {
		name     string
		resolver resolver.Resolver
		anchor   []dns.RR
		cause    string
	}{
		{"Unbound with an old clock", resolver.Unbound.With(longAgo), b.Anchor(), "upstream_validator"},
		{"Unbound with an old clock, which says why", resolver.Unbound.With(longAgo + "  ede: yes\n"), b.Anchor(), "upstream_validator"},
		{"Unbound with an old trust anchor", resolver.Unbound, old.Anchor(), "upstream_validator"},
		{"Unbound with an old trust anchor, which says why", resolver.Unbound.With("  ede: yes\n"), old.Anchor(), "upstream_validator"},
		{"BIND with an old trust anchor", resolver.BIND, old.Anchor(), "upstream_validator"},
		{"PowerDNS Recursor with an old trust anchor, which says why", resolver.PowerDNS.With("extended-resolution-errors=yes"), old.Anchor(), "upstream_validator"},
		{"PowerDNS Recursor with a forwarder that is closed, which says why", resolver.PowerDNS.With("extended-resolution-errors=yes\nforward-zones-recurse=.=" + closed), b.Anchor(), "upstream_resolves_nothing"},
		{"PowerDNS Recursor with a forwarder that is closed", resolver.PowerDNS.With("forward-zones-recurse=.=" + closed), b.Anchor(), "upstream_resolves_nothing"},
		{"dnsmasq with a server that is dead", resolver.Dnsmasq.With("server=" + strings.Replace(dead, ":", "#", 1)), nil, "upstream_timeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			up := tc.resolver.StartUnready(t, resolver.Root{Hints: b.RootHints(), Anchor: tc.anchor})
			logs := server.Capture(t)
			s := diagnosing(t, b, up, "")
			for _, name := range []string{"valid.edetest.", "other.edetest."} {
				server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
				line := logs.WaitFor(t, "qname="+name+" qtype=A queries=", patience)
				// A resolver that has primed the root by now may remember it: then it is not certain.
				primed := tc.cause == "upstream_resolves_nothing" && strings.Contains(line, " owner=upstream result=undecided ") &&
					strings.Contains(line, "answers the root, which it may remember")
				if !strings.Contains(line, " cause="+tc.cause+" ") && !primed || strings.Contains(line, "owner=zone") {
					t.Errorf("want %s: %s", tc.cause, line)
				}
				if tc.cause == "upstream_timeout" {
					break // it is left alone for ten seconds
				}
			}
		})
	}
}
