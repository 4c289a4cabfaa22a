package delegation

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// server is one address of a name server.
type server struct {
	name string
	addr netip.AddrPort
}

// zone is a zone on the way down, as its parent (or, where parent and child
// share a server, the child itself) delegates it.
type zone struct {
	name    string
	parent  *zone
	ns      []string       // name servers, at most maxNames
	servers []server       // addresses that may be asked
	missing []ServerResult // name servers and addresses that may not
	skipped int            // addresses beyond maxServers
	signed  bool           // the parent has a DS
	// helper is a server of the zone itself that gave ns, if the parent did not.
	helper *server
}

// order puts the first address of each name server first, IPv4 before IPv6
// within each rank: more networks have it, so fewer tries are lost.
func (z *zone) order() {
	rank := map[string]int{}
	type ranked struct {
		s server
		n int
	}
	all := make([]ranked, 0, len(z.servers))
	seen := map[netip.AddrPort]bool{}
	for _, s := range z.servers {
		if seen[s.addr] {
			continue
		}
		seen[s.addr] = true
		key := s.name
		if s.addr.Addr().Is6() {
			key += " 6"
		}
		all = append(all, ranked{s, rank[key]})
		rank[key]++
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		if a.n != b.n {
			return a.n - b.n
		}
		return boolInt(a.s.addr.Addr().Is6()) - boolInt(b.s.addr.Addr().Is6())
	})
	z.servers = z.servers[:0]
	for _, s := range all {
		z.servers = append(z.servers, s.s)
	}
	if len(z.servers) > maxServers {
		z.skipped = len(z.servers) - maxServers
		z.servers = z.servers[:maxServers]
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// gather finds the addresses of names, name servers of z: out of the glue that
// parent's server sent along, from z's own server where one is known, else from
// the resolver. A name inside z without any of these has no address: resolving
// it would need the very servers that are sought.
func (r *run) gather(z *zone, names []string, glue []dns.RR) {
	found := make([]addresses, len(names))
	each(len(names), func(i int) {
		found[i] = r.addressesOf(z, names[i], glue)
	})
	for i, name := range names {
		if found[i].list == nil {
			z.missing = append(z.missing, ServerResult{Name: name, Outcome: found[i].why})
			r.step(false, z.name, "%s, name server of %s: %s", short(name), short(z.name), found[i].why)
		}
		for _, a := range found[i].list {
			z.add(r, name, a)
		}
	}
	z.order()
}

func (z *zone) add(r *run, name string, a netip.Addr) {
	at := netip.AddrPortFrom(a, r.p.port())
	if !r.p.mayAsk(a) {
		b, _ := SpecialPurpose(a)
		z.missing = append(z.missing, ServerResult{Name: name, Addr: at, Outcome: OnlySpecial, Block: b})
		r.step(false, z.name, "%s %s, name server of %s: not asked, %s", short(name), a, short(z.name), b)
		return
	}
	z.servers = append(z.servers, server{name, at})
}

// addresses are those of one name server, or why there are none.
type addresses struct {
	list []netip.Addr
	why  Outcome
}

func (r *run) addressesOf(z *zone, name string, glue []dns.RR) addresses {
	// Glue from above the parent is not the parent's to give.
	if z.parent == nil || dns.IsSubDomain(z.parent.name, name) {
		if a := addrsIn(glue, name); a != nil {
			return addresses{list: a}
		}
	}
	inside := dns.IsSubDomain(z.name, name)
	if inside && z.helper == nil {
		return addresses{why: Addressless}
	}
	var out addresses
	out.why = Addressless
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		var m *dns.Msg
		if inside {
			rep := r.ask(r.ctx, *z.helper, z.name, name, qtype, maxTries)
			if rep.outcome.usable() {
				m = rep.msg
			}
		} else {
			got, err := r.resolve(name, qtype)
			if err != nil {
				// The resolver said nothing about the name.
				out.why = Unasked
				continue
			}
			if !failed(got.Rcode) {
				m = got
			}
		}
		if m == nil {
			if out.why == Addressless {
				out.why = Unresolved
			}
			continue
		}
		out.list = append(out.list, addrsIn(m.Answer, "")...)
	}
	return out
}

// addrsIn returns the addresses that rrs hold for owner, at most maxPerName; an
// empty owner takes all, for answers that a CNAME leads to.
func addrsIn(rrs []dns.RR, owner string) []netip.Addr {
	var out []netip.Addr
	for _, rr := range rrs {
		if owner != "" && dns.CanonicalName(rr.Header().Name) != owner {
			continue
		}
		var a netip.Addr
		var ok bool
		switch rr := rr.(type) {
		case *dns.A:
			a, ok = netip.AddrFromSlice(rr.A.To4())
		case *dns.AAAA:
			// Not unmapped: ::ffff:192.0.2.1 in a zone is a mistake to be named.
			a, ok = netip.AddrFromSlice(rr.AAAA.To16())
		}
		if ok && len(out) < maxPerName && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// resolve asks the recursive resolver.
func (r *run) resolve(name string, qtype uint16) (*dns.Msg, error) {
	if r.p.Resolve == nil || !r.spend() {
		return nil, errBudget
	}
	m, err := r.p.Resolve(r.ctx, dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET})
	if err == nil && m == nil {
		err = ErrReply
	}
	what := "failed"
	if err == nil {
		what = dns.RcodeToString[m.Rcode]
	}
	r.step(err == nil && !failed(m.Rcode), ".", "resolver asked for %s %s: %s", short(name), dns.Type(qtype), what)
	return m, err
}
