package delegation

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func addrPort(a string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(a), 53) }

func TestSmallBudgetNeverLeadsToAWrongVerdict(t *testing.T) {
	for _, f := range []fault{nil, silent, closed, rcode(dns.RcodeRefused), only(dns.TypeDNSKEY, silent)} {
		full := probeWith(t, f, DefaultMaxQueries)
		for budget := 1; budget < full.Queries; budget++ {
			got := probeWith(t, f, budget)
			if got.Queries > budget {
				t.Fatalf("budget %d: %d questions", budget, got.Queries)
			}
			// A server that answered is healthy, whatever was left to ask it.
			if got.Kind != full.Kind && got.Kind != Undecided && got.Kind != Healthy {
				t.Errorf("budget %d: %s %q, with all questions %s", budget, got.Kind, got.Text, full.Kind)
			}
		}
	}
}

func probeWith(t *testing.T, f fault, budget int) Finding {
	t.Helper()
	w := newWorld(t, delegatedTo2+signed)
	if f != nil {
		w.fail(ns1Addr, f)
		w.fail(ns2Addr, f)
	}
	p := w.prober()
	p.MaxQueries = budget
	return p.Probe(t.Context(), "www.example.org.", dns.TypeA)
}

func TestCanceledProbeIsUndecided(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, delegatedTo2)
	w.fail(ns1Addr, func(_, _ *dns.Msg) (*dns.Msg, error) { cancel(); return nil, context.Canceled })
	w.fail(ns2Addr, silent)
	f := w.prober().Probe(ctx, "www.example.org.", dns.TypeA)
	if f.Kind != Undecided || len(f.Codes) != 0 {
		t.Errorf("got %s %q", f.Kind, f.Text)
	}
}

func TestHostileDelegationIsBounded(t *testing.T) {
	var many strings.Builder
	for i := range 60 {
		fmt.Fprintf(&many, "example.org. NS ns%d.%s.example.org.\n", i, strings.Repeat("x", 60))
		for j := range 20 {
			fmt.Fprintf(&many, "ns%d.%s.example.org. A 127.1.%d.%d\n", i, strings.Repeat("x", 60), i, j)
		}
	}
	w := newWorld(t, many.String())
	for i := range 60 {
		for j := range 20 {
			a := fmt.Sprintf("127.1.%d.%d", i, j)
			w.serve(a, "example.org.", exampleZone)
			w.fail(a, rcode(dns.RcodeServerFailure))
		}
	}
	f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
	if f.Queries > DefaultMaxQueries || len(f.Servers) > maxServers {
		t.Errorf("%d questions to %d servers", f.Queries, len(f.Servers))
	}
	if f.Kind != Undecided || !strings.Contains(f.FullText, "more addresses not asked") && len(f.FullText) < maxFullText-60 {
		t.Errorf("some servers were not asked, so nothing may be claimed: %s %q", f.Kind, f.FullText)
	}
	if len(f.Text) > maxText || len(f.FullText) > maxFullText {
		t.Errorf("texts of %d and %d octets", len(f.Text), len(f.FullText))
	}
}

func TestEndlessReferralsEnd(t *testing.T) {
	// Each question is answered by a referral one label further down.
	p := &Prober{
		Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Roots:   []netip.AddrPort{addrPort(rootAddr)},
		Direct: func(_ context.Context, _ netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
			m := new(dns.Msg).SetReply(q)
			cut := q.Question[0].Name
			m.Ns = zoneRRs(t, cut+" NS ns."+cut)
			m.Extra = zoneRRs(t, "ns."+cut+" A 127.0.0.9")
			return m, nil
		},
	}
	f := p.Probe(t.Context(), strings.Repeat("a.", 120), dns.TypeA)
	if f.Queries > DefaultMaxQueries || len(f.Steps) > maxSteps {
		t.Errorf("%d questions, %d steps", f.Queries, len(f.Steps))
	}
}

func TestReferralsThatLeadNowhereAreNotFollowed(t *testing.T) {
	for _, cut := range []string{".", "org.", "example.net.", "sub.www.example.org."} {
		t.Run("referral to "+cut, func(t *testing.T) {
			w := newWorld(t, delegatedTo2)
			refer := func(q, _ *dns.Msg) (*dns.Msg, error) {
				m := new(dns.Msg).SetReply(q)
				m.Ns = zoneRRs(t, cut+" NS ns.example.net.")
				m.Extra = zoneRRs(t, "ns.example.net. A 127.9.9.9")
				return m, nil
			}
			w.fail(ns1Addr, refer)
			w.fail(ns2Addr, refer)
			if f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Lame {
				t.Errorf("got %s %q, want lame", f.Kind, f.Text)
			}
		})
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"", "a..b.", strings.Repeat("a", 64) + ".org.", "."} {
		w := newWorld(t, delegatedTo2)
		if f := w.prober().Probe(t.Context(), name, dns.TypeA); f.Kind != Undecided {
			t.Errorf("%q: %s", name, f.Kind)
		}
	}
}

// FuzzProbe lets every server answer with outside bytes.
func FuzzProbe(f *testing.F) {
	q := question("www.example.org.", dns.TypeA, true)
	for _, a := range []authority{
		{".": zoneRRs(f, rootZone)},
		{"org.": zoneRRs(f, orgZone(delegatedTo2+signed))},
		{"example.org.": zoneRRs(f, exampleZone)},
	} {
		wire, err := a.reply(q).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, wire)
	}
	f.Fuzz(func(t *testing.T, up, down []byte) {
		p := &Prober{
			Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Roots:   []netip.AddrPort{addrPort(rootAddr)},
			Direct: func(_ context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
				if _, special := SpecialPurpose(a.Addr()); special && !netip.MustParsePrefix("127.0.0.0/8").Contains(a.Addr()) {
					t.Errorf("%s was asked", a)
				}
				wire := down
				if a == addrPort(rootAddr) {
					wire = up
				}
				m := new(dns.Msg)
				if err := m.Unpack(wire); err != nil {
					return nil, ErrReply
				}
				return m, nil
			},
		}
		got := p.Probe(t.Context(), "www.example.org.", dns.TypeA)
		if got.Queries > DefaultMaxQueries || len(got.Text) > maxText || len(got.FullText) > maxFullText {
			t.Errorf("%d questions, texts of %d and %d octets", got.Queries, len(got.Text), len(got.FullText))
		}
	})
}
