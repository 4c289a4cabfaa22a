package dnssec

import (
	"slices"

	"github.com/miekg/dns"
)

// proof is what the NSEC or NSEC3 records of an answer prove.
type proof uint8

const (
	provenNothing    proof = iota
	provenNoName           // the name does not exist
	provenNoData           // the name has no such type
	provenDelegation       // the name is delegated and has no DS
	provenOptOut           // no DS, in a span that may hide unsigned delegations
)

// denials are the records of an answer with which zone z denies, their
// signatures checked.
type denials struct {
	nsec  []*dns.NSEC
	nsec3 *hashed
	// broken is the first record whose signature does not hold; excess the
	// finding about records that need too much work.
	broken, excess *Finding
}

// maxDenials bounds the RRsets used: a proof takes three.
const maxDenials = 16

func (r *run) denials(z *zone, m *message) denials {
	var d denials
	var nsec3 []*dns.NSEC3
	var many *Finding
	for i := range m.authority {
		set := &m.authority[i]
		if set.typ != dns.TypeNSEC && set.typ != dns.TypeNSEC3 || len(set.rrs) == 0 {
			continue
		}
		// An answer through an alias may hold the denials of several zones.
		if !inZone(z.name, set.name) || len(set.sigs) > 0 && !set.signedBy(z.name) {
			continue
		}
		if len(d.nsec)+len(nsec3) >= maxDenials {
			many = undecided(z.name, set.name, set.typ, "too many NSEC or NSEC3 records of %s to check", short(z.name))
			break
		}
		if _, f := r.verify(z.name, set, z.keys); f != nil {
			if d.broken == nil {
				d.broken = f
			}
			continue
		}
		for _, rr := range set.rrs {
			switch rr := rr.(type) {
			case *dns.NSEC:
				d.nsec = append(d.nsec, rr)
			case *dns.NSEC3:
				nsec3 = append(nsec3, rr)
			}
		}
	}
	d.nsec3, d.excess = r.hashed(z.name, nsec3)
	if many != nil {
		// The record that was wanted may be among those left out.
		d.excess = many
	}
	return d
}

// deny proves that name has nothing of type t, in the way that the RCODE says.
func (r *run) deny(z *zone, m *message, name string, t uint16) (proof, *Finding) {
	d := r.denials(z, m)
	nxdomain := m.rcode == dns.RcodeNameError
	if p := denyNSEC(d.nsec, z.name, name, t, nxdomain); p != provenNothing {
		return p, nil
	}
	p, f := d.nsec3.deny(z.name, name, t, nxdomain)
	if p != provenNothing || f != nil {
		return p, f
	}
	return provenNothing, d.lacking(z.name, name, t, "that "+short(name)+" "+typeName(t)+" does not exist")
}

// noCloserName proves for an answer made from a wildcard that name itself does
// not exist, nor anything between (RFC 4035 section 5.3.4, RFC 5155 section 8.8).
func (r *run) noCloserName(z *zone, m *message, set *rrset, labels int) *Finding {
	d := r.denials(z, m)
	if n := coveringNSEC(d.nsec, z.name, set.name); n != nil && dns.CountLabel(closestEncloser(n, set.name)) <= labels {
		return nil
	}
	ok, f := d.nsec3.covers(suffix(set.name, labels+1))
	if ok || f != nil {
		return f
	}
	return d.lacking(z.name, set.name, set.typ, "that the wildcard applies to "+short(set.name))
}

// wildcard judges an answer that was made from a wildcard. Some resolvers leave a
// proof that does not hold out of it; a question for a type that the name does
// not have asks for the same proof, and shows what is wrong with it.
func (r *run) wildcard(z *zone, m *message, set *rrset, labels int) *Finding {
	f := r.noCloserName(z, m, set, labels)
	if f == nil || !outOfProof(m) {
		return f
	}
	again := r.ask(set.name, dns.TypeNSEC)
	if d := r.denials(z, again); again.failed == nil && d.broken != nil {
		return d.broken
	}
	return f
}

// outOfProof tells an answer without any denial.
func outOfProof(m *message) bool {
	for i := range m.authority {
		if s := &m.authority[i]; (s.typ == dns.TypeNSEC || s.typ == dns.TypeNSEC3) && len(s.rrs) > 0 {
			return false
		}
	}
	return true
}

