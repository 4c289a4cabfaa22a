package dnssec

import (
	"github.com/miekg/dns"
)

// cutKind is what a DS query says about a name inside a zone.
type cutKind uint8

const (
	cutNone     cutKind = iota // no delegation there
	cutNoName                  // nor anything below
	cutSecure                  // a DS RRset that holds
	cutInsecure                // proven to have no DS, or to be beyond proof
	cutBroken                  // a DS RRset of this zone that does not hold
	cutUnclear                 // nothing proven; to blame only if it matters
)

type cut struct {
	kind cutKind
	ds   []*dns.DS
	end  *Finding
	// bare says of an unclear cut that nothing in the denial is signed.
	bare bool
}

// place is where a name stands in the tree: the zone that signs it, or where the
// chain to it ended. unclear is the first name on the way of which nothing could
// be proven.
type place struct {
	zone    *zone
	end     *Finding
	unclear *Finding
	// bare says that unclear rests on a denial in which nothing is signed.
	bare bool
	// absent is the name on the way that is proven not to exist.
	absent string
}

// descend follows the chain from the anchor to the zone of name. signer is the
// zone that the answer's own signatures name: a hint, which saves queries and
// keeps names between zones, that no validator would ask about, out of the case.
func (r *run) descend(name, signer string) place {
	top, ok := r.anchorAbove(name)
	if nta, negative := r.negative(name, top, ok); negative {
		r.step(true, nta, "%s is private, and is not validated", nta)
		return place{end: finding(Insecure, nta, name, 0, nil, "%s is private, and is not validated", short(nta))}
	}
	if !ok {
		return place{end: finding(Insecure, "", name, 0, nil, "no trust anchor is above %s", short(name))}
	}
	p := place{zone: r.prime(top)}
	// A zone holds at least one label more than the one before it, so the
	// number of labels bounds the loop.
	for at := top; ; {
		if p.zone.end != nil {
			p.end = p.zone.end
			return p
		}
		if at == name || signer == p.zone.name {
			return p
		}
		next := r.vouchedFor(p.zone.name, signer)
		if next == "" || !below(at, next) || !inZone(next, name) {
			next = suffix(name, dns.CountLabel(at)+1)
		}
		c := r.cutAt(p.zone, next)
		switch c.kind {
		case cutSecure:
			p = place{zone: r.enter(next, p.zone.name, c.ds)}
		case cutInsecure, cutBroken:
			p.end = c.end
			if p.unclear != nil && c.kind == cutBroken {
				p.end = p.suspect()
			}
			return p
		case cutUnclear:
			if p.unclear == nil {
				p.unclear, p.bare = c.end, c.bare
			}
			if c.end.Status == Undecided {
				p.end = p.unclear
				return p
			}
		case cutNoName:
			p.absent = next
			return p
		}
		at = next
	}
}

// vouchedFor goes up from signer, from each DS RRset to the zone that signs it,
// to the cut directly below zone. It is "" if that way does not lead to zone.
func (r *run) vouchedFor(zone, signer string) string {
	for signer != "" && below(zone, signer) {
		m := r.ask(signer, dns.TypeDS)
		set := find(m.answer, signer, dns.TypeDS)
		if set == nil {
			return ""
		}
		by := set.signer(parent(signer))
		if by == zone {
			return signer
		}
		signer = by
	}
	return ""
}

// cutAt asks zone z whether name is delegated, and how.
func (r *run) cutAt(z *zone, name string) cut {
	if c, ok := r.cuts[name]; ok {
		return c
	}
	c := r.readCut(z, name)
	r.cuts[name] = c
	switch c.kind {
	case cutNone, cutNoName:
		r.step(true, z.name, "no zone cut at %s", name)
	case cutInsecure:
		r.step(true, z.name, "%s", c.end.Text)
	case cutBroken, cutUnclear:
		r.step(false, z.name, "%s", c.end.Text)
	}
	return c
}

func (r *run) readCut(z *zone, name string) cut {
	m := r.ask(name, dns.TypeDS)
	if m.failed != nil {
		return cut{kind: cutUnclear, end: m.failed}
	}
	if set := find(m.answer, name, dns.TypeDS); set != nil {
		return r.readDS(z, set)
	}
	// An alias cannot be at a zone's apex (RFC 2181 section 10.1), and there is
	// nothing below a DNAME. That alias is judged if the question leads there.
	if find(m.answer, name, dns.TypeCNAME) != nil || dnameAbove(m, name) != nil {
		return cut{kind: cutNone}
	}
	proof, f := r.deny(z, m, name, dns.TypeDS)
	switch {
	case f != nil && f.Status == Insecure:
		return cut{kind: cutInsecure, end: f}
	case f != nil:
		return cut{kind: cutUnclear, end: f, bare: bare(m)}
	case proof == provenDelegation:
		return cut{kind: cutInsecure, end: finding(Insecure, z.name, name, dns.TypeDS, nil,
			"%s is delegated without DS by %s, which proves it", short(name), short(z.name))}
	case proof == provenOptOut:
		return cut{kind: cutInsecure, end: finding(Insecure, z.name, name, dns.TypeDS, nil,
			"%s is in an opt-out span of %s: it has no DS", short(name), short(z.name))}
	case proof == provenNoName:
		return cut{kind: cutNoName}
	}
	return cut{kind: cutNone}
}

func (r *run) readDS(z *zone, set *rrset) cut {
	if _, f := r.verify(z.name, set, z.keys); f != nil {
		switch {
		case f.Status == Undecided, len(set.sigs) > 0 && !set.signedBy(z.name):
			return cut{kind: cutUnclear, end: f}
		case z.anchor && outOfTime(f) && r.wholeZoneOutOfTime(z):
			f = r.outdated(z.name, f)
		}
		return cut{kind: cutBroken, end: f}
	}
	var dss []*dns.DS
	for _, rr := range set.rrs {
		if ds, ok := rr.(*dns.DS); ok {
			dss = append(dss, ds)
		}
	}
	if len(dss) == 0 {
		return cut{kind: cutUnclear, end: undecided(z.name, set.name, dns.TypeDS, "the DS of %s cannot be read", short(set.name))}
	}
	return cut{kind: cutSecure, ds: dss}
}

// wholeZoneOutOfTime asks a second RRset of the anchor's zone when a first is out of its
// time though the DNSKEY RRset is not: if the SOA is too, it is the clock or an old copy.
func (r *run) wholeZoneOutOfTime(z *zone) bool {
	m := r.ask(z.name, dns.TypeSOA)
	soa := find(m.answer, z.name, dns.TypeSOA)
	if m.failed != nil || soa == nil {
		return false
	}
	_, f := r.verify(z.name, soa, z.keys)
	return outOfTime(f)
}
