package diagnosis_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// longestHold is how long these servers hold an answer for its diagnosis.
const longestHold = 2 * time.Second

// askHeld asks, and again where the answer was held in vain: on a machine that is
// very busy a diagnosis may take longer, and the next answer has what it found.
func askHeld(t *testing.T, addr, name string, qtype uint16) *dns.Msg {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		asked := time.Now()
		reply := server.Ask(t, addr, name, qtype, server.EDNS())
		if now := time.Now(); now.Sub(asked) < longestHold || now.After(deadline) {
			return reply
		}
		t.Logf("%s: held in vain, with %s", name, texts(reply))
	}
}

// expired is a zone with an expired signature over its A records.
func expired(name string) bed.Case {
	return bed.Case{Name: name, After: bed.Times(dns.TypeA, -40*24*time.Hour, -10*24*time.Hour)}
}

// resolving answers from a bed as a resolver does, but for the questions that it
// answers with fails instead.
func resolving(t *testing.T, b *bed.Bed, fails dns.Handler, which func(m *dns.Msg) bool) dns.Handler {
	t.Helper()
	exchange := b.Exchange()
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if which(m) {
			fails.ServeDNS(w, m)
			return
		}
		known, err := exchange(context.Background(), m.Question[0])
		if err != nil {
			return
		}
		reply := new(dns.Msg).SetRcode(m, known.Rcode)
		reply.RecursionAvailable = true
		reply.Answer, reply.Ns = known.Answer, known.Ns
		if opt := m.IsEdns0(); opt != nil {
			reply.SetEdns0(1232, opt.Do())
		}
		_ = w.WriteMsg(reply)
	})
}

// servfail is what a resolver says of a zone that it finds bogus.
func servfail(edes ...dns.EDNS0_EDE) dns.Handler {
	return upstream.Rcode(dns.RcodeServerFailure, true, edes...)
}

// unchecked are the questions for some names that come without CD.
func unchecked(names ...string) func(*dns.Msg) bool {
	return func(m *dns.Msg) bool {
		return !m.CheckingDisabled && slices.Contains(names, dns.CanonicalName(m.Question[0].Name))
	}
}
