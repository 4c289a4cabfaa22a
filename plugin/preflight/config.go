package preflight

import (
	"net/netip"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// A config is a whole Corefile, indexed for the checks.
type config struct {
	order   []string
	built   map[string]bool // the names in order
	servers []*server
	byPort  map[port][]*server // in file order
	byKey   map[key][]*server  // in file order
	own     map[netip.Addr]bool
	bound   map[listener]bool // addresses that blocks bind
	unclear map[port]bool     // ports on which a block's addresses are not known
	// withHosts are the blocks that have the hosts at one place of a file, several
	// if it is in a snippet.
	withHosts map[place][]*server
	read      func(path string) ([]byte, error)
	unjudged  map[limit]bool // what was said of all blocks together
	toAll     map[key]bool   // what servedToAll found
	forwarded map[port][]forwarded
	slips     map[string]string // what nearest found
}

// A listener is a port at one address.
type listener struct {
	port
	addr netip.Addr
}

// A place is a line of a file.
type place struct {
	file string
	line int
}

func newConfig(h Host, blocks []Block, order []string) *config {
	c := &config{
		byPort: make(map[port][]*server),
		byKey:  make(map[key][]*server),
		own:    ownAddrs(h),
		read:   h.ReadFile,

		bound:   make(map[listener]bool),
		unclear: make(map[port]bool),

		withHosts: make(map[place][]*server),
		unjudged:  make(map[limit]bool),
		toAll:     make(map[key]bool),
		forwarded: make(map[port][]forwarded),
		slips:     make(map[string]string),
	}
	c.setOrder(order)
	ranks := chain.OrderOf(order)
	left := maxKeys
	c.servers = make([]*server, len(blocks))
	for i, b := range blocks {
		s := newServer(b, ranks, h, &left)
		c.servers[i] = s
		c.index(s, c.servers[i:i+1:i+1])
		for p := range s.ports() {
			c.byPort[p] = append(c.byPort[p], s)
			c.unclear[p] = c.unclear[p] || s.unclear
			for _, h := range s.hosts {
				c.bound[listener{p, h}] = true
			}
		}
		if l, ok := s.find("hosts"); ok {
			c.withHosts[place{l.File, l.Line}] = append(c.withHosts[place{l.File, l.Line}], s)
		}
	}
	steps := maxSteps
	for _, s := range c.servers {
		if left <= 0 {
			s.skip(overKeys) // what comes to it is not known
		}
		if slices.ContainsFunc(s.keys, func(k key) bool { return len(c.byKey[k]) > maxZones }) {
			s.skip(overBlocks)
		}
		s.fate = c.fateOf(s, &steps)
	}
	return c
}

// index notes the keys of s, each once. alone is a list of s, which most keys share.
func (c *config) index(s *server, alone []*server) {
	kept := s.keys[:0]
	for _, k := range s.keys {
		had := c.byKey[k]
		if n := len(had); n > 0 && had[n-1] == s {
			s.twice = append(s.twice, k.zone)
			continue
		}
		kept = append(kept, k)
		if had == nil {
			c.byKey[k] = alone
		} else {
			c.byKey[k] = append(had, s)
		}
	}
	s.keys = kept
}

// maxKeys is how many zones the keys of a Corefile are read for.
const maxKeys = 1 << 18

// maxSteps is how many times, in one Corefile, some plugin is asked what it
// does with some question.
const maxSteps = 1 << 20

func ownAddrs(h Host) map[netip.Addr]bool {
	own := make(map[netip.Addr]bool)
	if h.Addrs == nil {
		return own
	}
	addrs, err := h.Addrs()
	if err != nil {
		return own // fewer warnings
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap().WithZone("")] = true
		}
	}
	return own
}

// comesTo reports whether q may come to s: no block of a narrower zone takes it
// before, and no view.
func (c *config) comesTo(s *server, q chain.Question) bool {
	for p := range s.ports() {
		if c.taker(p, s, q) == s {
			return true
		}
	}
	return false
}

// taker returns the block that gets q where s listens on p, nil if none does
// (core/dnsserver/server.go, ServeDNS). A view of which that is not known is
// treated as if it let in what is for s, and let pass what is for others.
func (c *config) taker(p port, s *server, q chain.Question) *server {
	for z := range chain.Enclosing(q.Name) {
		for _, other := range c.byKey[key{p, z}] {
			lets := true
			if other.view != nil {
				var known bool
				if lets, known = other.view.Lets(q); !known {
					lets = other == s
				}
			}
			if lets && (other == s || other.hears(s)) {
				return other
			}
		}
	}
	return nil
}
