package observe

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	// maxFlights is how many questions under way a circle follows.
	maxFlights = 1024
	// provenAfter is how many different questions in a row have to fail and to have
	// come back meanwhile, until it is a circle: of one, a client behind the upstream's
	// address may have asked the same by chance.
	provenAfter = 5
	// settling is how long nothing is concluded of an upstream that asks for the first
	// time: of queries that were under way then nothing is known.
	settling = 10 * time.Second
	// deep is how often one question has to come back from this host while a query for it
	// is under way, each time from another socket, until the host asks itself: a program
	// on it may ask the same, and ask again. floods is the same where those queries are
	// not over before the first one is.
	deep, floods = 4, 64
)

// circle finds out whether the upstreams of one tap ask this server what it asks them. It
// costs a look at the client's address until an upstream's own address asks something that
// is to be forwarded to it, or if an upstream may be this process. A client at an upstream's
// address proves nothing: it may be a program there, or many clients behind one address. What
// such a client asks counts only while somebody else waits for the same, and not at all once
// it has asked what nobody waits for.
type circle struct {
	upstreams []string
	addrs     []netip.Addr
	here      atomic.Pointer[here]
	// suspected is true once an upstream's address has asked.
	suspected atomic.Bool

	mu      sync.Mutex
	since   time.Duration
	flights map[dns.Question]*flight
	// clients are the upstreams that have clients of their own behind their address.
	clients map[netip.Addr]bool
	// row is how many different questions in a row came back and failed, last the last
	// of them.
	row  int
	last dns.Question
}

// here is which upstreams may be this process, by the addresses that it listens on, and which of
// them surely have such an address.
type here struct {
	listeners *[]netip.AddrPort
	sure      []string
	addrs     []netip.Addr
	loopback  bool
}

// has reports whether what is sent to such an upstream may come from host: the system
// gives it the address that it is sent to, or any of the loopback.
func (h *here) has(host netip.Addr) bool {
	return h.loopback && host.IsLoopback() || slices.Contains(h.addrs, host)
}

// flight is a question that the upstreams are being asked.
type flight struct {
	question dns.Question
	// waiting are the numbers of the queries for it that wait, and latest is that of the last
	// one. unwound is how many have ended since that came, each when it was the last to wait.
	waiting         []int
	latest, unwound int
	// from is the upstream that asked it meanwhile.
	from netip.Addr
	// returned is how often this host has asked it meanwhile, the last time from socket.
	returned int
	socket   netip.AddrPort
}

// waiter is one query for the question of a flight: its number, and how often the question had
// come back when it came.
type waiter struct {
	*flight
	number, returned int
}

// place is where w is among those that wait.
func (w waiter) place() int {
	i, _ := slices.BinarySearch(w.waiting, w.number)
	return i
}

// circled is what a query that failed shows: the upstream that was proven to send questions
// back, the zero value for none, and whether the question came back from this host.
type circled struct {
	from netip.Addr
	here bool
}

func newCircle(sets []upstreamSet) *circle {
	c := &circle{flights: make(map[dns.Question]*flight), clients: make(map[netip.Addr]bool)}
	for _, set := range sets {
		for _, addr := range set.addrs {
			if a, err := netip.ParseAddrPort(addr); err == nil {
				c.upstreams = append(c.upstreams, addr)
				c.addrs = append(c.addrs, plain(a.Addr()))
			}
		}
	}
	return c
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// near tells which upstreams may be this process.
func (c *circle) near() *here {
	listeners, h := listening.Load(), c.here.Load()
	if h == nil || h.listeners != listeners {
		h = &here{listeners: listeners}
		for _, up := range c.upstreams {
			if listensOn(up) {
				a := plain(netip.MustParseAddrPort(up).Addr())
				h.addrs, h.loopback = append(h.addrs, a), h.loopback || a.IsLoopback()
				if !a.IsLoopback() || a == localhost || a == netip.IPv6Loopback() || listensThere(up) {
					h.sure = append(h.sure, up)
				}
			}
		}
		c.here.Store(h)
	}
	return h
}

// begin notes that the upstreams are about to be asked q for client. The flight is nil where
// nothing is suspected, where too many are under way, and for what an upstream asks that is
// not this process.
func (c *circle) begin(client netip.AddrPort, q dns.Question) (w waiter) {
	host, h := client.Addr(), c.near()
	fromUpstream := slices.Contains(c.addrs, host)
	if !fromUpstream && len(h.addrs) == 0 && !c.suspected.Load() {
		return w
	}
	q.Name = strings.ToLower(q.Name)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[q]
	if fromUpstream && !h.has(host) {
		if !c.suspected.Swap(true) {
			c.since = now()
		}
		switch {
		case f != nil:
			f.from = host
		case now()-c.since >= settling && !isControl(q):
			c.clients[host] = true
		}
		return w
	}
	if f == nil {
		if len(c.flights) >= maxFlights {
			// Of what is not followed nothing is known, as at the beginning.
			c.row, c.since = 0, now()
			return w
		}
		f = &flight{question: q}
		c.flights[q] = f
	} else if h.has(host) && f.socket != client {
		f.returned++
	}
	f.socket = client
	f.latest++
	f.waiting, f.unwound = append(f.waiting, f.latest), 0
	return waiter{f, f.latest, f.returned}
}

// isControl is true for what forward's health checks and diagnoses ask an upstream: that
// comes back, too, and no client waits for it.
func isControl(q dns.Question) bool {
	switch q.Qtype {
	case dns.TypeNS, dns.TypeSOA, dns.TypeDS, dns.TypeDNSKEY, dns.TypeHINFO:
		return true
	}
	return false
}

// end notes that the plugin has returned, or panicked: nobody waits any more.
func (c *circle) end(w waiter) {
	f := w.flight
	if f == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := w.place()
	if f.unwound++; i < len(f.waiting)-1 {
		f.unwound = 0
	}
	if f.waiting = slices.Delete(f.waiting, i, i+1); len(f.waiting) == 0 {
		delete(c.flights, f.question)
	}
}

// conclude returns what the query shows that waits, and has failed or not. It is to be called
// before end.
func (c *circle) conclude(w waiter, failed bool) (shown circled) {
	f := w.flight
	if f == nil {
		return shown
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch back := f.from.IsValid(); {
	case back != failed:
		c.row = 0
	case back && f.question != c.last:
		c.row, c.last = c.row+1, f.question
	}
	if !failed {
		return shown
	}
	if c.row >= provenAfter && !c.clients[f.from] && now()-c.since >= settling {
		shown.from = f.from
	}
	// What comes back waits together with what it came from, and is over before: one after the
	// other unwinds, the last one first. What programs ask ends in any order.
	returned, later := f.returned-w.returned, len(f.waiting)-1-w.place()
	shown.here = returned >= deep && later == 0 && f.unwound >= deep || returned >= floods && later >= floods
	return shown
}

// sentBack reports whether the upstream at addr was proven to send back what it is asked.
func (a asked) sentBack(addr string) bool {
	if !a.circled.from.IsValid() {
		return false
	}
	up, err := netip.ParseAddrPort(addr)
	return err == nil && plain(up.Addr()) == a.circled.from
}
