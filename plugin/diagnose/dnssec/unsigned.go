package dnssec

import (
	"github.com/miekg/dns"
)

// Standing is what the signed records of a zone say of an RRset that came without
// a signature.
type Standing uint8

const (
	// Unproven: nothing.
	Unproven Standing = iota
	// Absent: the zone does not have it.
	Absent
	// Signed: the zone has the record, and a signature over it.
	Signed
)

// unsigned completes the finding f on sets of an answer none of which has a
// signature: with the records, and with what the zone itself proves of them. It
// costs no query that was not asked on the way down.
func (r *run) unsigned(f *Finding, p place, m *message, what []*rrset) *Finding {
	for _, set := range what {
		if len(set.sigs) > 0 {
			return f
		}
	}
	if f.Status == Bogus && len(what) == 0 && f != p.unclear {
		return bareDenial(f, p, m)
	}
	if f.Status != Bogus || len(what) == 0 || f.Owner != what[0].name {
		return f
	}
	if alias := find(r.ask(f.Owner, dns.TypeDS).answer, f.Owner, dns.TypeCNAME); alias != nil && what[0].typ != dns.TypeCNAME {
		return undecided(f.Zone, f.Owner, f.Type, "%s has no alias by its answer and one by the answer to a question for its DS: not both come from its zone", short(f.Owner))
	}
	f.Unsigned, f.Bare = what[0].rrs, true
	if p.absent != "" {
		f.Standing, f.Denied = Absent, p.absent
		return f
	}
	bits, ok := r.bitmap(p.zone, f.Owner)
	switch {
	case !ok || bits.delegation():
	case bits.has(what[0].typ):
		f.Standing = Signed
	default:
		f.Standing, f.Denied = Absent, f.Owner
	}
	return f
}

// bareDenial completes a finding on a denial. If it is without any signature, its SOA may
// show that it comes from a zone that is proven not to exist.
func bareDenial(f *Finding, p place, m *message) *Finding {
	if f.Bare = bare(m); !f.Bare || p.absent == "" {
		return f
	}
	for i := range m.authority {
		if s := &m.authority[i]; s.typ == dns.TypeSOA && inZone(p.absent, s.name) {
			f.Standing, f.Denied = Absent, p.absent
		}
	}
	return f
}

// keyless completes the finding f on the keys of a zone that the chain ended at: if it has
// none, and the answer m is not signed either, there is no sign that they are the zone's.
func (r *run) keyless(f *Finding, m *message) *Finding {
	if f.Status != Bogus || f.Type != dns.TypeDNSKEY || m.failed != nil {
		return f
	}
	keys := r.ask(f.Owner, dns.TypeDNSKEY)
	if keys.failed != nil || len(keys.answer) > 0 || !bare(keys) || !bare(m) {
		return f
	}
	own := *f
	for i := range m.answer {
		if set := &m.answer[i]; inZone(f.Owner, set.name) {
			if len(set.sigs) > 0 {
				return f
			}
			own.Unsigned = append(own.Unsigned, set.rrs...)
		}
	}
	own.Bare = true
	return &own
}

// bitmap returns the types that zone z has at name, of the signed record that came
// with the denial of its DS.
func (r *run) bitmap(z *zone, name string) (types, bool) {
	d := r.denials(z, r.ask(name, dns.TypeDS))
	if n := matchingNSEC(d.nsec, name); n != nil {
		return n.TypeBitMap, true
	}
	if d.nsec3 != nil {
		if n := d.nsec3.matching(name); n != nil {
			return n.TypeBitMap, true
		}
	}
	return nil, false
}

// bare tells a denial in which nothing at all is signed, as a filter or a server
// of another zone gives it: it is no evidence against the zone.
func bare(m *message) bool {
	for i := range m.authority {
		if len(m.authority[i].sigs) > 0 {
			return false
		}
	}
	return true
}
