package preflight

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// findForwardLoop looks for a forward to an address of this process where the
// query ends up in the same block again. Forwarding to another block that
// answers by itself is a common way to give each upstream its own settings.
func findForwardLoop(c *config, s *server) []finding {
	var all []finding
	for _, f := range c.forwardsOf(s) {
		if l, looped := c.loops(s, f); looped {
			found := at(s.chain.Links[f.link].Directive, l.subject(), l.to)
			if l.leaves {
				found.text = "forward sends some queries for %s to %s, where this process listens: unless another process has that address, these come back to the same block, and are answered only if its other upstreams answer"
			} else if l.grown {
				found.text = grownText
			}
			all = append(all, found)
		}
	}
	return all
}

// A loop is what comes back: the questions that p stands for, of one type.
type loop struct {
	p      chain.Probe
	qtype  uint16
	to     string
	leaves bool // some of them are sent elsewhere
	mixed  bool // plugins of the circle answer other names
	grown  bool // with a longer name each time
}

func (l loop) subject() string {
	names := "names under " + listed(l.p.Zone)
	if l.p.Kind == chain.Apex {
		names = "the name " + listed(l.p.Zone)
	}
	if l.qtype != dns.TypeA && l.qtype != dns.TypePTR {
		names += " of type " + dns.TypeToString[l.qtype]
	}
	if l.mixed && l.p.Kind == chain.Ordinary {
		names += " that no plugin on the way answers"
	}
	return names
}

// loops finds a question that f of s sends on and that comes back to s.
func (c *config) loops(s *server, f forward) (found loop, ok bool) {
	if !slices.ContainsFunc(f.targets, target.mayBeHere) {
		return loop{}, false
	}
	probes := s.sentBy(f)
	for i := range usualTypes { // those of which most is known first, lest maxStops be met
		for _, p := range probes {
			types := p.Types(usualTypes)
			if i >= len(types) || i > 0 && p.Kind == chain.Apex {
				continue
			}
			if found, ok := c.circles(s, f, chain.Question{Name: p.Name, Type: types[i]}); ok {
				found.p, found.qtype = p, types[i]
				return found, true
			}
		}
	}
	return loop{}, false
}

var usualTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT}

// sentBy returns names that f of s may send on: ordinary ones, and then zones.
func (s *server) sentBy(f forward) (names []chain.Probe) {
	var zones []chain.Probe
	for _, served := range s.zones {
		for _, from := range s.chain.Links[f.link].Zones {
			zone, ok := chain.Narrower(served, from)
			if !ok {
				continue
			}
			for _, p := range s.chain.Probes([]string{zone}) {
				switch {
				case p.Zone != zone || p.Kind == chain.Listed:
				case p.Kind == chain.Ordinary:
					names = append(names, p)
				case zone != ".":
					zones = append(zones, p)
				}
			}
		}
	}
	return append(names, zones...)
}

// circles finds an upstream of f of s from which q comes back. A circle that another
// forward of it leaves is that one's mistake.
func (c *config) circles(s *server, f forward, q chain.Question) (found loop, ok bool) {
	h := c.onward(s, q)
	if h == nil || h.link != f.link {
		return loop{}, false
	}
	found.mixed = h.mixed
	for i, next := range h.next {
		grown := next != nil && next.outgrows(s)
		found.grown = found.grown || grown
		switch {
		case !grown && (next == nil || next.ring != h.ring):
			found.leaves = true
		case found.to == "":
			found.to = f.asked(s)[i].String()
		}
	}
	return found, found.to != "" && (found.leaves || found.grown || !h.leaves)
}

// asked are the targets of f that get queries while all answer (plugin/forward/policy.go).
func (f forward) asked(s *server) []target {
	policy, _ := s.chain.Links[f.link].Option("policy")
	if slices.Equal(policy, []string{"sequential"}) {
		return f.targets[:min(1, len(f.targets))]
	}
	return f.targets
}

// A stop is a block that is asked a question.
type stop struct {
	at *server
	q  chain.Question
}

// A hop is where a stop sends its question, q: link is its forward that gets it, -1 if that
// cannot be told, and next are the hops of those that it asks, nil for other servers. Stops
// of which each comes to each other are of one ring.
type hop struct {
	q      chain.Question
	link   int
	next   []*hop
	ring   int
	open   bool // more stops may be of the ring
	leaves bool // some stop of the ring asks one that is not
	mixed  bool // some block of the ring answers by itself, too

	at       *server
	outgrown bool // in the end rewrite makes what is no name
}

// A visit is a stop at which onward is: what it sends, and where its ring may begin.
type visit struct {
	hop           *hop
	sent          chain.Question
	targets       []target
	number, begin int
}

// hopOf returns the hop of a stop that onward has found, else nil.
func (c *config) hopOf(s *server, q chain.Question) *hop {
	if s.hop == nil || s.hop.q == q {
		return s.hop
	}
	return c.hops[stop{s, q}]
}

func (c *config) visit(s *server, q chain.Question) visit {
	v := visit{number: c.stops, begin: len(c.unringed)}
	mixed := s.any(func(l *chain.Link) bool { return l.Answers && !l.Forwards() })
	v.hop = &hop{q: q, at: s, ring: v.number, open: true, mixed: mixed}
	if c.stops++; s.hop == nil { // most have no other
		s.hop = v.hop
	} else {
		c.hops[stop{s, q}] = v.hop
	}
	c.unringed = append(c.unringed, v.hop)
	v.hop.link, v.sent = s.sends(q)
	v.hop.outgrown = v.hop.link == outgrown
	if v.hop.link >= 0 {
		forwards := c.forwardsOf(s) // they stand in a row
		v.targets = forwards[v.hop.link-forwards[0].link].asked(s)
		v.hop.next = make([]*hop, 0, len(v.targets))
	}
	return v
}

// onward finds the hop of a stop and of all stops behind it, once (Tarjan's algorithm for
// strongly connected components, 1972), nil if it has found maxStops.
func (c *config) onward(s *server, q chain.Question) *hop {
	first := c.hopOf(s, q)
	if first != nil || c.stops == maxStops {
		return first
	}
	way := []visit{c.visit(s, q)}
	first = way[0].hop
	for len(way) > 0 {
		v := &way[len(way)-1]
		h := v.hop
		if len(h.next) == len(v.targets) {
			if h.ring == v.number { // no stop before it is of its ring
				c.close(v.begin, v.number)
			}
			way = way[:len(way)-1]
			continue
		}
		var next *hop
		if other := v.targets[len(h.next)].server(v.sent.Name); other != nil {
			if next = c.hopOf(other, v.sent); next == nil && c.stops < maxStops {
				way = append(way, c.visit(other, v.sent)) // v is looked at again after it
				continue
			}
		}
		h.next = append(h.next, next)
		if next == nil {
			continue
		}
		h.outgrown = h.outgrown || next.outgrown
		if next.open {
			h.ring = min(h.ring, next.ring)
		}
	}
	return first
}

// close makes one ring of the hops from begin on.
func (c *config) close(begin, number int) {
	members := c.unringed[begin:]
	c.unringed = c.unringed[:begin]
	leaves, mixed := false, false
	for _, member := range members {
		member.ring, member.open = number, false
	}
	for _, member := range members {
		leaves = leaves || slices.ContainsFunc(member.next, func(next *hop) bool { return next == nil || next.ring != number })
		mixed = mixed || member.mixed
	}
	for _, member := range members {
		member.leaves, member.mixed = leaves, mixed
	}
}
