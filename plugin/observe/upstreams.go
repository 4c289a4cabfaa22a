package observe

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/proxy"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// upstreams knows the configured upstreams of the forwards below one tap. The
// lists are taken once, before the first query: forward's do not change after
// set-up, and each call of List moves a round robin on, which would be unfair
// to the next query.
type upstreams struct {
	once     sync.Once
	forwards []upstreamSet
	// only is the address if there is one upstream and no other.
	only string

	mu   sync.Mutex
	down map[string]time.Time
}

type upstreamSet struct {
	proxies  []*proxy.Proxy
	maxFails uint32
	addrs    []string // of grpc, which shows no state
}

// state appends all upstreams of the forward that asked addr, that one first,
// or of all forwards if addr is none of theirs.
func (u *upstreams) state(all []evidence.Upstream, h plugin.Handler, addr string) []evidence.Upstream {
	u.load(h)
	sets := u.forwards
	for i, set := range sets {
		if set.has(addr) {
			sets = sets[i : i+1]
			break
		}
	}
	for _, set := range sets {
		for _, p := range set.proxies {
			down := p.Down(set.maxFails)
			all = append(all, evidence.Upstream{
				Addr: p.Addr(), Fails: p.Fails(), Down: down, Since: u.since(p.Addr(), down), Asked: p.Addr() == addr,
			})
		}
		for _, a := range set.addrs {
			all = append(all, evidence.Upstream{Addr: a, Asked: a == addr})
		}
	}
	if len(all) < 2 {
		return all
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

func (u *upstreams) load(h plugin.Handler) {
	u.once.Do(func() {
		u.forwards = upstreamsOf(h)
		if len(u.forwards) != 1 {
			return
		}
		switch set := u.forwards[0]; {
		case len(set.proxies) == 1 && len(set.addrs) == 0:
			u.only = set.proxies[0].Addr()
		case len(set.addrs) == 1 && len(set.proxies) == 0:
			u.only = set.addrs[0]
		}
	})
}

// since remembers when an upstream was first seen down. The map holds at most
// the configured upstreams.
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

func (s upstreamSet) has(addr string) bool {
	for _, p := range s.proxies {
		if p.Addr() == addr {
			return true
		}
	}
	for _, a := range s.addrs {
		if a == addr {
			return true
		}
	}
	return false
}

// forwardOf returns h as a forward, or nil.
func forwardOf(h plugin.Handler) *forward.Forward {
	f, _ := h.(*forward.Forward)
	return f
}

// upstreamsOf lists the upstreams of h: of all forwards in a row, since they
// are one plugin to CoreDNS, or of grpc.
func upstreamsOf(h plugin.Handler) []upstreamSet {
	var sets []upstreamSet
	for f := forwardOf(h); f != nil; f = forwardOf(f.Next) {
		sets = append(sets, upstreamSet{proxies: f.List(), maxFails: maxFailsOf(f)})
	}
	if g, ok := h.(*grpc.GRPC); ok {
		sets = append(sets, upstreamSet{addrs: addrsOf(g)})
	}
	return sets
}

// defaultMaxFails is forward's default of max_fails.
const defaultMaxFails = 2

// maxFailsOf reads the max_fails of f, which decides when forward takes an
// upstream to be down and which it does not export.
func maxFailsOf(f *forward.Forward) uint32 {
	field := reflect.ValueOf(f).Elem().FieldByName("maxfails")
	if field.Kind() != reflect.Uint32 {
		return defaultMaxFails
	}
	return uint32(field.Uint())
}

// addrsOf reads the addresses of grpc's upstreams, which it does not export.
func addrsOf(g *grpc.GRPC) []string {
	proxies := reflect.ValueOf(g).Elem().FieldByName("proxies")
	if proxies.Kind() != reflect.Slice {
		return nil
	}
	var addrs []string
	for i := range proxies.Len() {
		p := proxies.Index(i)
		if p.Kind() != reflect.Pointer || p.IsNil() {
			continue
		}
		if addr := p.Elem().FieldByName("addr"); addr.Kind() == reflect.String {
			addrs = append(addrs, addr.String())
		}
	}
	return addrs
}
