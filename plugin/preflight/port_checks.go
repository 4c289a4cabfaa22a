package preflight

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// findNoCatchAll looks for servers whose clients ask them everything, yet that
// serve some zones only: a cluster's DNS, or a stub on a loopback address.
// Elsewhere single zones are what authoritative servers and conditional
// forwarders have.
func findNoCatchAll(c *config, s *server) []finding {
	var all []finding
	for _, p := range s.services {
		on := p.blocks
		if on[0] != s || p.site(".") != nil || !slices.ContainsFunc(on, (*server).asksOthers) {
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
	var refused map[port][]string
	for i, k := range s.keys {
		if s.sites[i].blocks[0] == s && c.refuses(s, k) {
			if refused == nil {
				refused = make(map[port][]string)
			}
			refused[k.port] = append(refused[k.port], k.zone)
		}
	}
	var all []finding
	for _, p := range s.services {
		if zones := refused[p.port]; len(zones) > 0 {
			all = append(all, atBlock(s, listed(zones...)+c.onPort(p.port)))
		}
	}
	return all
}

// onPort names p in words if the Corefile has other ports.
func (c *config) onPort(p port) string {
	switch {
	case len(c.byPort) < 2:
		return ""
	case p.transport == transport.DNS:
		return " on port " + p.number
	}
	return fmt.Sprintf(" on port %s (%s)", p.number, p.transport)
}

// refuses reports whether some query for k, on the addresses of s, certainly finds no
// view that accepts it, neither here nor in the zones around it.
func (c *config) refuses(s *server, k key) bool {
	var views []*chain.Link
	for z := range chain.Enclosing(k.zone) {
		on := c.byPort[k.port].site(z)
		switch {
		case on == nil:
		case on.takesAll():
			return false
		default:
			for _, other := range on.blocks {
				views = append(views, other.view)
			}
		}
	}
	clients := chain.Clients{Port: k.number, Plain: k.transport == transport.DNS, Loopback: s.loopbackOnly()}
	for _, first := range []string{"nowhere.", "www.", "host-7."} {
		name := dns.Fqdn(first + strings.TrimPrefix(k.zone, "."))
		if c.closest(k.port, name) == k.zone {
			clients.Names = append(clients.Names, name)
		}
	}
	return len(clients.Names) > 0 && chain.Refuses(views, clients, &c.tries)
}

// closest returns the narrowest zone on p that name lies in.
func (c *config) closest(p port, name string) string {
	for z := range chain.Enclosing(name) {
		if c.byPort[p].site(z) != nil {
			return z
		}
	}
	return ""
}

// takesAll reports whether a block of the zone has no view, or is not judged.
func (on *site) takesAll() bool {
	if !on.asked {
		on.asked = true
		on.takes = slices.ContainsFunc(on.blocks, func(s *server) bool { return s.view == nil || s.opaque })
	}
	return on.takes
}

// findLateViews looks for views that stand below a block of the same zone that
// takes every query: the blocks of a zone are asked in the order of the file. A
// view with several keys may be used for the others.
func findLateViews(c *config, s *server) []finding {
	l, ok := s.find("view")
	if !ok || s.opaque {
		return nil
	}
	type late struct {
		line string
		port port
	}
	var above []late
	zones := make(map[late][]string)
	keys, hidden := 0, 0
	for i, k := range s.keys {
		keys++
		j := slices.IndexFunc(s.sites[i].blocks, func(other *server) bool {
			return other == s || !other.has("view") && other.hears(s)
		})
		other := s.sites[i].blocks[j]
		if other == s {
			continue
		}
		hidden++
		at := late{lineOf(other.File, other.Line, l.File), k.port}
		if zones[at] == nil {
			above = append(above, at)
		}
		zones[at] = append(zones[at], k.zone)
	}
	var all []finding
	for _, up := range above {
		what, except := listed(zones[up]...)+c.onPort(up.port), ""
		// They are asked of all blocks that take them, and the last one answers.
		if zones[up][0] != "." || len(zones[up]) > 1 {
			except = " (except perhaps those of type DS)"
		}
		found := at(l.Directive, up.line, what, except)
		if hidden < keys {
			found.text = "this view gets no queries for %[2]s%[3]s: they go to the block of %[1]s, which stands above this block and has no view"
		}
		all = append(all, found)
	}
	return all
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

// made reports whether rewrite may make q of a question that comes to s.
func (c *config) made(s *server, q chain.Question) bool {
	return s.any(func(l *chain.Link) bool {
		if !l.MayName(q.Name) {
			return false
		}
		from := l.Sample(s.zones)
		return from == "" || c.comesTo(s, chain.Question{Name: from, Type: q.Type})
	})
}

// outside reports whether no name that l is there for can come to s.
func outside(s *server, l *chain.Link) bool {
	return len(l.Zones) > 0 && !slices.ContainsFunc(l.Zones, func(z string) bool { return chain.Overlapping(s.zones, z) })
}

// imports reports whether l stands outside of the block itself, maybe for others too.
func (s *server) imports(l *chain.Link) bool { return l.File != s.File || l.Line < s.Line }

// takes returns a block that gets all names of the zones of l, which are narrower than
// those of s, nil if not all of them go to others.
func (c *config) takes(s *server, l *chain.Link) (other *server) {
	for _, z := range l.Zones {
		if slices.Contains(s.zones, z) || !chain.Covered(s.zones, z) {
			return nil
		}
		for _, p := range s.services {
			if other = p.taker(s, chain.Question{Name: z, Type: dns.TypeA}); other == s {
				return nil
			}
		}
	}
	return other
}

// docker is where Docker answers in the network of a container, whatever
// listens on port 53 there: it takes the packets by address translation.
var docker = netip.MustParseAddr("127.0.0.11")

// everything reports whether k is the network of all IPv4 addresses, which as a
// zone is in-addr.arpa, and no block has the other names.
func (c *config) everything(k string, s *server) bool {
	_, rest := parse.Transport(k)
	network, _, ok := spelling.CutPort(rest)
	if !ok {
		network = rest
	}
	if network != "0.0.0.0/0" {
		return false
	}
	for _, p := range s.services {
		if p.site(".") != nil {
			return false
		}
	}
	return true
}
