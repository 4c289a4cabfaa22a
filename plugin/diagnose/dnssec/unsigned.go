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
func (r *run) unsigned(f *Finding, p place, what []*rrset) *Finding {
	for _, set := range what {
		if len(set.sigs) > 0 {
			return f
		}
	}
	if f.Status != Bogus || len(what) == 0 || f.Owner != what[0].name {
		return f
	}
	if alias := find(r.ask(f.Owner, dns.TypeDS).answer, f.Owner, dns.TypeCNAME); alias != nil && what[0].typ != dns.TypeCNAME {
		return undecided(f.Zone, f.Owner, f.Type, "%s has no alias by its answer and one by the answer to a question for its DS: not both come from its zone", short(f.Owner))
	}
	f.Unsigned = what[0].rrs
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
