package delegation

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestVerdictOnAZone(t *testing.T) {
	const v6 = "example.org. NS ns6.example.org.\nns6.example.org. AAAA 2600::53\n"
	both := func(f fault) func(*world) {
		return func(w *world) { w.fail(ns1Addr, f); w.fail(ns2Addr, f) }
	}
	tests := []struct {
		name       string
		delegation string // delegatedTo2 if empty
		setup      func(w *world)
		qtype      uint16 // A if zero
		kind       Kind
		codes      []uint16
		text       string
	}{
		{
			name: "both servers answer",
			kind: Healthy,
			text: "2 of 2 name servers of example.org. answer: ns1.example.org. answers, ns2.example.org. answers",
		},
		{
			name: "port closed on both", setup: both(closed),
			kind: Unreachable, codes: []uint16{22},
			text: "no name server of example.org. answers: ns1.example.org. port closed, ns2.example.org. port closed",
		},
		{
			name: "both silent", setup: both(silent),
			kind: Unreachable, codes: []uint16{22},
			text: "no name server of example.org. answers: ns1.example.org. timed out, ns2.example.org. timed out",
		},
		{
			name: "both silent in a signed zone", delegation: delegatedTo2 + signed, setup: both(silent),
			kind: Unreachable, codes: []uint16{22},
			text: "no name server of example.org. answers: ns1.example.org. timed out, ns2.example.org. timed out",
		},
		{
			name: "one closed, one answers", setup: func(w *world) { w.fail(ns2Addr, closed) },
			kind: Healthy,
			text: "1 of 2 name servers of example.org. answer: ns1.example.org. answers, ns2.example.org. port closed",
		},
		{
			name: "one silent, one answers", setup: func(w *world) { w.fail(ns1Addr, silent) },
			kind: Healthy,
			text: "1 of 2 name servers of example.org. answer: ns1.example.org. timed out, ns2.example.org. answers",
		},
		{
			name: "both REFUSED", setup: both(rcode(dns.RcodeRefused)),
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. REFUSED, ns2.example.org. REFUSED",
		},
		{
			name: "both have the zone and fail the question", setup: both(func(q, good *dns.Msg) (*dns.Msg, error) {
				if q.Question[0].Qtype == dns.TypeA {
					return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure), nil
				}
				return good, nil
			}),
			kind: Lame, codes: []uint16{22},
			text: "the name servers of example.org. have the zone, and give no usable answer to this question: ns1.example.org. SERVFAIL, ns2.example.org. SERVFAIL",
		},
		{
			name: "one SERVFAIL, one silent", setup: func(w *world) {
				w.fail(ns1Addr, rcode(dns.RcodeServerFailure))
				w.fail(ns2Addr, silent)
			},
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. SERVFAIL, ns2.example.org. timed out",
		},
		{
			name: "NOTAUTH, and answers without AA", setup: func(w *world) {
				w.fail(ns1Addr, rcode(dns.RcodeNotAuth))
				w.fail(ns2Addr, notAuthoritative)
			},
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. not authoritative, ns2.example.org. not authoritative",
		},
		{
			name: "upward referral, and NOTIMP", setup: func(w *world) {
				w.fail(ns1Addr, upward)
				w.fail(ns2Addr, rcode(dns.RcodeNotImplemented))
			},
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. refers upward, ns2.example.org. NOTIMP",
		},
		{
			name: "FORMERR with and without EDNS, and replies that do not fit", setup: func(w *world) {
				w.fail(ns1Addr, rcode(dns.RcodeFormatError))
				w.fail(ns2Addr, malformed)
			},
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. FORMERR, ns2.example.org. malformed reply",
		},
		{
			name: "FORMERR to EDNS alone is no fault of an unsigned zone", setup: both(noEDNS(rcode(dns.RcodeFormatError))),
			kind: Healthy,
			text: "2 of 2 name servers of example.org. answer: ns1.example.org. answers only without EDNS, ns2.example.org. answers only without EDNS",
		},
		{
			name: "FORMERR to EDNS in a signed zone", delegation: delegatedTo2 + signed, setup: both(noEDNS(rcode(dns.RcodeFormatError))),
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. answers with EDNS, which DNSSEC needs: ns1.example.org. answers only without EDNS, ns2.example.org. answers only without EDNS",
		},
		{
			name: "servers that drop EDNS answer the last try", setup: both(noEDNS(silent)),
			kind: Healthy,
			text: "2 of 2 name servers of example.org. answer: ns1.example.org. answers only without EDNS, ns2.example.org. answers only without EDNS",
		},
		{
			name: "silent for DNSKEY in a signed zone", delegation: delegatedTo2 + signed, setup: both(only(dns.TypeDNSKEY, silent)),
			kind: DNSKEYUnavailable, codes: []uint16{22},
			text: "no name server of example.org. that answers gives its DNSKEY: ns1.example.org. answers, ns2.example.org. answers",
		},
		{
			name: "DNSKEY refused by one of two", delegation: delegatedTo2 + signed, setup: func(w *world) {
				w.fail(ns2Addr, only(dns.TypeDNSKEY, rcode(dns.RcodeRefused)))
			},
			kind: Healthy,
			text: "2 of 2 name servers of example.org. answer: ns1.example.org. answers, ns2.example.org. answers",
		},
		{
			name: "silent for the question alone", setup: both(only(dns.TypeMX, silent)), qtype: dns.TypeMX,
			kind: Lame, codes: []uint16{22},
			text: "no name server of example.org. gives a usable answer: ns1.example.org. timed out, though it answers for the SOA, ns2.example.org. timed out, though it answers for the SOA",
		},
		{
			name: "in-domain name servers without glue", delegation: "example.org. NS ns1.example.org.\n",
			kind: NoAddress, codes: []uint16{22},
			text: "no name server of example.org. has an address: ns1.example.org. no address",
		},
		{
			name: "IPv6 silent without a control, IPv4 REFUSED", delegation: "example.org. NS ns1.example.org.\nns1.example.org. A " + ns1Addr + "\n" + v6,
			setup: func(w *world) {
				w.fail(ns1Addr, rcode(dns.RcodeRefused))
				w.serve("2600::53", "example.org.", exampleZone)
				w.fail("2600::53", noRoute)
			},
			kind: Undecided,
			text: "not all name servers of example.org. could be judged: ns1.example.org. REFUSED, ns6.example.org. no route (not judged)",
		},
		{
			name: "IPv6 alone, silent, without a control", delegation: v6,
			setup: func(w *world) {
				w.serve("2600::53", "example.org.", exampleZone)
				w.fail("2600::53", silent)
			},
			kind: Undecided,
			text: "nothing tells whether example.org. or our network is at fault: ns6.example.org. timed out (not judged)",
		},
		{
			name: "the parent falls silent too", setup: func(w *world) {
				both(silent)(w)
				w.fail(orgAddr, onlyFirst(1))
				w.fail(rootAddr, onlyFirst(1))
			},
			kind: Undecided,
			text: "nothing tells whether example.org. or our network is at fault: ns1.example.org. timed out (not judged), ns2.example.org. timed out (not judged)",
		},
		{
			name: "the root is silent", setup: func(w *world) { w.fail(rootAddr, silent) },
			kind: Undecided,
			text: "no server of . could be reached, and nothing tells whether our network is at fault",
		},
		{
			name: "the zone above is lame", setup: func(w *world) { w.fail(orgAddr, rcode(dns.RcodeServerFailure)) },
			kind: Lame, codes: []uint16{22},
			text: "no name server of org. gives a usable answer: a.nic.org. SERVFAIL",
		},
		{
			name: "serials that differ are a note", setup: func(w *world) { w.serve(ns2Addr, "example.org.", lagging) },
			kind: Healthy,
			text: "2 of 2 name servers of example.org. answer: ns1.example.org. answers, ns2.example.org. answers; SOA serials differ: ns1.example.org. has 10, ns2.example.org. has 7 (3 behind)",
		},
		{
			name: "the failing server is the lagging one", setup: func(w *world) {
				w.serve(ns2Addr, "example.org.", lagging)
				w.fail(ns2Addr, only(dns.TypeA, rcode(dns.RcodeServerFailure)))
			},
			kind: SerialMismatch, codes: []uint16{0},
			text: "example.org. SOA serials differ: ns1.example.org. has 10, ns2.example.org. has 7 (3 behind)",
		},
		{
			name: "the failing server is not the lagging one", setup: func(w *world) {
				w.serve(ns2Addr, "example.org.", lagging)
				w.fail(ns1Addr, only(dns.TypeA, rcode(dns.RcodeServerFailure)))
			},
			kind: Healthy,
			text: "1 of 2 name servers of example.org. answer: ns1.example.org. SERVFAIL, ns2.example.org. answers; SOA serials differ: ns1.example.org. has 10, ns2.example.org. has 7 (3 behind)",
		},
		{
			name: "parent and child list different servers", delegation: "example.org. NS ns1.example.org.\nexample.org. NS old.example.org.\nns1.example.org. A " + ns1Addr + "\nold.example.org. A " + ns1Addr + "\n",
			kind: Healthy,
			text: "1 of 1 name servers of example.org. answer: ns1.example.org. answers, ns2.example.org. answers; only the parent lists old.example.org.; only the zone lists ns2.example.org.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.delegation == "" {
				tt.delegation = delegatedTo2
			}
			w := newWorld(t, tt.delegation)
			if tt.setup != nil {
				tt.setup(w)
			}
			if tt.qtype == 0 {
				tt.qtype = dns.TypeA
			}
			f := w.prober().Probe(t.Context(), "www.example.org.", tt.qtype)
			if f.Kind != tt.kind || !slices.Equal(f.Codes, tt.codes) || f.Text != tt.text {
				t.Errorf("got %s %v %q\nwant %s %v %q\nsteps %+v", f.Kind, f.Codes, f.Text, tt.kind, tt.codes, tt.text, f.Steps)
			}
			if f.Control != (len(tt.codes) > 0) {
				t.Errorf("Control is %v", f.Control)
			}
			if f.Queries != w.asked["all"] {
				t.Errorf("Queries is %d, %d were asked", f.Queries, w.asked["all"])
			}
			for what, n := range w.asked {
				// Silence is asked about with other EDNS sizes, too.
				if n > silentTries && what != "all" {
					t.Errorf("%s was asked %d times", what, n)
				}
			}
		})
	}
}

