package preflight

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// docker is where Docker answers in the network of a container, whatever
// listens on port 53 there: it takes the packets by address translation.
var docker = netip.MustParseAddr("127.0.0.11")

// maxHops is how many forwards from block to block findForwardLoop follows.
const maxHops = 16

// findForwardLoop looks for a forward to an address of this process where the
// query ends up in the same block again. Forwarding to another block that
// answers by itself is a common way to give each upstream its own settings.
func findForwardLoop(c *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "forward" {
			continue
		}
		if zone, to, looped := c.loops(s, i); looped {
			all = append(all, at(l.Directive, listed(zone), to))
		}
	}
	return all
}

// loops reports whether names under zone, which forward i of s sends to to,
// come back to s.
func (c *config) loops(s *server, i int) (zone, to string, found bool) {
	var near []target // only these may be of this process
	for _, t := range c.targets(&s.chain.Links[i]) {
		if c.mayBeHere(t.address) {
			near = append(near, t)
		}
	}
	if len(near) == 0 {
		return "", "", false
	}
	for _, served := range s.zones {
		for _, from := range s.chain.Links[i].Zones {
			zone, ok := chain.Narrower(served, from)
			if !ok || s.reaches(zone) != i {
				continue
			}
			for _, to := range near {
				w := walk{config: c, start: s, zone: zone, seen: map[*server]bool{}}
				if w.returns(c.serverAt(to.address, zone), maxHops) {
					return zone, to.String(), true
				}
			}
		}
	}
	return "", "", false
}

// A target is an address that forward asks, and the file that names it, if one
// does.
type target struct{ address, file string }

func (t target) String() string {
	if t.file == "" {
		return Printable(t.address)
	}
	return Printable(t.address) + ", which " + listed(t.file) + " names here"
}

// targets are the upstreams of a forward, those of its files included.
func (c *config) targets(l *chain.Link) []target {
	var all []target
	for _, to := range upstreams(l) {
		path := fileOf(to)
		if path == "" {
			all = append(all, target{address: to})
			continue
		}
		found, _ := c.inFile(path)
		for _, address := range found {
			all = append(all, target{address, path})
		}
	}
	return all
}

// reaches returns the index of the forward that gets an ordinary name under
// zone, or -1 if that cannot be told.
func (s *server) reaches(zone string) int {
	if s.opaque || s.has("view") || s.chain.Renames {
		return -1
	}
	for _, p := range s.chain.Probes([]string{zone}) {
		if p.Zone != zone || p.Kind != chain.Ordinary {
			continue
		}
		out := s.chain.Ask(chain.Question{Name: p.Name, Type: dns.TypeA}, nil)
		if out.End == chain.Answered && out.Asked.Name == p.Name && s.chain.Links[out.At].Name == "forward" {
			return out.At
		}
	}
	return -1
}

// A walk follows names under zone from block to block.
type walk struct {
	*config
	start *server
	zone  string
	seen  map[*server]bool
}

// returns reports whether a query that s gets comes to w.start.
func (w walk) returns(s *server, hops int) bool {
	if s == nil || w.seen[s] || hops == 0 {
		return false
	}
	next := w.onward(s, w.zone)
	if !next.forwards {
		return false
	}
	if s == w.start {
		return true
	}
	w.seen[s] = true
	return slices.ContainsFunc(next.to, func(to *server) bool { return w.returns(to, hops-1) })
}

// A hop is where a block sends names: forwards is true if it forwards them, to are
// the blocks among those that it asks.
type hop struct {
	forwards bool
	to       []*server
}

// onward finds the hop of s for names under zone, once.
func (c *config) onward(s *server, zone string) hop {
	if h, known := s.hops[zone]; known {
		return h
	}
	var h hop
	if i := s.reaches(zone); i >= 0 {
		h.forwards = true
		for _, to := range c.targets(&s.chain.Links[i]) {
			if other := c.serverAt(to.address, zone); other != nil {
				h.to = append(h.to, other)
			}
		}
	}
	if s.hops == nil {
		s.hops = make(map[string]hop)
	}
	s.hops[zone] = h
	return h
}

// mayBeHere reports whether what is sent to the address to may come to a block.
func (c *config) mayBeHere(to string) bool {
	p, addr, ok := endpoint(to)
	on := c.byPort[p]
	return ok && on != nil && !on.unclear &&
		(c.bound[listener{p, addr}] || addr != docker && (addr.IsLoopback() || addr.IsUnspecified() || c.own[addr]))
}

// serverAt returns the block that answers names under zone at the address to,
// or nil if that is not of this process or not certain.
func (c *config) serverAt(to, zone string) *server {
	p, addr, ok := endpoint(to)
	if !ok || !c.mayBeHere(to) {
		return nil
	}
	// The kernel prefers the socket that is bound to the address.
	bound := func(s *server) bool { return slices.Contains(s.hosts, addr) }
	if addr.IsUnspecified() || !c.bound[listener{p, addr}] {
		bound = func(s *server) bool { return s.everywhere(addr) }
	}
	for z := range chain.Enclosing(zone) {
		for _, s := range c.blocksOf(key{p, z}) {
			if bound(s) {
				return s // its views are reaches' business
			}
		}
	}
	return nil
}
