package delegation

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// victimAddr is a third party that a hostile zone names as its server.
const victimAddr = "127.0.0.66"

// deepName takes every minimised question that there is.
var deepName = strings.Repeat("a.", 100) + "example.org."

// Whoever writes a zone chooses the addresses of its servers. The questions that
// one diagnosis sends to a third party, by what that one does:
func TestAVictimNamedByAHostileZoneHearsFewQuestions(t *testing.T) {
	const minimised = maxMinimised - 2 // org and example.org are asked of others
	var many strings.Builder
	for i := range 60 {
		fmt.Fprintf(&many, "example.org. NS ns%d.example.org.\nns%d.example.org. A %s\n", i, i, victimAddr)
	}
	deeper := func(q, _ *dns.Msg) (*dns.Msg, error) {
		// It is the attacker's own server after all, and refers to itself for ever.
		m := new(dns.Msg).SetReply(q)
		cut := q.Question[0].Name
		m.Ns = zoneRRs(t, cut+" NS ns."+cut)
		m.Extra = zoneRRs(t, "ns."+cut+" A "+victimAddr)
		return m, nil
	}
	notTheName := func(q, good *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Name == deepName {
			return silent(q, good)
		}
		return good, nil
	}
	for _, tc := range []struct {
		name   string
		victim fault
		most   int
	}{
		{"a silent one", silent, silentTries},
		{"one that refuses the connection", closed, maxTries},
		{"one that refuses", rcode(dns.RcodeRefused), 4},
		{"one that fails", rcode(dns.RcodeServerFailure), 4},
		{"one that answers nonsense", malformed, maxTries},
		{"one whose answers are truncated", truncatedAlways, 7},
		{"one that plays along", deeper, maxMinimised + 2},
		// The question, the SOA, the DNSKEY and the NS, and what shows that nothing is lost.
		{"one that does not answer for the name", notTheName, minimised + maxTries + 3 + maxTries + cleanReplies/2},
		{"one that does not answer for the type", only(dns.TypeA, silent), minimised + maxTries + 3 + maxTries + 1},
		{"one that does not answer with EDNS", noEDNS(silent), 16},
		{"one that rejects EDNS", noEDNS(rcode(dns.RcodeFormatError)), 2*(minimised+4) + bareTries},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, many.String()+signed)
			w.serve(victimAddr, "example.org.", exampleZone+deepName+" TXT deep\n")
			w.fail(victimAddr, tc.victim)
			if n := w.victimHears(deepName); n == 0 || n > tc.most {
				t.Errorf("the victim heard %d questions, at most %d are pinned", n, tc.most)
			} else {
				t.Logf("%d questions", n)
			}
		})
	}
}

// Where another server of the hostile zone answers, it can refer to further zones with the
// same victim: the limit of a probe ends that, and that of a silent server holds.
func TestAnAccompliceOfAHostileZoneIsBounded(t *testing.T) {
	const accomplice = "127.0.0.67"
	for _, tc := range []struct {
		name   string
		victim fault
		most   int
	}{
		{"a silent victim", silent, silentTries},
		{"one that refuses", rcode(dns.RcodeRefused), maxUnserved},
		{"one that says nothing", empty, maxUnserved},
		{"one that refers to the root", toTheRoot, maxUnserved},
		{"one that truncates", truncatedAlways, maxUnserved},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "example.org. NS ns1.example.org.\nexample.org. NS ns2.example.org.\n"+
				"ns1.example.org. A "+victimAddr+"\nns2.example.org. A "+accomplice+"\n"+signed)
			w.serve(victimAddr, "example.org.", exampleZone)
			w.serve(accomplice, "example.org.", exampleZone)
			w.fail(victimAddr, tc.victim)
			var cuts atomic.Int64
			w.fail(accomplice, func(q, _ *dns.Msg) (*dns.Msg, error) {
				m := new(dns.Msg).SetReply(q)
				if m.Authoritative = q.Question[0].Qtype != dns.TypeA; m.Authoritative {
					return m, nil
				}
				cut := lastLabels(deepName, 2+int(cuts.Add(1)))
				m.Ns = zoneRRs(t, cut+" NS ns1."+cut+"\n"+cut+" NS ns2."+cut)
				m.Extra = zoneRRs(t, "ns1."+cut+" A "+victimAddr+"\nns2."+cut+" A "+accomplice)
				return m, nil
			})
			n := w.victimHears(deepName)
			t.Logf("%d questions, %d referrals", n, cuts.Load())
			if n == 0 || n > tc.most || cuts.Load() < 2 {
				t.Errorf("the victim heard %d questions after %d referrals, at most %d are pinned", n, cuts.Load(), tc.most)
			}
		})
	}
}

// victimHears is how many questions reach the victim when name is probed.
func (w *world) victimHears(name string) int {
	var heard atomic.Int64
	p := w.prober()
	direct := p.Direct
	p.Direct = func(ctx context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
		if a.Addr().String() == victimAddr {
			heard.Add(1)
		}
		return direct(ctx, a, q)
	}
	p.Probe(w.t.Context(), name, dns.TypeA)
	return int(heard.Load())
}

// empty is the answer of a server that has nothing to do with the zone.
func empty(q, _ *dns.Msg) (*dns.Msg, error) { return new(dns.Msg).SetReply(q), nil }

// toTheRoot is how old servers refused.
func toTheRoot(q, _ *dns.Msg) (*dns.Msg, error) {
	m := new(dns.Msg).SetReply(q)
	m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "a.root-servers.net."}}
	return m, nil
}

func truncatedAlways(q, good *dns.Msg) (*dns.Msg, error) {
	_, err := closed(q, good)
	return nil, &CutError{err}
}

// Addresses that are not globally routable are never sent to, whoever names them:
// the parent's glue, the zone itself, the resolver, or the roots that it knows.
func TestAddressesOfTheInsideAreNeverSentTo(t *testing.T) {
	inside := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1",
		"3fff::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "4000::1",
	}
	record := func(name, addr string) string {
		if strings.Contains(addr, ":") {
			return name + " AAAA " + addr + "\n"
		}
		return name + " A " + addr + "\n"
	}
	const outside = "198.41.0.4" // a root server; never sent to either: Direct is the test's
	for _, addr := range inside {
		sent := make(map[netip.Addr]int)
		var mu sync.Mutex
		p := &Prober{
			Roots: []netip.AddrPort{addrPort(outside), netip.AddrPortFrom(netip.MustParseAddr(addr), 53)},
			Direct: func(_ context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
				mu.Lock()
				sent[a.Addr()]++
				mu.Unlock()
				if a.Addr().String() != outside {
					return nil, os.ErrDeadlineExceeded
				}
				m := new(dns.Msg).SetReply(q)
				m.Ns = zoneRRs(t, "example.org. NS ns.example.org.\nexample.org. NS ns.example.net.\n")
				m.Extra = zoneRRs(t, record("ns.example.org.", addr))
				return m, nil
			},
			Resolve: func(_ context.Context, q dns.Question) (*dns.Msg, error) {
				m := new(dns.Msg).SetReply(&dns.Msg{Question: []dns.Question{q}})
				m.Answer = zoneRRs(t, record(q.Name, addr))
				return m, nil
			},
		}
		f := p.Probe(t.Context(), "www.example.org.", dns.TypeA)
		if sent[netip.MustParseAddr(outside)] == 0 {
			t.Fatalf("%s: nothing was sent at all", addr)
		}
		for a, n := range sent {
			if a.String() != outside {
				t.Errorf("%d questions to %s, for %s: %s", n, a, addr, f.FullText)
			}
		}
	}
}
