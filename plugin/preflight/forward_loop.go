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
			if !ok || c.onward(s, zone).link != f.link {
				continue
			}
			for _, to := range f.targets {
				c.walks++
				w := walk{config: c, start: s, zone: zone, number: c.walks}
				if w.returns(c.serverAt(to, zone), maxHops) {
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

// A walk follows names under zone from block to block. Its number marks the blocks
// that it has come to.
type walk struct {
	*config
	start  *server
	zone   string
	number int
}

// returns reports whether a query that s gets comes to w.start.
func (w walk) returns(s *server, hops int) bool {
	if s == nil || s.walked == w.number || hops == 0 {
		return false
	}
	next := w.onward(s, w.zone)
	if next.link < 0 {
		return false
	}
	if s == w.start {
		return true
	}
	s.walked = w.number
	return slices.ContainsFunc(next.to, func(to *server) bool { return w.returns(to, hops-1) })
}

// A hop is where a block sends names: link is its forward that gets them, -1 if that
// cannot be told, and to are the blocks among those that it asks.
type hop struct {
	link int
	to   []*server
}

// A stop is a block that a walk comes to with names under zone.
type stop struct {
	*server
	zone string
}

// onward finds the hop of s for names under zone, once.
func (c *config) onward(s *server, zone string) hop {
	if h, known := c.hops[stop{s, zone}]; known {
		return h
	}
	h := hop{link: s.reaches(zone)}
	if h.link >= 0 {
		forwards := c.forwardsOf(s) // they stand in a row
		for _, to := range forwards[h.link-forwards[0].link].targets {
			if other := c.serverAt(to, zone); other != nil {
				h.to = append(h.to, other)
			}
		}
	}
	c.hops[stop{s, zone}] = h
	return h
}

// mayBeHere reports whether what is sent to t may come to a block.
func (c *config) mayBeHere(t target) bool {
	if !t.known {
		return false
	}
	on := c.byPort[t.port]
	return on != nil && !on.unclear &&
		(c.bound[listener{t.port, t.addr}] || t.addr != docker && (t.addr.IsLoopback() || t.addr.IsUnspecified() || c.own[t.addr]))
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
	for z := range chain.Enclosing(zone) {
		for _, s := range c.blocksOf(key{p, z}) {
			if bound(s) {
				return s // its views are reaches' business
			}
		}
	}
	return nil
}
