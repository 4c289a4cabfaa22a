package dnssec

import (
	"strings"

	"github.com/miekg/dns"
)

// hop judges one link of an alias chain: what name has of type t. The second
// result is the next name of the chain, empty at its end.
func (r *run) hop(name string, t uint16) (*Finding, string) {
	// A DS RRset belongs to the parent's side of a cut (RFC 4035 section 2.4).
	at := name
	if t == dns.TypeDS {
		at = parent(name)
	}
	top, ok := r.anchorAbove(at)
	if nta, negative := r.negative(at, top, ok); negative || !ok {
		return r.descend(at, nta).end, ""
	}
	m := r.ask(name, t)
	what := matching(m, name, t)
	signer := signerOf(m, what, at)
	p := r.descend(at, signer)
	if f := withheld(m, p); f != nil {
		f.Reached = p.zone.name
		if alias := r.alias(m, name, t); alias != nil {
			m, what = alias, matching(alias, name, t)
			signer = signerOf(m, what, at)
			p = r.descend(at, signer)
		}
	}
	switch {
	case p.end != nil && p.end.Status != Insecure:
		return r.keyless(p.end, m), ""
	case m.failed != nil:
		if p.unclear != nil {
			return p.unclear, ""
		}
		r.step(false, p.name(), "%s", m.failed.Text)
		return m.failed, ""
	case p.end != nil:
		return p.end, aliasTarget(what, name, t)
	}
	f := r.judgeAnswer(p.zone, m, what, name, t)
	if f == nil {
		f = finding(Secure, p.zone.name, name, t, nil, "%s %s validates with the keys of %s", short(name), typeName(t), short(p.zone.name))
	}
	if f.Status == Bogus && p.unclear != nil && signer != p.zone.name {
		f = r.blame(m, p, f)
	}
	f = r.unsigned(f, p, m, what)
	if f != p.unclear {
		r.step(f.Status != Bogus && f.Status != Undecided, p.zone.name, "%s", f.Text)
	}
	return f, aliasTarget(what, name, t)
}

// alias asks for the alias at a name whose answer the resolver keeps to itself: it
// may do so for what the alias leads to. nil if there is none to be had.
func (r *run) alias(m *message, name string, t uint16) *message {
	if m.failed == nil || !m.failed.Withheld || t == dns.TypeCNAME {
		return nil
	}
	alias := r.ask(name, dns.TypeCNAME)
	if alias.failed != nil || len(matching(alias, name, dns.TypeCNAME)) == 0 {
		return nil
	}
	return alias
}

// withheld is the finding on what the resolver keeps to itself, at p or on the way
// beyond it; nil if it does not, or if no zone was reached whose keys hold.
func withheld(m *message, p place) *Finding {
	f := p.end
	if f == nil {
		f = m.failed
	}
	if f == nil || !f.Withheld || p.zone == nil || p.zone.end != nil {
		return nil
	}
	return f
}

func (p place) name() string {
	if p.zone == nil {
		return "."
	}
	return p.zone.name
}

// matching picks the sets of an answer that speak for name: those of the type,
// else the DNAME above it, else its CNAME. Empty means a negative answer.
func matching(m *message, name string, t uint16) []*rrset {
	if t == dns.TypeANY {
		var all []*rrset
		for i := range m.answer {
			s := &m.answer[i]
			// At a cut the parent has a DS and an NSEC of its own, which resolvers
			// mix into what they have.
			parents := s.typ == dns.TypeDS || s.typ == dns.TypeNSEC
			if s.name == name && len(s.rrs) > 0 && !parents {
				all = append(all, s)
			}
		}
		return all
	}
	if s := find(m.answer, name, t); s != nil {
		return []*rrset{s}
	}
	cname := find(m.answer, name, dns.TypeCNAME)
	if dname := dnameAbove(m, name); dname != nil && (cname == nil || len(cname.sigs) == 0) {
		// The CNAME was made from it and is not signed (RFC 6672 section 5.3.1).
		return []*rrset{dname}
	}
	if cname != nil {
		return []*rrset{cname}
	}
	return nil
}

