package delegation

import (
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestNameServersOutsideTheZone(t *testing.T) {
	const outside = "example.org. NS ns.example.net.\n"
	addr := "ns.example.net. A " + ns1Addr
	tests := []struct {
		name       string
		delegation string
		setup      func(w *world)
		kind       Kind
		text       string
	}{
		{
			name: "resolved", delegation: outside,
			setup: func(w *world) {
				w.knows("ns.example.net.", dns.TypeA, dns.RcodeSuccess, addr)
				w.knows("ns.example.net.", dns.TypeAAAA, dns.RcodeSuccess, "")
			},
			kind: Healthy, text: "1 of 1 name servers of example.org. answer: ns.example.net. answers, ns1.example.org. answers, ns2.example.org. answers; only the parent lists ns.example.net.",
		},
		{
			name: "resolved through a CNAME", delegation: outside,
			setup: func(w *world) {
				w.knows("ns.example.net.", dns.TypeA, dns.RcodeSuccess, "ns.example.net. CNAME real.example.net.\nreal.example.net. A "+ns1Addr)
				w.fail(ns1Addr, rcode(dns.RcodeRefused))
			},
			kind: Lame, text: "no name server of example.org. gives a usable answer: ns.example.net. REFUSED",
		},
		{
			name: "name does not exist", delegation: outside,
			setup: func(w *world) {
				w.knows("ns.example.net.", dns.TypeA, dns.RcodeNameError, "")
				w.knows("ns.example.net.", dns.TypeAAAA, dns.RcodeNameError, "")
			},
			kind: NoAddress, text: "no name server of example.org. has an address: ns.example.net. no address",
		},
		{
			name: "resolver fails", delegation: outside,
			kind: Undecided, text: "nothing tells whether example.org. or our network is at fault: ns.example.net. address lookup failed",
		},
		{
			name: "resolver silent", delegation: outside,
			setup: func(w *world) {
				for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
					w.known[dns.Question{Name: "ns.example.net.", Qtype: typ, Qclass: dns.ClassINET}] = errors.New("i/o timeout")
				}
			},
			kind: Undecided, text: "not all name servers of example.org. could be asked: ns.example.net. not asked",
		},
		{
			name: "resolved to itself, a private address", delegation: outside,
			setup: func(w *world) {
				w.knows("ns.example.net.", dns.TypeA, dns.RcodeSuccess, "ns.example.net. A 10.1.2.3")
				w.knows("ns.example.net.", dns.TypeAAAA, dns.RcodeSuccess, "")
			},
			kind: Undecided, text: "no name server of example.org. has a public address, and none was asked: ns.example.net. has a special-purpose address (private use 10.0.0.0/8)",
		},
		{
			// org. may not say where names in net. live: 127.9.9.9 must not be asked.
			name: "glue from the wrong side", delegation: outside + "ns.example.net. A 127.9.9.9\n",
			kind: Undecided, text: "nothing tells whether example.org. or our network is at fault: ns.example.net. address lookup failed",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.delegation)
			if tt.setup != nil {
				tt.setup(w)
			}
			f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
			if f.Kind != tt.kind || f.Text != tt.text {
				t.Errorf("got %s %q\nwant %s %q\nsteps %+v", f.Kind, f.Text, tt.kind, tt.text, f.Steps)
			}
		})
	}
}

func TestWithoutAResolverOutsideServersAreNotJudged(t *testing.T) {
	p := newWorld(t, "example.org. NS ns.example.net.\n").prober()
	p.Resolve = nil
	if f := p.Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Undecided {
		t.Errorf("got %s %q", f.Kind, f.Text)
	}
}

// A server of the parent that has the child too answers with no referral.
func TestParentAndChildOnOneServer(t *testing.T) {
	const sub = `
sub.example.org. SOA ns.sub.example.org. nobody.example. 1 1 1 1 1
sub.example.org. NS ns.sub.example.org.
sub.example.org. NS dead.sub.example.org.
ns.sub.example.org. A ` + ns1Addr + `
dead.sub.example.org. A 127.0.2.1
a.b.c.d.e.sub.example.org. A 192.0.2.1
`
	for _, name := range []string{"sub.example.org.", "www.sub.example.org.", "a.b.c.d.e.sub.example.org."} {
		for _, sick := range []bool{false, true} {
			w := newWorld(t, delegatedTo2)
			w.serve(ns1Addr, "sub.example.org.", sub)
			w.serve("127.0.2.1", "sub.example.org.", sub)
			w.fail("127.0.2.1", silent)
			want := Healthy
			if sick {
				// It still has the NS and the addresses, but no data.
				w.fail(ns1Addr, only(dns.TypeTXT, rcode(dns.RcodeServerFailure)))
				want = Lame
			}
			f := w.prober().Probe(t.Context(), name, dns.TypeTXT)
			if f.Kind != want || f.Zone != "sub.example.org." || len(f.Servers) != 2 {
				t.Errorf("%s: got %s %s %q\nsteps %+v", name, f.Kind, f.Zone, f.FullText, f.Steps)
			}
		}
	}
}

