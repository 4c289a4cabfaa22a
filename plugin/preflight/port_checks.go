package preflight

import (
	"net/netip"
	"regexp"
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
	for _, p := range s.services {
		on := p.blocks
		if on[0] != s || c.sites[spot{p, "."}] != nil || !slices.ContainsFunc(on, (*server).asksOthers) {
			continue
		}
		cluster := slices.ContainsFunc(on, func(s *server) bool { return s.has("kubernetes") })
		stub := p.port == port{transport.DNS, transport.Port} &&
			!slices.ContainsFunc(on, func(s *server) bool { return !s.loopbackOnly() })
		if !cluster && !stub {
			continue
		}
		var zones []string
		for _, s := range on {
			zones = append(zones, s.zonesOn(p.port)...)
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
	for i, k := range s.keys {
		if on := s.sites[i]; on.blocks[0] == s && !on.takesRest() && !c.servedToAll(k) {
			return []finding{atBlock(s, listed(k.zone))}
		}
	}
	return nil
}

// servedToAll reports whether k or a zone around it has a block without a view,
// or a view that may be meant to take the rest.
func (c *config) servedToAll(k key) bool {
	p := c.byPort[k.port]
	for z := range chain.Enclosing(k.zone) {
		if on := c.sites[spot{p, z}]; on != nil && on.takesRest() {
			return true
		}
	}
	return false
}

// takesRest is servedToAll for one zone alone.
func (on *site) takesRest() bool {
	if !on.asked {
		on.asked = true
		on.takes = slices.ContainsFunc(on.blocks, func(s *server) bool {
			l, ok := s.find("view")
			return !ok || takesAll(l)
		})
	}
	return on.takes
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
func findLateViews(_ *config, s *server) []finding {
	l, ok := s.find("view")
	if !ok || s.opaque {
		return nil
	}
	for i, k := range s.keys {
		for _, other := range s.sites[i].blocks {
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

// aboutNames finds what in the expression of a view may depend on the name.
var aboutNames = regexp.MustCompile(`\b(name|type|class|metadata)\b`)

// particular reports whether only certain names or types come to s, and it cannot
// be told which.
func (s *server) particular() bool {
	l, ok := s.find("view")
	if !ok || len(l.Told()) > 0 {
		return false
	}
	for _, line := range l.Lines {
		if slices.ContainsFunc(line, aboutNames.MatchString) {
			return true
		}
	}
	return false
}
