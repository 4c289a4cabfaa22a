package preflight

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// maxHops is how many forwards from block to block findForwardLoop follows.
const maxHops = 16

// findForwardLoop looks for a forward to an address of this process where the
// query ends up in the same block again. Forwarding to another block that
// answers by itself is a common way to give each upstream its own settings.
func findForwardLoop(c *config, s *server) []finding {
	var all []finding
	for i, l := range s.chain {
		if l.Name != "forward" {
			continue
		}
		if zone, to, looped := c.loops(s, i); looped {
			all = append(all, l.finding(listed(zone), printable(to)))
		}
	}
	return all
}

// loops reports whether names under zone, which forward i of s sends to to,
// come back to s.
func (c *config) loops(s *server, i int) (zone, to string, found bool) {
	for _, served := range s.zones {
		for _, from := range s.chain[i].zones {
			zone, ok := narrower(served, from)
			if !ok || s.reaches(zone) != i {
				continue
			}
			for _, to := range upstreams(s.chain[i]) {
				w := walk{config: c, start: s, zone: zone, seen: map[*server]bool{}}
				if w.returns(to, maxHops) {
					return zone, to, true
				}
			}
		}
	}
	return "", "", false
}

// reaches returns the index of the forward that gets names under zone, or -1 if
// something before it may answer or change them.
func (s *server) reaches(zone string) int {
	if s.has("view") || s.has("rewrite") {
		return -1
	}
	for i, l := range s.chain {
		switch {
		case l.kind == passes:
		case l.Name == "forward" && covered(l.zones, zone) && !covered(l.except, zone):
			return i
		case l.kind == partly || l.some && covered(l.zones, zone) || l.stops(zone):
			return -1
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

// returns reports whether a query sent to the address to comes to w.start.
func (w walk) returns(to string, hops int) bool {
	s := w.serverAt(to, w.zone)
	if s == nil || w.seen[s] || hops == 0 {
		return false
	}
	i := s.reaches(w.zone)
	if i < 0 {
		return false
	}
	if s == w.start {
		return true
	}
	w.seen[s] = true
	return slices.ContainsFunc(upstreams(s.chain[i]), func(to string) bool { return w.returns(to, hops-1) })
}

// serverAt returns the block that answers names under zone at the address to,
// or nil if that is not of this process or not certain.
func (c *config) serverAt(to, zone string) *server {
	p, addr, ok := endpoint(to)
	if !ok {
		return nil
	}
	on := c.byPort[p]
	if slices.ContainsFunc(on, func(s *server) bool { return s.unclear }) {
		return nil
	}
	// The kernel prefers the socket that is bound to the address.
	bound := func(s *server) bool { return slices.Contains(s.hosts, addr) }
	if addr.IsUnspecified() || !slices.ContainsFunc(on, bound) {
		if !addr.IsLoopback() && !addr.IsUnspecified() && !c.own[addr] {
			return nil
		}
		bound = func(s *server) bool { return s.everywhere(addr) }
	}
	for z := range enclosing(zone) {
		for _, s := range c.byKey[key{p, z}] {
			if bound(s) {
				return s // its views are reaches' business
			}
		}
	}
	return nil
}

// upstreams returns the TO arguments of a forward.
func upstreams(l link) []string {
	args := l.args()
	return args[min(1, len(args)):]
}

// endpoint reads a TO of forward. Files and host names are not ok.
func endpoint(to string) (p port, addr netip.Addr, ok bool) {
	trans, host := parse.Transport(to)
	number := defaultPorts[trans]
	if trans == transport.UNIX {
		return port{}, netip.Addr{}, false
	}
	if h, n, err := net.SplitHostPort(host); err == nil {
		host, number = h, n
	}
	// Behind % stands an interface, or the server name of TLS.
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	addr, err := netip.ParseAddr(host)
	if n, _, found := strings.Cut(number, "%"); found {
		number = n
	}
	return port{trans, number}, addr.Unmap(), err == nil
}
