package preflight

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// findNoCatchAll looks for servers whose clients ask them everything, yet that
// serve some zones only: a cluster's DNS, or a stub on a loopback address.
// Elsewhere single zones are what authoritative servers and conditional
// forwarders have.
func findNoCatchAll(c *config, s *server) []finding {
	var all []finding
	for p := range s.ports() {
		on := c.byPort[p]
		if on[0] != s || len(c.byKey[key{p, "."}]) > 0 || !slices.ContainsFunc(on, (*server).forwards) {
			continue
		}
		cluster := slices.ContainsFunc(on, func(s *server) bool { return s.has("kubernetes") })
		stub := p == port{transport.DNS, transport.Port} &&
			!slices.ContainsFunc(on, func(s *server) bool { return !s.loopbackOnly() })
		if !cluster && !stub {
			continue
		}
		var zones []string
		for _, s := range on {
			zones = append(zones, s.zonesOn(p)...)
		}
		all = append(all, atBlock(s, p.number, listed(zones...)))
	}
	return all
}

func (s *server) loopbackOnly() bool {
	return !s.unclear && len(s.hosts) > 0 &&
		!slices.ContainsFunc(s.hosts, func(a netip.Addr) bool { return !a.IsLoopback() })
}

// findViewsOnly looks for zones that are served in views only. A query that no
// view takes goes on to the enclosing zones and is refused if none serves it
// (core/dnsserver/server.go, ServeDNS).
func findViewsOnly(c *config, s *server) []finding {
	for _, k := range s.keys {
		if c.byKey[k][0] == s && !c.servedToAll(k) {
			return []finding{atBlock(s, listed(k.zone))}
		}
	}
	return nil
}

// servedToAll reports whether k or a zone around it has a block without a view,
// or a view that may be meant to take the rest.
func (c *config) servedToAll(k key) bool {
	for z := range chain.Enclosing(k.zone) {
		if c.takesRest(key{k.port, z}) {
			return true
		}
	}
	return false
}

// takesRest is servedToAll for the blocks of k alone.
func (c *config) takesRest(k key) bool {
	on := c.byKey[k]
	takes, known := false, false
	if len(on) > 1 { // of one block it is found as fast anew
		takes, known = c.toAll[k]
	}
	if !known && len(on) > 0 {
		takes = slices.ContainsFunc(on, func(s *server) bool {
			l, ok := s.find("view")
			return !ok || takesAll(l)
		})
		if len(on) > 1 {
			c.toAll[k] = takes
		}
	}
	return takes
}

// takesAll guesses: a negation or an address range of everybody.
func takesAll(view *chain.Link) bool {
	for i := 1; i < len(view.Lines); i++ {
		expr := strings.Join(view.Lines[i], " ")
		for _, hint := range []string{"true", "not ", "!", "0.0.0.0/0", "::/0"} {
			if strings.Contains(expr, hint) {
				return true
			}
		}
	}
	return len(view.Lines) < 2
}

// findLateViews looks for views that stand below a block of the same zone that
// takes every query: the blocks of a zone are asked in the order of the file.
func findLateViews(c *config, s *server) []finding {
	l, ok := s.find("view")
	if !ok || s.opaque {
		return nil
	}
	for _, k := range s.keys {
		for _, other := range c.byKey[k] {
			if other == s {
				break
			}
			if !other.has("view") && other.hears(s) {
				return []finding{at(l.Directive, other.Line, listed(k.zone))}
			}
		}
	}
	return nil
}
