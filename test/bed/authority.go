package bed

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// answer is what an authoritative server says of one zone, with DNSSEC records
// (RFC 4035 section 3.1, RFC 5155 section 7.2).
func (z *Zone) answer(q dns.Question) *dns.Msg {
	m := &dns.Msg{Question: []dns.Question{q}}
	m.Response, m.Authoritative = true, true
	name := dns.CanonicalName(q.Name)
	if cut := z.cutAbove(name); cut != "" && !(cut == name && q.Qtype == dns.TypeDS) {
		z.refer(m, cut)
	} else {
		z.lookup(m, name, q.Qtype)
	}
	if z.Reply != nil {
		return z.Reply(q, m)
	}
	return m
}

func (z *Zone) refer(m *dns.Msg, cut string) {
	m.Authoritative = false
	m.Ns = append(m.Ns, z.RRs[cut][dns.TypeNS]...)
	if z.RRs[cut][dns.TypeDS] != nil {
		m.Ns = append(m.Ns, z.signed(cut, dns.TypeDS)...)
	} else {
		z.denyData(m, cut)
	}
	for _, ns := range z.RRs[cut][dns.TypeNS] {
		m.Extra = append(m.Extra, z.RRs[ns.(*dns.NS).Ns][dns.TypeA]...)
	}
}

func (z *Zone) lookup(m *dns.Msg, name string, typ uint16) {
	for at := name; len(at) >= len(z.Name); at = up(at) {
		if at != name && z.RRs[at][dns.TypeDNAME] != nil {
			dname := z.RRs[at][dns.TypeDNAME][0].(*dns.DNAME)
			m.Answer = append(m.Answer, z.signed(at, dns.TypeDNAME)...)
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl},
				Target: strings.TrimSuffix(name, at) + dname.Target})
			return
		}
		if at == "." {
			break
		}
	}
	if z.exists(name) {
		if !z.data(m, name, name, typ) {
			z.soa(m)
			z.denyData(m, name)
		}
		return
	}
	encloser := up(name)
	for !z.exists(encloser) {
		encloser = up(encloser)
	}
	next := name[len(name)-len(encloser):]
	for at := name; at != encloser; at = up(at) {
		next = at
	}
	wildcard := under("*", encloser)
	if z.RRs[wildcard] == nil {
		m.Rcode = dns.RcodeNameError
		z.soa(m)
		z.denyName(m, name, next, encloser)
		z.cover(m, wildcard)
		return
	}
	if z.data(m, wildcard, name, typ) {
		z.cover(m, z.closer(name, next))
		return
	}
	z.soa(m)
	z.denyName(m, name, next, encloser)
	z.denyData(m, wildcard)
}

// closer is the name that a proof covers: NSEC the name, NSEC3 the next closer.
func (z *Zone) closer(name, next string) string {
	if z.NSEC3 != nil {
		return next
	}
	return name
}

func (z *Zone) denyName(m *dns.Msg, name, next, encloser string) {
	z.cover(m, z.closer(name, next))
	if z.NSEC3 != nil {
		z.match(m, encloser)
	}
}

// data answers from the sets at owner under another name.
func (z *Zone) data(m *dns.Msg, owner, name string, typ uint16) bool {
	if typ == dns.TypeANY && len(z.RRs[owner]) > 0 {
		for _, t := range slices.Sorted(maps.Keys(z.RRs[owner])) {
			m.Answer = append(m.Answer, z.signed(owner, t)...)
		}
		return true
	}
	if z.RRs[owner][typ] == nil {
		if z.RRs[owner][dns.TypeCNAME] == nil {
			return false
		}
		typ = dns.TypeCNAME
	}
	for _, rr := range z.signed(owner, typ) {
		rr = dns.Copy(rr)
		rr.Header().Name = name
		m.Answer = append(m.Answer, rr)
	}
	return true
}

func (z *Zone) signed(name string, typ uint16) []dns.RR {
	set := slices.Clone(z.RRs[name][typ])
	for _, sig := range z.Sigs[name][typ] {
		set = append(set, sig)
	}
	return set
}

// exists counts empty non-terminals and delegations, but neither glue nor the
// owners of NSEC3 records.
func (z *Zone) exists(name string) bool {
	for owner, sets := range z.RRs {
		if len(sets) == 1 && sets[dns.TypeNSEC3] != nil {
			continue
		}
		if dns.IsSubDomain(name, owner) {
			return true
		}
	}
	return false
}

func (z *Zone) soa(m *dns.Msg) { m.Ns = append(m.Ns, z.signed(z.Name, dns.TypeSOA)...) }

// denyData shows the types at a name that exists.
func (z *Zone) denyData(m *dns.Msg, name string) {
	if z.Unsigned {
		return
	}
	if z.NSEC3 == nil {
		if z.RRs[name][dns.TypeNSEC] == nil {
			z.cover(m, name)
			return
		}
		z.show(m, name, dns.TypeNSEC)
		return
	}
	if z.match(m, name) {
		return
	}
	// Opt-out: the closest provable encloser, RFC 5155 section 7.2.4.
	next, encloser := name, up(name)
	for !z.match(m, encloser) && encloser != "." && len(encloser) > len(z.Name) {
		next, encloser = encloser, up(encloser)
	}
	z.cover(m, next)
}

// cover shows the record whose span holds name.
func (z *Zone) cover(m *dns.Msg, name string) {
	if z.Unsigned {
		return
	}
	typ, less := dns.TypeNSEC, canonical
	if z.NSEC3 != nil {
		typ, less = dns.TypeNSEC3, strings.Compare
		name = under(strings.ToLower(z.hash(name)), z.Name)
	}
	var owners []string
	for owner, sets := range z.RRs {
		if sets[typ] != nil {
			owners = append(owners, owner)
		}
	}
	if len(owners) == 0 {
		return
	}
	slices.SortFunc(owners, less)
	i, found := slices.BinarySearchFunc(owners, name, less)
	if found {
		z.show(m, owners[i], typ)
		return
	}
	z.show(m, owners[(i+len(owners)-1)%len(owners)], typ)
}

func (z *Zone) match(m *dns.Msg, name string) bool {
	owner := under(strings.ToLower(z.hash(name)), z.Name)
	if z.RRs[owner][dns.TypeNSEC3] == nil {
		return false
	}
	z.show(m, owner, dns.TypeNSEC3)
	return true
}

func (z *Zone) show(m *dns.Msg, owner string, typ uint16) {
	for _, rr := range m.Ns {
		if rr.Header().Name == owner && rr.Header().Rrtype == typ {
			return
		}
	}
	m.Ns = append(m.Ns, z.signed(owner, typ)...)
}
