package delegation

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// silentFor servers say nothing to questions for a name.
func silentFor(name string) fault {
	return func(q, good *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name == name {
			return silent(q, good)
		}
		return good, nil
	}
}

// What this host, its site or the way from here may have done is not held against a zone.
func TestTheWayFromHereIsNotHeldAgainstAZone(t *testing.T) {
	const (
		near      = "127.0.1.2" // in the network of ns1
		neighbour = "example.org. NS ns1.example.org.\nexample.org. NS ns2.example.org.\nns1.example.org. A " + ns1Addr + "\nns2.example.org. A " + near + "\n"
		one       = "example.org. NS ns1.example.org.\nns1.example.org. A " + ns1Addr + "\n"
		dual      = one + "ns1.example.org. AAAA 2600::53\n"
	)
	// all lets each server of the zone fail in the same way.
	all := func(f fault) func(*world) {
		return func(w *world) {
			for _, a := range []string{ns1Addr, ns2Addr, near} {
				w.fail(a, f)
			}
		}
	}
	noTCP := func(f fault, at ...string) func(*world) {
		return func(w *world) {
			all(f)(w)
			for _, a := range at {
				w.noTCP[netip.MustParseAddr(a)] = true
			}
		}
	}
	for _, tc := range []struct {
		name, delegation string
		setup            func(w *world)
		kind             Kind
		fromHere         bool
		text             string // how it begins
	}{
		{"no route", neighbour, all(noRoute), Undecided, false, "there is no route from here to the name servers of example.org.: ns1.example.org. no route (not judged)"},
		{"no route to several networks", delegatedTo2, all(noRoute), Undecided, false, "there is no route from here to "},
		{"a filter of this host", delegatedTo2, all(barred), Undecided, false, "this host lets nothing out to the name servers of example.org.: ns1.example.org. not let out by this host (not judged)"},
		{"no route to one, and silence of the other", delegatedTo2, func(w *world) { w.fail(ns1Addr, noRoute); w.fail(ns2Addr, silent) }, Undecided, false, "not all name servers of example.org. could be judged: "},
		{"no route to one, and REFUSED of the other", delegatedTo2, func(w *world) { w.fail(ns1Addr, noRoute); w.fail(ns2Addr, rcode(dns.RcodeRefused)) }, Undecided, false, "not all name servers of example.org. could be judged: "},
		{"no route over IPv6, and REFUSED over IPv4", dual, func(w *world) { all(rcode(dns.RcodeRefused))(w); w.fail("2600::53", noRoute) }, Lame, false, "no name server of example.org. gives a usable answer: "},
		{"no route for DNSKEY alone", neighbour + signed, all(only(dns.TypeDNSKEY, noRoute)), Healthy, false, ""},

		{"closed in one network", neighbour, all(closed), Unreachable, true, "from here, no name server of example.org. answers: ns1.example.org. port closed"},
		{"closed in two networks", delegatedTo2, all(closed), Unreachable, false, "no name server of example.org. answers: "},
		{"silent in one network", neighbour, all(silent), Unreachable, true, "from here, no name server of example.org. answers: "},
		{"silent in two networks", delegatedTo2, all(silent), Unreachable, false, "no name server of example.org. answers: "},
		{"silent here and closed there", delegatedTo2, func(w *world) { w.fail(ns1Addr, silent); w.fail(ns2Addr, closed) }, Unreachable, false, "no name server of example.org. answers: "},
		{"SERVFAIL and silence in one network", neighbour, func(w *world) { w.fail(ns1Addr, rcode(dns.RcodeServerFailure)); w.fail(near, silent) }, Lame, true, "from here, no name server of "},
		{"SERVFAIL and silence in two networks", delegatedTo2, func(w *world) { w.fail(ns1Addr, rcode(dns.RcodeServerFailure)); w.fail(ns2Addr, silent) }, Lame, false, "no name server of "},
		{"REFUSED by the only server", one, all(rcode(dns.RcodeRefused)), Lame, false, "no name server of "},
		{"silent to the question alone", neighbour, all(silentFor("www.example.org.")), Lame, true, "from here, no name server of "},
		{"silent for DNSKEY alone", neighbour + signed, all(only(dns.TypeDNSKEY, silent)), DNSKEYUnavailable, true, "from here, no name server of "},
		{"DNSKEY refused", neighbour + signed, all(only(dns.TypeDNSKEY, rcode(dns.RcodeRefused))), DNSKEYUnavailable, false, "no name server of "},
		{"silent to EDNS", neighbour + signed, all(noEDNS(silent)), Lame, true, "from here, no name server of example.org. answers with EDNS"},
		{"FORMERR to EDNS", neighbour + signed, all(noEDNS(rcode(dns.RcodeFormatError))), Lame, false, "no name server of example.org. answers with EDNS"},

		{"truncated, and TCP closed everywhere", delegatedTo2 + signed, noTCP(truncating(closed), orgAddr, rootAddr), Undecided, false, "perhaps no server answers over TCP here, so nothing follows from what the servers of example.org. do: ns1.example.org. answers truncated, and not over TCP"},
		{"truncated, and TCP lost everywhere", delegatedTo2 + signed, noTCP(truncating(silent), orgAddr, rootAddr), Undecided, false, "perhaps no server answers over TCP here"},
		{"truncated, and TCP closed at one server above", delegatedTo2 + signed, noTCP(truncating(silent), orgAddr), Undecided, false, "perhaps no server answers over TCP here"},
		{"truncated, and TCP closed at the zone's servers alone", delegatedTo2 + signed, noTCP(truncating(closed)), Lame, false, "no name server of example.org. gives a usable answer: ns1.example.org. answers truncated, and not over TCP"},
		{"truncated, and TCP closed in one network", neighbour + signed, noTCP(truncating(closed)), Lame, true, "from here, no name server of "},
		{"DNSKEY truncated, and TCP closed everywhere", delegatedTo2 + signed, noTCP(only(dns.TypeDNSKEY, truncating(closed)), orgAddr, rootAddr), Undecided, false, "perhaps no server answers over TCP here"},
		{"DNSKEY truncated, and TCP closed at the zone's servers alone", delegatedTo2 + signed, noTCP(only(dns.TypeDNSKEY, truncating(closed))), DNSKEYUnavailable, false, "no name server of "},

		{"a special address next to REFUSED", "example.org. NS ns1.example.org.\nexample.org. NS ns2.example.org.\nns1.example.org. A " + ns1Addr + "\nns2.example.org. A 10.0.0.53\n",
			all(rcode(dns.RcodeRefused)), Undecided, false, "not all name servers of example.org. could be judged: ns1.example.org. REFUSED, ns2.example.org. has a special-purpose address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, tc.delegation)
			w.serve("2600::53", "example.org.", exampleZone)
			if tc.delegation != delegatedTo2 {
				for _, a := range []string{ns1Addr, near} {
					w.serve(a, "example.org.", strings.ReplaceAll(exampleZone, ns2Addr, near))
				}
			}
			tc.setup(w)
			f := w.prober().Probe(t.Context(), "www.example.org.", dns.TypeA)
			if f.Kind != tc.kind || f.FromHere != tc.fromHere || !strings.HasPrefix(f.Text, tc.text) {
				t.Errorf("got %s, from here %v, %q\nwant %s, %v, %q", f.Kind, f.FromHere, f.Text, tc.kind, tc.fromHere, tc.text)
			}
			if f.Queries > DefaultMaxQueries {
				t.Errorf("%d questions", f.Queries)
			}
		})
	}
}

