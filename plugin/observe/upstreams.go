package observe

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"
)

// upstreams knows the configured upstreams of the forwards below one tap. The lists
// are taken once: forward's do not change after set-up, and each call of List moves a
// round robin on, which would be unfair to the next query.
type upstreams struct {
	sets []upstreamSet
	// only is the address if there is one upstream and no other. chooses is true for
	// a forward that has several.
	only    string
	chooses bool

	// answers is when each upstream last answered anything, failures included, in the
	// monotonic nanoseconds of now.
	answers map[string]*atomic.Int64

	circle *circle
	// flights is nil unless one of the forwards has max_concurrent.
	flights *flights

	mu   sync.Mutex
	down map[string]time.Time
}

// upstreamSet is the upstreams of one forward, or of grpc, which shows their addresses
// and no state.
type upstreamSet struct {
	forward *forward.Forward
	proxies []*proxy.Proxy
	// maxFails is max_fails, if it is known.
	maxFails   uint32
	knowsFails bool
	// maxConcurrent is max_concurrent, 0 without one; where it cannot be known it is 1.
	maxConcurrent int64
	addrs         []string
}

// newUpstreams returns the upstreams of h: of all forwards in a row, since they are one
// plugin to CoreDNS, or of grpc.
func newUpstreams(h plugin.Handler) *upstreams {
	u := &upstreams{answers: make(map[string]*atomic.Int64)}
	for f := forwardOf(h); f != nil; f = forwardOf(f.Next) {
		set := upstreamSet{forward: f, proxies: f.List()}
		set.maxFails, set.knowsFails = unexported.MaxFails(f)
		set.maxConcurrent = maxConcurrent(f)
		for _, p := range set.proxies {
			set.addrs = append(set.addrs, p.Addr())
		}
		u.sets = append(u.sets, set)
	}
	if g, ok := h.(*grpc.GRPC); ok {
		u.sets = append(u.sets, upstreamSet{addrs: unexported.Addresses(g)})
	}
	if len(u.sets) == 1 && len(u.sets[0].addrs) == 1 {
		u.only = u.sets[0].addrs[0]
	}
	for _, set := range u.sets {
		for _, addr := range set.addrs {
			u.answers[addr] = new(atomic.Int64)
		}
	}
	u.chooses = forwardOf(h) != nil && u.only == ""
	u.circle, u.flights = newCircle(u.sets), newFlights(u.sets)
	return u
}

// state appends to all, which is empty, the upstreams of the forward that asked addr for run, that
// one first, or of all forwards if addr is none of theirs.
func (u *upstreams) state(run *Run, all []evidence.Upstream, addr string) []evidence.Upstream {
	sets, own := u.sets, u.circle.near().sure
	if i := slices.IndexFunc(sets, func(s upstreamSet) bool { return slices.Contains(s.addrs, addr) }); i >= 0 {
		sets = sets[i : i+1]
	}
	for _, set := range sets {
		for i, a := range set.addrs {
			state := evidence.Upstream{Addr: a, Asked: a == addr, Own: slices.Contains(own, a) && run.cameTo(a)}
			if set.proxies != nil {
				p := set.proxies[i]
				state.Fails = p.Fails()
				state.Down = set.knowsFails && p.Down(set.maxFails)
				state.Since = u.since(a, state.Down)
			}
			all = append(all, state)
		}
	}
	slices.SortStableFunc(all, func(a, b evidence.Upstream) int {
		switch {
		case a.Asked && !b.Asked:
			return -1
		case b.Asked && !a.Asked:
			return 1
		}
		return 0
	})
	return all
}

// since remembers when an upstream was first seen down. The map holds at most the
// configured upstreams.
func (u *upstreams) since(addr string, down bool) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !down {
		delete(u.down, addr)
		return time.Time{}
	}
	if u.down == nil {
		u.down = make(map[string]time.Time)
	}
	if _, ok := u.down[addr]; !ok {
		u.down[addr] = time.Now()
	}
	return u.down[addr]
}

// forwardOf returns h as a forward, or nil.
func forwardOf(h plugin.Handler) *forward.Forward {
	f, _ := h.(*forward.Forward)
	return f
}

// answer notes that the upstream at addr has answered. What does not tell who did is no sign
// of life of any.
func (u *upstreams) answer(addr string, at time.Duration) {
	if last := u.answers[addr]; last != nil {
		last.Store(int64(at))
	}
}

// lastAnswer is when the upstream at addr last answered anything, the zero time if it is not
// known to have.
func (u *upstreams) lastAnswer(addr string) time.Time {
	if last := u.answers[addr]; last != nil && last.Load() != 0 {
		return wall(time.Duration(last.Load()))
	}
	return time.Time{}
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

// mayComeBack reports whether a query that run sent to upstream goes to an address where
// this process listens, and from there to the block that sent it: to the listener that the
// query itself came to, with the question unchanged, or round a circle that the Corefile
// shows. Another process may have that address, and the network may take the packets
// elsewhere, as Docker does with 127.0.0.11: it is no proof.
func (run *Run) mayComeBack(upstream string, asked dns.Question) bool {
	if run.ladder.Circle && listensOn(upstream) {
		return true
	}
	return asked == run.Question() && metrics.WithView(run.Context) == "" && run.cameTo(upstream)
}

// cameTo reports whether the listener that the query came to has the address of upstream.
func (run *Run) cameTo(upstream string) bool {
	server, ok := run.Context.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok {
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

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// listensThere is listensOn without wildcard listeners: what is sent to other addresses of the
// loopback may go elsewhere, as Docker takes it from 127.0.0.11.
func listensThere(addr string) bool {
	list := listening.Load()
	a, err := netip.ParseAddrPort(addr)
	return err == nil && list != nil && slices.ContainsFunc(*list, func(l netip.AddrPort) bool {
		return l.Port() == a.Port() && l.Addr().Unmap() == a.Addr().Unmap()
	})
}

func covers(listener netip.AddrPort, addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	if err != nil || listener.Port() != a.Port() {
		return false
	}
	return listener.Addr().Unmap() == a.Addr().Unmap() || listener.Addr().IsUnspecified() && a.Addr().IsLoopback()
}