// lacking explains that nothing proves a claim, such as "that the name does not exist".
func (d denials) lacking(zoneName, name string, t uint16, claim string) *Finding {
	switch {
	case d.excess != nil:
		return d.excess
	case d.broken != nil:
		return d.broken
	case len(d.nsec) == 0 && d.nsec3 == nil:
		return bogus(dns.ExtendedErrorCodeNSECMissing, zoneName, name, t, "the answer has no NSEC or NSEC3 record of %s to prove %s", short(zoneName), claim)
	}
	kind := "NSEC3"
	if len(d.nsec) > 0 {
		kind = "NSEC"
	}
	return bogus(dns.ExtendedErrorCodeNSECMissing, zoneName, name, t, "the %s records of %s do not prove %s", kind, short(zoneName), claim)
}

// types is a type bitmap.
type types []uint16

func (b types) has(t uint16) bool { return slices.Contains(b, t) }

// delegation tells a record of the parent's side of a cut: it says nothing about
// the child's types or names (RFC 6840 section 4.1).
func (b types) delegation() bool { return b.has(dns.TypeNS) && !b.has(dns.TypeSOA) }

// endsHere tells that names below the owner are not this zone's to deny.
func (b types) endsHere() bool { return b.delegation() || b.has(dns.TypeDNAME) }

// deny reads the bitmap of the record that matches name.
func (b types) deny(name string, t uint16, nxdomain bool) proof {
	switch {
	case b.has(dns.TypeNXNAME):
		// RFC 9824: the name does not exist, whatever the RCODE.
		return provenNoName
	case nxdomain, b.has(t), b.has(dns.TypeCNAME):
		return provenNothing
	case t == dns.TypeDS && b.has(dns.TypeSOA) && name != ".":
		return provenNothing // the child's own record, RFC 4035 section 5.2
	case t == dns.TypeDS && b.has(dns.TypeNS) && name != ".":
		return provenDelegation
	case t != dns.TypeDS && b.delegation():
		return provenNothing
	}
	return provenNoData
}

// denyNSEC follows RFC 4035 section 5.4 with RFC 6840 section 4.
func denyNSEC(set []*dns.NSEC, zoneName, name string, t uint16, nxdomain bool) proof {
	if n := matchingNSEC(set, name); n != nil {
		return types(n.TypeBitMap).deny(name, t, nxdomain)
	}
	n := coveringNSEC(set, zoneName, name)
	if n == nil {
		return provenNothing
	}
	if below(name, nextName(n)) {
		// An empty non-terminal: there is nothing at it, but names below it.
		if nxdomain {
			return provenNothing
		}
		return provenNoData
	}
	wildcard := wildcardOf(closestEncloser(n, name))
	if nxdomain {
		if w := coveringNSEC(set, zoneName, wildcard); w != nil && !below(wildcard, nextName(w)) {
			return provenNoName
		}
		return provenNothing
	}
	if w := matchingNSEC(set, wildcard); w != nil {
		return types(w.TypeBitMap).deny(wildcard, t, false)
	}
	return provenNothing
}

func matchingNSEC(set []*dns.NSEC, name string) *dns.NSEC {
	for _, n := range set {
		if n.Hdr.Name == name {
			return n
		}
	}
	return nil
}

func coveringNSEC(set []*dns.NSEC, zoneName, name string) *dns.NSEC {
	for _, n := range set {
		owner, next := n.Hdr.Name, nextName(n)
		if !inZone(zoneName, next) || below(owner, name) && types(n.TypeBitMap).endsHere() {
			continue
		}
		after := compareNames(owner, name) < 0
		before := compareNames(name, next) < 0
		// The last record of the chain points back to the apex.
		last := compareNames(next, owner) <= 0
		if after && before && !last || last && after {
			return n
		}
	}
	return nil
}

func nextName(n *dns.NSEC) string {
	next, _ := canonicalName(n.NextDomain)
	return next
}

// closestEncloser is the longest existing ancestor of name that a record which
// covers it reveals.
func closestEncloser(n *dns.NSEC, name string) string {
	a, b := closestCommon(name, n.Hdr.Name), closestCommon(name, nextName(n))
	if len(a) > len(b) {
		return a
	}
	return b
}
