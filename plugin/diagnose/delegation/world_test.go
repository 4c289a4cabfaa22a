package delegation

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// authority serves zones as a name server does that has them all.
type authority map[string][]dns.RR

func zoneRRs(t testing.TB, text string) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	zp := dns.NewZoneParser(strings.NewReader("$TTL 60\n"+text), ".", "")
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		rrs = append(rrs, rr)
	}
	if err := zp.Err(); err != nil {
		t.Fatal(err)
	}
	return rrs
}

func owned(rrs []dns.RR, owner string, qtype uint16) (out []dns.RR) {
	for _, rr := range rrs {
		if rr.Header().Name == owner && (qtype == dns.TypeANY || rr.Header().Rrtype == qtype) {
			out = append(out, rr)
		}
	}
	return out
}

func (a authority) reply(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	name, qtype := dns.CanonicalName(q.Question[0].Name), q.Question[0].Qtype
	apex := ""
	for z := range a {
		parentSide := qtype == dns.TypeDS && z == name && z != "."
		if dns.IsSubDomain(z, name) && !parentSide && (apex == "" || dns.IsSubDomain(apex, z)) {
			apex = z
		}
	}
	if apex == "" {
		m.Rcode = dns.RcodeRefused
		return m
	}
	rrs := a[apex]
	for n := dns.CountLabel(apex) + 1; n <= dns.CountLabel(name); n++ {
		cut := lastLabels(name, n)
		ns := owned(rrs, cut, dns.TypeNS)
		if len(ns) == 0 || cut == name && qtype == dns.TypeDS {
			continue
		}
		m.Ns = append(ns, owned(rrs, cut, dns.TypeDS)...)
		for _, rr := range ns {
			target := rr.(*dns.NS).Ns
			m.Extra = append(m.Extra, owned(rrs, target, dns.TypeA)...)
			m.Extra = append(m.Extra, owned(rrs, target, dns.TypeAAAA)...)
		}
		return m
	}
	m.Authoritative = true
	m.Answer = owned(rrs, name, qtype)
	if len(m.Answer) > 0 {
		return m
	}
	m.Ns = owned(rrs, apex, dns.TypeSOA)
	for _, rr := range rrs {
		if dns.IsSubDomain(name, rr.Header().Name) {
			return m
		}
	}
	m.Rcode = dns.RcodeNameError
	return m
}

// fault changes what a server does with q; good is what it should send.
type fault func(q, good *dns.Msg) (*dns.Msg, error)

func silent(_, _ *dns.Msg) (*dns.Msg, error) { return nil, os.ErrDeadlineExceeded }

func closed(_, _ *dns.Msg) (*dns.Msg, error) {
	return nil, &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
}

func noRoute(_, _ *dns.Msg) (*dns.Msg, error) {
	return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
}

func barred(_, _ *dns.Msg) (*dns.Msg, error) {
	return nil, &net.OpError{Op: "write", Err: os.NewSyscallError("sendto", syscall.EPERM)}
}

// truncating servers answer over UDP, and over TCP do what f does. Without EDNS the answer
// has room.
func truncating(f fault) fault {
	return noEDNS(func(q, good *dns.Msg) (*dns.Msg, error) {
		_, err := f(q, good)
		return nil, &CutError{err}
	})
}

func malformed(_, _ *dns.Msg) (*dns.Msg, error) { return nil, fmt.Errorf("%w: id", ErrReply) }

func rcode(code int) fault {
	return func(q, _ *dns.Msg) (*dns.Msg, error) { return new(dns.Msg).SetRcode(q, code), nil }
}

// only applies f to questions of one type.
func only(qtype uint16, f fault) fault {
	return func(q, good *dns.Msg) (*dns.Msg, error) {
		if q.Question[0].Qtype == qtype {
			return f(q, good)
		}
		return good, nil
	}
}

func noEDNS(f fault) fault {
	return func(q, good *dns.Msg) (*dns.Msg, error) {
		if q.IsEdns0() != nil {
			return f(q, good)
		}
		return good, nil
	}
}

func notAuthoritative(_, good *dns.Msg) (*dns.Msg, error) {
	good.Authoritative = false
	return good, nil
}

func upward(q, _ *dns.Msg) (*dns.Msg, error) {
	m := new(dns.Msg).SetReply(q)
	m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET}, Ns: "a.root-servers.net."}}
	return m, nil
}