func TestApexThatMinimisedQuestionsJumpOverIsFound(t *testing.T) {
	const deep = "8.b.d.0.1.0.0.2.example.org."
	name := strings.Repeat("0.", 24) + deep
	w := newWorld(t, delegatedTo2)
	w.serve(ns1Addr, "example.org.", exampleZone+deep+" NS ns1.example.org.\n")
	w.serve(ns1Addr, deep, deep+" SOA ns.example.net. nobody.example. 1 1 1 1 1\n"+deep+" NS ns1.example.org.\n"+name+" PTR www.example.org.\n")
	w.knows("ns1.example.org.", dns.TypeA, dns.RcodeSuccess, "ns1.example.org. A "+ns1Addr)
	w.knows("ns1.example.org.", dns.TypeAAAA, dns.RcodeSuccess, "")
	f := w.prober().Probe(t.Context(), name, dns.TypePTR)
	if f.Kind != Healthy || f.Zone != deep {
		t.Errorf("got %s %s %q\nsteps %+v", f.Kind, f.Zone, f.FullText, f.Steps)
	}
	if f.Queries > 20 {
		t.Errorf("%d questions for a name of 34 labels", f.Queries)
	}
}

func TestQuestionsToAncestorsAreMinimised(t *testing.T) {
	w := newWorld(t, delegatedTo2)
	w.prober().Probe(t.Context(), "private.example.org.", dns.TypeA)
	for what := range w.asked {
		if strings.Contains(what, "private") && !strings.HasPrefix(what, ns1Addr) && !strings.HasPrefix(what, ns2Addr) {
			t.Errorf("an ancestor was told the name: %s", what)
		}
	}
}

func TestDSIsAskedOfTheParent(t *testing.T) {
	w := newWorld(t, delegatedTo2+signed)
	w.fail(ns1Addr, silent)
	w.fail(ns2Addr, silent)
	f := w.prober().Probe(t.Context(), "example.org.", dns.TypeDS)
	if f.Kind != Healthy || f.Zone != "org." {
		t.Errorf("got %s %s %q", f.Kind, f.Zone, f.Text)
	}
	for _, name := range []string{"org.", "."} {
		if f := w.prober().Probe(t.Context(), name, dns.TypeDS); f.Kind != Undecided {
			t.Errorf("%s DS: got %s %q", name, f.Kind, f.Text)
		}
	}
}

// Private trees, and networks that cannot reach the root, start below it.
func TestProbeStartsAtAnAncestorThatTheResolverKnows(t *testing.T) {
	for name, f := range map[string]fault{"root silent": silent, "root denies the name": rcode(dns.RcodeNameError)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, delegatedTo2)
			w.fail(rootAddr, f)
			w.knows("org.", dns.TypeNS, dns.RcodeSuccess, "org. NS a.nic.org.")
			m := w.known[dns.Question{Name: "org.", Qtype: dns.TypeNS, Qclass: dns.ClassINET}].(*dns.Msg)
			m.Extra = zoneRRs(t, "a.nic.org. A "+orgAddr)
			w.fail(ns1Addr, rcode(dns.RcodeRefused))
			w.fail(ns2Addr, rcode(dns.RcodeRefused))
			if f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Lame || f.Zone != "example.org." {
				t.Errorf("got %s %s %q\nsteps %+v", f.Kind, f.Zone, f.Text, f.Steps)
			}
		})
	}
}

func TestNXDOMAINIsAnAnswer(t *testing.T) {
	w := newWorld(t, delegatedTo2)
	f := w.prober().Probe(t.Context(), "no.such.example.org.", dns.TypeA)
	const want = "2 of 2 name servers of example.org. answer: ns1.example.org. answers NXDOMAIN, ns2.example.org. answers NXDOMAIN"
	if f.Kind != Healthy || f.Text != want {
		t.Errorf("got %s %q", f.Kind, f.Text)
	}
}
