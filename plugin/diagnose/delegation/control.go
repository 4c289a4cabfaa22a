package delegation

import (
	"net/netip"

	"github.com/miekg/dns"
)

// path is what two servers have in common as seen from here: a firewall, a
// missing route or a dead tunnel hits all of one path alike.
type path struct{ v6, special bool }

func pathOf(a netip.Addr) path {
	_, special := SpecialPurpose(a)
	return path{a.Is6(), special}
}

// network is the part of the Internet that an address is in, as coarse as filters and
// routes are made: two of them seldom are cut off by one mistake near here.
func network(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// fromHere reports whether a filter on the way from here explains what servers did, of
// which none is of use: some said nothing, and no other network says the same. A
// failure that a server reports is its own.
func fromHere(servers []ServerResult) bool {
	networks, quiet := map[netip.Prefix]bool{}, false
	for _, s := range servers {
		o := s.Outcome
		if o.usable() {
			o = s.DNSKEY
		}
		silent := o == Cut || o.silent() && (s.Control || s.SOA.usable()) || s.bare() && !s.Rejects
		if s.ChildOnly || !s.Addr.IsValid() || !silent && !o.replied() {
			continue
		}
		networks[network(s.Addr.Addr())] = true
		quiet = quiet || silent
	}
	return quiet && len(networks) < 2
}

// overTCP reports whether servers above z answer over TCP on each path on which a
// truncated answer came and none over TCP. Those that answered before are asked, and
// each of them has to.
func (r *run) overTCP(z *zone, results []ServerResult) bool {
	const maxAsked = 3
	seen := map[path]bool{}
	for _, s := range results {
		if !s.cut() || seen[pathOf(s.Addr.Addr())] {
			continue
		}
		p := pathOf(s.Addr.Addr())
		seen[p] = true
		servers, zones := above(z, p)
		asked := 0
		for i, at := range servers {
			if asked == maxAsked || !r.answeredBefore(at.addr) {
				continue
			}
			asked++
			ok := r.onceOverTCP(at, z.name)
			r.step(ok, zones[i], "control: %s %s over TCP, answered: %v", short(at.name), at.addr, ok)
			if !ok {
				return false
			}
		}
		if asked == 0 {
			return false
		}
	}
	return true
}

func (r *run) onceOverTCP(s server, name string) bool {
	if r.p.TCP == nil || !r.p.mayAsk(s.addr.Addr()) || !r.spendOn(s.addr) {
		return false
	}
	m, err := r.p.TCP(r.ctx, s.addr, question(name, dns.TypeNS, true))
	return err == nil && m != nil
}

// control finds out, for each path with a silent server, whether anything
// answers there after the silence, and marks the silent servers accordingly.
func (r *run) control(z *zone, servers []ServerResult) {
	held := map[path]bool{}
	for _, s := range servers {
		if s.Addr.IsValid() && (s.Outcome.usable() || s.Outcome.replied() || s.Outcome == Cut || s.partial()) {
			held[pathOf(s.Addr.Addr())] = true
		}
	}
	for i := range servers {
		s := &servers[i]
		if !s.Outcome.silent() {
			continue
		}
		p := pathOf(s.Addr.Addr())
		ok, known := held[p]
		if !known {
			ok = r.confirm(z, p)
			held[p] = ok
		}
		s.Control = ok
	}
}

// above are servers of z's ancestors on path p, nearest first.
func above(z *zone, p path) (servers []server, zones []string) {
	for a := z.parent; a != nil; a = a.parent {
		for _, s := range a.servers {
			if pathOf(s.addr.Addr()) == p {
				servers, zones = append(servers, s), append(zones, a.name)
			}
		}
	}
	return servers, zones
}

// confirm asks servers of z's ancestors on path p, nearest first, until one
// replies, whatever it says.
func (r *run) confirm(z *zone, p path) bool {
	const maxAsked = 3
	servers, zones := above(z, p)
	for i, s := range servers[:min(len(servers), maxAsked)] {
		if rep := r.ask(r.ctx, s, zones[i], z.name, dns.TypeNS, maxTries-1); rep.came() {
			r.step(true, zones[i], "control: %s %s still answers", short(s.name), s.addr)
			return true
		}
	}
	return false
}