func dnameAbove(m *message, name string) *rrset {
	for i := range m.answer {
		if s := &m.answer[i]; s.typ == dns.TypeDNAME && len(s.rrs) > 0 && below(s.name, name) {
			return s
		}
	}
	return nil
}

// signerOf is the zone that the answer's signatures name, "" without any.
func signerOf(m *message, what []*rrset, at string) string {
	best := ""
	for _, s := range what {
		if z := s.signer(at); len(z) > len(best) {
			best = z
		}
	}
	if len(what) > 0 {
		return best
	}
	for i := range m.authority {
		s := &m.authority[i]
		switch s.typ {
		case dns.TypeSOA, dns.TypeNSEC, dns.TypeNSEC3:
			if z := s.signer(at); len(s.rrs) > 0 && len(z) > len(best) {
				best = z
			}
		}
	}
	return best
}

// judgeAnswer returns nil when the answer holds.
func (r *run) judgeAnswer(z *zone, m *message, what []*rrset, name string, t uint16) *Finding {
	for _, set := range what {
		sig, f := r.verify(z.name, set, z.keys)
		if f != nil {
			if z.anchor && outOfTime(f) && r.wholeZoneOutOfTime(z) {
				return r.outdated(z.name, f)
			}
			return f
		}
		owner := dns.CountLabel(set.name)
		if isWildcard(set.name) {
			owner--
		}
		if int(sig.Labels) < owner {
			if f := r.wildcard(z, m, set, int(sig.Labels)); f != nil {
				return f
			}
		}
	}
	if len(what) > 0 {
		return nil
	}
	proof, f := r.deny(z, m, name, t)
	if f != nil {
		return f
	}
	// The SOA proves nothing, but strict resolvers reject an answer whose SOA
	// does not hold, and say no more than SERVFAIL.
	if soa := find(m.authority, z.name, dns.TypeSOA); soa != nil {
		if _, f := r.verify(z.name, soa, z.keys); f != nil {
			return f
		}
	}
	if proof == provenOptOut {
		return finding(Insecure, z.name, name, t, nil, "%s is in an opt-out span of %s", short(name), short(z.name))
	}
	return nil
}

// blame chooses between an unsigned answer and a name above it of which nothing
// could be proven. That name is at fault only if it is a zone cut, as the answer's
// SOA or an NS RRset shows: a missing proof at any other name harms nobody.
func (r *run) blame(m *message, p place, f *Finding) *Finding {
	cut := p.unclear.Owner
	for _, s := range m.authority {
		if s.typ == dns.TypeSOA && len(s.rrs) > 0 && below(p.zone.name, s.name) && inZone(cut, s.name) {
			return p.suspect()
		}
	}
	ns := r.ask(cut, dns.TypeNS)
	switch {
	case ns.failed != nil:
		return ns.failed
	case find(ns.answer, cut, dns.TypeNS) != nil:
		return p.suspect()
	}
	return f
}

// suspect is the finding on the name of which nothing could be proven. A denial
// without any signature need not come from the zone above: an alias, or that there
// is no such name, may be the word of whoever stands between.
func (p place) suspect() *Finding {
	if !p.bare {
		return p.unclear
	}
	f := undecided(p.unclear.Zone, p.unclear.Owner, dns.TypeDS, "the DS of %s is denied without any signature, which need not be the word of %s",
		short(p.unclear.Owner), short(p.zone.name))
	return f
}

// aliasTarget is the next name of the chain, empty if there is none.
func aliasTarget(what []*rrset, name string, t uint16) string {
	if len(what) != 1 || what[0].typ == t || t == dns.TypeANY {
		return ""
	}
	var target string
	switch rr := what[0].rrs[0].(type) {
	case *dns.CNAME:
		target = rr.Target
	case *dns.DNAME:
		// RFC 6672 section 2.2: the owner is replaced by the target.
		target = strings.TrimSuffix(name, what[0].name)
		if what[0].name == "." {
			target = name
		}
		if rr.Target != "." {
			target += rr.Target
		}
	}
	next, _ := canonicalName(target)
	return next
}
