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

// maxStops is how many stops findForwardLoop follows, in all of a Corefile.
const maxStops = 1 << 17

// findForwardLoop looks for a forward to an address of this process where the
// query ends up in the same block again. Forwarding to another block that
// answers by itself is a common way to give each upstream its own settings.
func findForwardLoop(c *config, s *server) []finding {
	var all []finding
	for _, f := range c.forwardsOf(s) {
		if zone, to, looped := c.loops(s, f); looped {
			all = append(all, at(s.chain.Links[f.link].Directive, listed(zone), to))
		}
	}
	return all
}

// loops reports whether names under zone, which f of s sends to to, come back to s.
func (c *config) loops(s *server, f forward) (zone, to string, found bool) {
	if !slices.ContainsFunc(f.targets, c.mayBeHere) {
		return "", "", false
	}
	for _, served := range s.zones {
		for _, from := range s.chain.Links[f.link].Zones {
			zone, ok := chain.Narrower(served, from)
			if !ok {
				continue
			}
			h := c.onward(stop{s, zone})
			if h == nil || h.link != f.link {
				continue
			}
			for _, to := range f.targets {
				if next := c.hops[stop{c.serverAt(to, zone), zone}]; next != nil && next.ring == h.ring {
					return zone, to.String(), true
				}
			}
		}
	}
	return "", "", false
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

// A stop is a block that is sent names under zone.
type stop struct {
	*server
	zone string
}

// A hop is where a stop sends its names: link is its forward that gets them, -1 if that
// cannot be told. Stops of which each comes to each other are of one ring.
type hop struct {
	link int
	ring int
	open bool // more stops may be of the ring
}

// onward finds the hop of a stop and of all stops behind it, once (Tarjan's algorithm for
// strongly connected components, 1972), nil if it has found maxStops.
func (c *config) onward(s stop) *hop {
	if h := c.hops[s]; h != nil || len(c.hops) == maxStops {
		return h
	}
	number := len(c.hops)
	h := &hop{link: s.reaches(s.zone), ring: number, open: true}
	c.hops[s] = h
	begin := len(c.unringed)
	c.unringed = append(c.unringed, h)
	if h.link >= 0 {
		forwards := c.forwardsOf(s.server) // they stand in a row
		for _, to := range forwards[h.link-forwards[0].link].targets {
			other := c.serverAt(to, s.zone)
			if other == nil {
				continue
			}
			if next := c.onward(stop{other, s.zone}); next != nil && next.open {
				h.ring = min(h.ring, next.ring)
			}
		}
	}
	if h.ring == number { // no stop before it is of its ring
		for _, member := range c.unringed[begin:] {
			member.ring, member.open = number, false
		}
		c.unringed = c.unringed[:begin]
	}
	return h
}

// mayBeHere reports whether what is sent to t may come to a block.
func (c *config) mayBeHere(t target) bool {
	if !t.known {
		return false
	}
	if local := t.addr != docker && (t.addr.IsLoopback() || t.addr.IsUnspecified() || c.own[t.addr]); !local && !c.bound[listener{t.port, t.addr}] {
		return false
	}
	on := c.byPort[t.port]
	return on != nil && !on.unclear
}

// serverAt returns the block that answers names under zone at t, or nil if that is
// not of this process or not certain.
func (c *config) serverAt(t target, zone string) *server {
	if !c.mayBeHere(t) {
		return nil
	}
	p, addr := t.port, t.addr
	// The kernel prefers the socket that is bound to the address.
	bound := func(s *server) bool { return slices.Contains(s.hosts, addr) }
	if addr.IsUnspecified() || !c.bound[listener{p, addr}] {
		bound = func(s *server) bool { return s.everywhere(addr) }
	}
	on := c.byPort[p]
	for z := range chain.Enclosing(zone) {
		for _, s := range c.blocksOf(on, z) {
			if bound(s) {
				return s // its views are reaches' business
			}
		}
	}
	return nil
}
