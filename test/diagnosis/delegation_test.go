package diagnosis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
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

// nobody is an address of the servers' network at which nothing listens.
const nobody = "127.0.53.99"

// told is what a zone's servers do, and what is said of it: code 0 with a text is for what
// is not held against the zone, and code 0 without one for a zone in order.
type told struct {
	bed.Case
	code uint16
	text string // of the first option
}

func delegations() []told {
	elsewhere := func(address string) func(parent, z *bed.Zone) {
		return func(parent, z *bed.Zone) { parent.MoveServer(z, address) }
	}
	another := func(address string) func(parent, z *bed.Zone) {
		return func(parent, z *bed.Zone) { parent.AddServer(z, "ns2", address) }
	}
	return []told{
		{bed.Case{Name: "ns-refused-unsigned", Before: bed.Unsigned, After: always(dns.RcodeRefused)}, 22, "ns1.ns-refused-unsigned.edetest. REFUSED"},
		{bed.Case{Name: "ns-refused", After: always(dns.RcodeRefused)}, 22, "REFUSED"},
		{bed.Case{Name: "ns-servfail", Before: bed.Unsigned, After: always(dns.RcodeServerFailure)}, 22, "SERVFAIL"},
		{bed.Case{Name: "ns-notauth", Before: bed.Unsigned, After: always(dns.RcodeNotAuth)}, 22, "not authoritative"},
		{bed.Case{Name: "ns-formerr", Before: bed.Unsigned, After: always(dns.RcodeFormatError)}, 22, "FORMERR"},
		{bed.Case{Name: "ns-upward", Before: bed.Unsigned, After: upward}, 22, "refers upward"},
		{bed.Case{Name: "ns-closed", AtParent: elsewhere(nobody)}, 22, "port closed"},
		{bed.Case{Name: "ns-closed-unsigned", Before: bed.Unsigned, AtParent: elsewhere(nobody)}, 22, "port closed"},
		{bed.Case{Name: "ns-no-address", Before: bed.Unsigned, AtParent: elsewhere("")}, 22, "no address"},
		{bed.Case{Name: "ns-special", Before: bed.Unsigned, AtParent: elsewhere("192.0.2.53")}, 0, "no name server of ns-special.edetest. has a public address, and none was asked"},
		{bed.Case{Name: "ns-timeout-unsigned", Before: bed.Unsigned, After: always(-1)}, 22, "timed out"},
		{bed.Case{Name: "ns-timeout", After: always(-1)}, 22, "timed out"},
		{bed.Case{Name: "ns-one-closed", AtParent: another(nobody)}, 0, ""},
		{bed.Case{Name: "valid"}, 0, ""},
		{alias("cname-to-dead", "ns-closed."), 22, "port closed"},
		{alias("cname-to-dead-unsigned", "ns-closed-unsigned."), 22, "port closed"},
		{alias("cname-to-refused", "ns-refused."), 22, "REFUSED"},
		{alias("cname-to-cname-to-dead", "alias.cname-to-dead."), 22, "port closed"},
		{alias("cname-to-valid", "valid."), 0, ""},
		{bed.Case{Name: "dname-to-dead", Ask: "www.tree", Before: bed.Records("tree.%s 300 IN DNAME ns-closed." + bed.TLD)}, 22, "port closed"},
	}
}

// alias is a zone with an alias to a name of another one.
func alias(name, target string) bed.Case {
	return bed.Case{Name: name, Ask: "alias", Before: bed.Records("alias.%s 300 IN CNAME " + target + bed.TLD)}
}

// upward refers to the root, as servers once did for zones that they do not have.
func upward(z *bed.Zone) {
	z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
		root, err := dns.NewRR(". 3600 IN NS ns1.")
		if err != nil {
			z.T().Fatal(err)
		}
		m.Rcode, m.Authoritative, m.Answer, m.Ns = dns.RcodeSuccess, false, nil, []dns.RR{root}
		return m
	}
}

func TestAZoneWhoseServersDoNotServeItIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a resolver")
	}
	var cases []bed.Case
	for _, c := range delegations() {
		cases = append(cases, c.Case)
	}
	b := bed.New(t, time.Now(), cases...)
	b.Listen(t, 53)
	up := resolver.BIND.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
	s := diagnosing(t, b, up, "delegation 127.0.53.0/24")
	for _, c := range delegations() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			q := c.Question()
			var reply *dns.Msg
			var codes []uint16
			for end := time.Now().Add(60 * time.Second); time.Now().Before(end); {
				// The resolver may try for longer than forward waits; that is
				// a time-out (23) then. And to wait for silent servers takes a
				// diagnosis longer than an answer may be held.
				reply = server.Ask(t, s.UDP(), q.Name, q.Qtype, server.EDNS())
				if codes = codesOf(reply); len(codes) == 0 || codes[0] != 23 && codes[0] != 0 || c.code == 0 && c.text != "" && strings.Contains(texts(reply), c.text) {
					break
				}
			}
			if len(codes) > 0 && codes[0] == 23 {
				// The resolver took too long, and that is not the subject here.
				codes[0] = 0
			}
			if c.code == 0 && c.text == "" {
				if reply.Rcode != dns.RcodeSuccess || len(codes) > 0 {
					t.Errorf("got %s %s", dns.RcodeToString[reply.Rcode], texts(reply))
				}
				return
			}
			if len(codes) == 0 || codes[0] != c.code || !strings.Contains(texts(reply), c.text) {
				t.Errorf("got %s %s, want %d with %q", dns.RcodeToString[reply.Rcode], texts(reply), c.code, c.text)
			}
			if text := texts(reply); strings.Contains(text, "127.0.53.") || strings.Contains(text, "192.0.2.53") {
				t.Errorf("a client with brief text is told addresses: %s", text)
			}
			t.Log(texts(reply))
		})
	}
}
