package preflight

import (
	"net/netip"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// A config is a whole Corefile, indexed for the checks.
type config struct {
	order   []string
	built   map[string]bool // the names in order
	servers []*server
	byPort  map[port]*service
	zones   int // of all keys, for the first port with several of them
	own     map[netip.Addr]bool
	bound   map[listener]bool // addresses that blocks bind
	// withHosts are the blocks that have the hosts at one place of a file, several
	// if it is in a snippet.
	withHosts  map[place][]*server
	read       func(path string) ([]byte, error)
	hops       map[stop]*hop     // what onward found, but for the first of each block
	stops      int               // how many onward found
	unringed   []*hop            // those of which the ring is not yet known
	unjudged   map[limit]bool    // what was said of all blocks together
	slips      map[string]string // what nearest found
	tries      int               // how many queries are still tried on views
	networks   spelling.Networks // what spokenNetworks read
	hostsFiles chain.HostsFiles
}

// A service is the blocks on one port.
type service struct {
	port
	blocks    []*server // in file order
	unclear   bool      // the addresses of one are not known
	forwarded []forwarded
	looked    bool // for what is forwarded

	// Of most ports of a Corefile with many the blocks have one zone.
	zone  string
	first site             // of zone
	sites map[string]*site // of the other zones
}

// site returns the blocks of a zone on p, nil if there are none.
func (p *service) site(zone string) *site {
	if zone == p.zone && p.first.blocks != nil {
		return &p.first
	}
	return p.sites[zone]
}

// addSite makes the site of a zone that p does not have.
func (c *config) addSite(p *service, zone string, blocks []*server) *site {
	if p.first.blocks == nil {
		p.zone, p.first.blocks = zone, blocks
		return &p.first
	}
	if p.sites == nil {
		p.sites = make(map[string]*site, c.zones)
		c.zones = 0
	}
	on := &site{blocks: blocks}
	p.sites[zone] = on
	return on
}

// A site is the blocks of one zone on one port.
type site struct {
	blocks       []*server // in file order
	takes, asked bool      // what takesAll found
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
		byPort: make(map[port]*service),
		own:    ownAddrs(h),
		read:   h.ReadFile,
		bound:  make(map[listener]bool),

		withHosts:  make(map[place][]*server),
		unjudged:   make(map[limit]bool),
		hops:       make(map[stop]*hop),
		slips:      make(map[string]string),
		hostsFiles: chain.HostsFiles{Read: h.ReadFile},
		tries:      maxTries,
	}
	for i := range blocks {
		c.zones += len(blocks[i].Keys)
	}
	c.zones = min(c.zones, maxKeys)
	c.setOrder(order)
	ranks := chain.OrderOf(order)
	left := maxKeys
	c.servers = make([]*server, len(blocks))
	servers := make([]server, len(blocks))
	shared := chain.NewShared()
	for i := range blocks {
		s := &servers[i]
		c.servers[i] = s
		s.load(&blocks[i], ranks, h, &left)
		s.chain.Share(shared)
		c.index(s, c.servers[i:i+1:i+1])
		for _, p := range s.services {
			p.unclear = p.unclear || s.unclear
			for _, h := range s.hosts {
				c.bound[listener{p.port, h}] = true
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
		if slices.ContainsFunc(s.sites, func(on *site) bool { return len(on.blocks) > maxZones }) {
			s.skip(overBlocks)
		}
		s.fate = c.fateOf(s, &steps)
	}
	return c
}

// index notes the keys of s, each once, and their ports. alone is a list of s, which
// most of them share.
func (c *config) index(s *server, alone []*server) {
	kept := s.keys[:0]
	s.sites = make([]*site, 0, len(s.keys))
	var p *service
	for _, k := range s.keys {
		if p == nil || k.port != p.port {
			p = c.serve(s, k.port, alone)
		}
		on := p.site(k.zone)
		switch {
		case on == nil:
			on = c.addSite(p, k.zone, alone)
		case on.blocks[len(on.blocks)-1] == s:
			s.twice = append(s.twice, k.zone)
			continue
		default:
			on.blocks = append(on.blocks, s)
		}
		kept, s.sites = append(kept, k), append(s.sites, on)
	}
	s.keys = kept
}

// serve notes that s listens on p.
func (c *config) serve(s *server, p port, alone []*server) *service {
	on := c.byPort[p]
	switch {
	case on == nil:
		on = &service{port: p, blocks: alone}
		c.byPort[p] = on
	case on.blocks[len(on.blocks)-1] == s:
		return on
	default:
		on.blocks = append(on.blocks, s)
	}
	s.services = append(s.services, on)
	return on
}

// maxKeys is how many zones the keys of a Corefile are read for.
const maxKeys = 1 << 18

// maxSteps is how many times, in one Corefile, some plugin is asked what it
// does with some question.
const maxSteps = 1 << 20

// maxTries is how many times, in one Corefile, a view is asked for a query that no other
// may accept.
const maxTries = 1 << 16

// maxStops is how many stops findForwardLoop follows, in all of a Corefile.
const maxStops = 1 << 17

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
	for _, p := range s.services {
		if p.taker(s, q) == s {
			return true
		}
	}
	return false
}

// taker returns the block that gets q where s listens on p, nil if none does
// (core/dnsserver/server.go, ServeDNS). A view of which that is not known is
// treated as if it let in what is for s, and let pass what is for others.
func (p *service) taker(s *server, q chain.Question) *server {
	for z := range chain.Enclosing(q.Name) {
		on := p.site(z)
		if on == nil {
			continue
		}
		for _, other := range on.blocks {
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
