package diagnosis_test

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// always answers every question for a zone with one rcode; -1 is silence.
func always(rcode int) func(*bed.Zone) {
	return func(z *bed.Zone) {
		z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
			if rcode < 0 {
				return nil
			}
			m.Rcode, m.Answer, m.Ns, m.Authoritative = rcode, nil, nil, false
			return m
		}
	}
}

func TestAZoneWhoseServersDoNotServeItIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a resolver")
	}
	cases := []bed.Case{
		{Name: "ns-refused-unsigned", Before: bed.Unsigned, After: always(dns.RcodeRefused)},
		{Name: "ns-servfail", Before: bed.Unsigned, After: always(dns.RcodeServerFailure)},
		{Name: "ns-notauth", Before: bed.Unsigned, After: always(dns.RcodeNotAuth)},
		{Name: "ns-timeout-unsigned", Before: bed.Unsigned, After: always(-1)},
		{Name: "ns-timeout", After: always(-1)},
		{Name: "valid"},
	}
	b := bed.New(t, time.Now(), cases...)
	b.Listen(t, 53)
	up := resolver.BIND.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
	s := diagnosing(t, b, up, "delegation 127.0.53.0/24")
	for _, c := range b.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			q := c.Question()
			var reply *dns.Msg
			var codes []uint16
			for end := time.Now().Add(40 * time.Second); time.Now().Before(end); {
				// The resolver may try for longer than forward waits; that is
				// a time-out (23) then. And to wait for silent servers takes a
				// diagnosis longer than an answer may be held.
				reply = server.Ask(t, s.UDP(), q.Name, q.Qtype, server.EDNS())
				if codes = codesOf(reply); len(codes) == 0 || codes[0] != 23 && codes[0] != 0 {
					break
				}
			}
			if c.Name == "valid" {
				if reply.Rcode != dns.RcodeSuccess || len(codes) > 0 {
					t.Errorf("got %s %s", dns.RcodeToString[reply.Rcode], texts(reply))
				}
				return
			}
			if len(codes) == 0 || codes[0] != 22 {
				t.Errorf("got %s %s, want 22", dns.RcodeToString[reply.Rcode], texts(reply))
			}
			t.Log(texts(reply))
		})
	}
}