const lagging = `
example.org. SOA ns1.example.org. nobody.example. 7 1 1 1 1
example.org. NS ns1.example.org.
example.org. NS ns2.example.org.
www.example.org. A 192.0.2.80
`

// onlyFirst lets a server answer n questions and then fall silent.
func onlyFirst(n int) fault {
	return func(q, good *dns.Msg) (*dns.Msg, error) {
		if n--; n >= 0 {
			return good, nil
		}
		return silent(q, good)
	}
}

func TestSilentServerGetsSixTriesInAll(t *testing.T) {
	w := newWorld(t, delegatedTo2)
	w.fail(ns1Addr, silent)
	w.fail(ns2Addr, silent)
	w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
	tries := map[string]int{}
	for what, n := range w.asked {
		for _, a := range []string{ns1Addr, ns2Addr} {
			if len(what) > len(a) && what[:len(a)+1] == a+":" {
				tries[a] += n
			}
		}
	}
	if tries[ns1Addr] != silentTries || tries[ns2Addr] != silentTries {
		t.Errorf("silent servers were asked %v times, want %d each", tries, silentTries)
	}
}

func TestSilentIPv6ServerIsJudgedByAnIPv6Control(t *testing.T) {
	for _, held := range []bool{true, false} {
		w := newWorld(t, "example.org. NS ns1.example.org.\nns1.example.org. AAAA 2600::53\n")
		w.serve(rootAddr, ".", rootZone+"a.nic.org. AAAA 2600::2\n")
		w.serve("2600::2", "org.", orgZone("example.org. NS ns1.example.org.\nns1.example.org. AAAA 2600::53\n"))
		w.serve("2600::53", "example.org.", exampleZone)
		w.fail("2600::53", silent)
		want := Unreachable
		if !held {
			w.fail("2600::2", silent)
			want = Undecided
		}
		f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
		if f.Kind != want {
			t.Errorf("control held %v: got %s %q, want %s", held, f.Kind, f.FullText, want)
		}
	}
}

func TestPrivateServerIsNotJudgedByAPublicControl(t *testing.T) {
	w := newWorld(t, delegatedTo2)
	w.fail(ns1Addr, silent)
	w.fail(ns2Addr, silent)
	w.serve("9.9.9.1", ".", "org. NS a.nic.org.\na.nic.org. A 9.9.9.2\n")
	w.serve("9.9.9.2", "org.", orgZone(delegatedTo2))
	p := w.prober()
	p.Roots[0] = addrPort("9.9.9.1")
	if f := p.Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Undecided {
		t.Errorf("got %s %q, want undecided", f.Kind, f.FullText)
	}
}

func TestFullTextHasAddressesAndTextHasNone(t *testing.T) {
	w := newWorld(t, delegatedTo2)
	w.fail(ns1Addr, rcode(dns.RcodeRefused))
	w.fail(ns2Addr, closed)
	f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
	const want = "no name server of example.org. gives a usable answer: ns1.example.org. (127.0.1.1) REFUSED, ns2.example.org. (127.0.2.2) port closed"
	if f.FullText != want {
		t.Errorf("FullText is %q\nwant %q", f.FullText, want)
	}
}