// world is an in-memory tree of name servers. It fails the test when an address
// is asked that is none of them.
type world struct {
	t       testing.TB
	servers map[netip.Addr]authority
	faults  map[netip.Addr]fault
	known   map[dns.Question]any // what the resolver says: *dns.Msg or error

	noTCP map[netip.Addr]bool // servers that do not answer over TCP

	mu    sync.Mutex
	asked map[string]int // server and question
}

const (
	rootAddr = "127.0.0.1"
	orgAddr  = "127.0.0.2"
	org6Addr = "::1"
	ns1Addr  = "127.0.1.1"
	ns2Addr  = "127.0.2.2" // in another network
)

const rootZone = `
. SOA a.root-servers.net. nobody.example. 1 1 1 1 1
. NS a.root-servers.net.
org. NS a.nic.org.
a.nic.org. A ` + orgAddr + `
arpa. NS a.nic.org.
net. NS a.nic.org.
`

func orgZone(delegation string) string {
	return `
org. SOA a.nic.org. nobody.example. 1 1 1 1 1
org. NS a.nic.org.
a.nic.org. A ` + orgAddr + `
` + delegation
}

const delegatedTo2 = `
example.org. NS ns1.example.org.
example.org. NS ns2.example.org.
ns1.example.org. A ` + ns1Addr + `
ns2.example.org. A ` + ns2Addr + `
`

const exampleZone = `
example.org. SOA ns1.example.org. nobody.example. 10 1 1 1 1
example.org. NS ns1.example.org.
example.org. NS ns2.example.org.
example.org. DNSKEY 257 3 13 aaaa
ns1.example.org. A ` + ns1Addr + `
ns2.example.org. A ` + ns2Addr + `
www.example.org. A 192.0.2.80
`

const signed = "example.org. DS 1 13 2 aabbccdd\n"

// newWorld has root, org and example.org with two servers, the latter delegated
// as given.
func newWorld(t testing.TB, delegation string) *world {
	t.Helper()
	w := &world{
		t:       t,
		servers: map[netip.Addr]authority{},
		faults:  map[netip.Addr]fault{},
		known:   map[dns.Question]any{},
		noTCP:   map[netip.Addr]bool{},
		asked:   map[string]int{},
	}
	w.serve(rootAddr, ".", rootZone)
	w.serve(orgAddr, "org.", orgZone(delegation))
	w.serve(ns1Addr, "example.org.", exampleZone)
	w.serve(ns2Addr, "example.org.", exampleZone)
	return w
}

func (w *world) serve(addr, apex, text string) {
	w.t.Helper()
	a := netip.MustParseAddr(addr)
	if w.servers[a] == nil {
		w.servers[a] = authority{}
	}
	w.servers[a][apex] = zoneRRs(w.t, text)
}

func (w *world) fail(addr string, f fault) { w.faults[netip.MustParseAddr(addr)] = f }

func (w *world) count(a netip.AddrPort, q *dns.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[a.String()+" "+q.Question[0].Name+" "+dns.Type(q.Question[0].Qtype).String()]++
	w.asked["all"]++
}

func (w *world) direct(_ context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	w.count(a, q)
	zones, ok := w.servers[a.Addr()]
	if !ok {
		w.t.Errorf("%s was asked for %s", a, q.Question[0].Name)
		return nil, os.ErrDeadlineExceeded
	}
	if q.RecursionDesired {
		w.t.Errorf("%s was asked to recurse", a)
	}
	good := zones.reply(q)
	if f := w.faults[a.Addr()]; f != nil {
		return f(q, good)
	}
	return good, nil
}

// tcp is direct over TCP alone.
func (w *world) tcp(ctx context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	if w.noTCP[a.Addr()] {
		w.count(a, q)
		return nil, os.ErrDeadlineExceeded
	}
	return w.direct(ctx, a, q)
}

func (w *world) resolve(_ context.Context, q dns.Question) (*dns.Msg, error) {
	w.mu.Lock()
	w.asked["all"]++
	w.mu.Unlock()
	switch known := w.known[q].(type) {
	case error:
		return nil, known
	case *dns.Msg:
		return known, nil
	}
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: dns.RcodeServerFailure}}, nil
}

// knows makes the resolver answer a question with records, or if there are none
// with the RCODE.
func (w *world) knows(name string, qtype uint16, code int, text string) {
	w.t.Helper()
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: code}}
	m.Answer = zoneRRs(w.t, text)
	w.known[dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}] = m
}

func (w *world) prober() *Prober {
	return &Prober{
		Direct:  w.direct,
		TCP:     w.tcp,
		Resolve: w.resolve,
		Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Roots:   []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(rootAddr), 53)},
	}
}
