package observe

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/miekg/dns"
)

const (
	// maxFlights is how many questions under way a circle follows.
	maxFlights = 1024
	// provenAfter is how many different questions in a row have to fail and to have
	// come back meanwhile, until it is a circle: of one, a client behind the upstream's
	// address may have asked the same by chance.
	provenAfter = 3
)

// circle finds out whether the upstreams of one tap ask this server what it asks them. It
// costs a look at the client's address until an upstream's own address asks something that
// is to be forwarded to it. A client at an upstream's address proves nothing: it may be a
// program there, or many clients behind one address. What such a client asks counts only
// while somebody else waits for the same.
type circle struct {
	addrs map[netip.Addr]bool
	// suspected is true once an upstream's address has asked.
	suspected atomic.Bool

	mu      sync.Mutex
	flights map[dns.Question]*flight
	// row is how many different questions in a row came back and failed, last the last
	// of them.
	row  int
	last dns.Question
}

// flight is a question that the upstreams are being asked for somebody else.
type flight struct {
	question dns.Question
	waiting  int
	// from is the upstream that asked it meanwhile.
	from netip.Addr
}

func newCircle(sets []upstreamSet) *circle {
	c := &circle{addrs: make(map[netip.Addr]bool), flights: make(map[dns.Question]*flight)}
	for _, set := range sets {
		for _, addr := range set.addrs {
			if a, err := netip.ParseAddrPort(addr); err == nil {
				c.addrs[a.Addr().Unmap().WithZone("")] = true
			}
		}
	}
	return c
}

// begin notes that the upstreams are about to be asked q for client. It returns nil where
// nothing is suspected, and for what an upstream asks.
func (c *circle) begin(client netip.Addr, q dns.Question) *flight {
	fromUpstream := c.addrs[client]
	if !fromUpstream && !c.suspected.Load() {
		return nil
	}
	q.Name = strings.ToLower(q.Name)
	c.suspected.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[q]
	if fromUpstream {
		if f != nil {
			f.from = client
		}
		return nil
	}
	if f == nil {
		if len(c.flights) >= maxFlights {
			// A query whose plugin panicked never ended. Begin anew.
			clear(c.flights)
			c.row = 0
		}
		f = &flight{question: q}
		c.flights[q] = f
	}
	f.waiting++
	return f
}

// end notes how that ended, and returns the upstream that was proven to send questions
// back; the zero value is none.
func (c *circle) end(f *flight, failed bool) (from netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting == 0 && c.flights[f.question] == f {
		delete(c.flights, f.question)
	}
	switch back := f.from.IsValid(); {
	case back != failed:
		c.row = 0
	case back && f.question != c.last:
		c.row, c.last = c.row+1, f.question
	}
	if !failed || c.row < provenAfter {
		return netip.Addr{}
	}
	return f.from
}

// clientOf is the address of the run's client, the zero value if it has none.
func (run *Run) clientOf() netip.Addr {
	if run.ResponseWriter == nil {
		return netip.Addr{}
	}
	if addr, ok := run.ResponseWriter.RemoteAddr().(interface{ AddrPort() netip.AddrPort }); ok {
		return addr.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// sentBack reports whether the upstream at addr was proven to send back what it is asked.
func (a asked) sentBack(addr string) bool {
	up, err := netip.ParseAddrPort(addr)
	return err == nil && a.back.IsValid() && up.Addr().Unmap().WithZone("") == a.back
}

// listening holds the addresses that this process listens on, of the instance
// that started last. There is one process, so there is one set.
var listening atomic.Pointer[[]netip.AddrPort]

// SetListeners takes note of the addresses that instance listens on. It is to
// be called when the instance has started.
func SetListeners(instance *caddy.Instance) {
	var addrs []netip.AddrPort
	for _, server := range instance.Servers() {
		for _, addr := range []net.Addr{server.Addr(), server.LocalAddr()} {
			if addr == nil {
				continue
			}
			if a, err := netip.ParseAddrPort(addr.String()); err == nil {
				addrs = append(addrs, a)
			}
		}
	}
	listening.Store(&addrs)
}

// comesBack reports whether a query that run sent to upstream was bound to come
// back to the block that sent it. That the process listens there proves
// nothing, since one block may forward to another. It is proven where the
// listener is the one that the query itself came to and the question is
// unchanged, and where the Corefile shows a circle.
func (run *Run) comesBack(upstream string, asked dns.Question) bool {
	if run.ladder.Circle && listensOn(upstream) {
		return true
	}
	server, ok := run.Context.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok || asked != run.Question() || metrics.WithView(run.Context) != "" {
		return false
	}
	_, addr, _ := strings.Cut(server.Addr, "://")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "" {
		addr = net.JoinHostPort("::", port)
	}
	listener, err := netip.ParseAddrPort(addr)
	return err == nil && covers(listener, upstream)
}

// listensOn reports whether this process listens on addr, "192.0.2.53:53". A
// wildcard listener counts for loopback addresses only: other addresses of the
// machine are not looked up on the query's path.
func listensOn(addr string) bool {
	list := listening.Load()
	if list == nil {
		return false
	}
	for _, l := range *list {
		if covers(l, addr) {
			return true
		}
	}
	return false
}

func covers(listener netip.AddrPort, addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	if err != nil || listener.Port() != a.Port() {
		return false
	}
	return listener.Addr().Unmap() == a.Addr().Unmap() || listener.Addr().IsUnspecified() && a.Addr().IsLoopback()
}