// Nothing is asked over TCP where nothing was truncated.
func TestTCPIsControlledOnlyAfterATruncatedAnswer(t *testing.T) {
	for _, f := range []fault{nil, silent, closed, rcode(dns.RcodeRefused), noEDNS(silent)} {
		w := newWorld(t, delegatedTo2+signed)
		w.fail(ns1Addr, f)
		w.fail(ns2Addr, f)
		p := w.prober()
		p.TCP = func(context.Context, netip.AddrPort, *dns.Msg) (*dns.Msg, error) {
			t.Error("asked over TCP")
			return nil, os.ErrDeadlineExceeded
		}
		p.Probe(t.Context(), "www.example.org.", dns.TypeA)
	}
}

// A server whose answer is truncated over UDP and lost over TCP answers the last try, which
// goes without EDNS, while the first still waits for TCP. It is one that answers with EDNS.
func TestATruncatedAnswerIsOneWithEDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, delegatedTo2+signed)
		p := w.prober()
		var mu sync.Mutex
		p.Direct = func(ctx context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
			mu.Lock()
			m, err := w.direct(ctx, a, q)
			mu.Unlock()
			if a.Addr().String() != ns1Addr || q.IsEdns0() == nil {
				return m, err
			}
			select {
			case <-ctx.Done():
				return nil, &CutError{ctx.Err()}
			case <-time.After(700 * time.Millisecond):
				return nil, &CutError{os.ErrDeadlineExceeded}
			}
		}
		r := newRun(t.Context(), p)
		rep := r.ask(t.Context(), server{"ns1.example.org.", addrPort(ns1Addr)}, "example.org.", "www.example.org.", dns.TypeA, maxTries)
		if rep.outcome != Cut {
			t.Errorf("got %s", rep.outcome)
		}
	})
}
