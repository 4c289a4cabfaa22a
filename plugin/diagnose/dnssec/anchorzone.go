package dnssec

import (
	"fmt"

	"github.com/miekg/dns"
)

// anchorAbove is the longest name at or above name that has an anchor; ok is
// false without one.
func (r *run) anchorAbove(name string) (string, bool) {
	best, ok := "", false
	for _, rr := range r.Anchors {
		owner, valid := canonicalName(rr.Header().Name)
		if valid && inZone(owner, name) && (!ok || len(owner) > len(best) || best == ".") {
			best, ok = owner, true
		}
	}
	return best, ok
}

// negative tells names that the public tree does not judge (RFC 7646): those
// under a negative anchor to which no anchor is as close.
func (r *run) negative(name, anchor string, anchored bool) (string, bool) {
	for _, s := range r.NegativeAnchors {
		nta, valid := canonicalName(s)
		if valid && inZone(nta, name) && !(anchored && inZone(nta, anchor)) {
			return nta, true
		}
	}
	return "", false
}

// prime validates the DNSKEY RRset of an anchor's zone. It is the positive
// control of everything below: without RRSIGs here the resolver does not do
// DNSSEC, and with ones that are out of their time the clock may be wrong.
func (r *run) prime(name string) *zone {
	if z, ok := r.zones[name]; ok && z.anchor {
		return z
	}
	z := &zone{name: name, anchor: true}
	r.zones[name] = z
	var dss []*dns.DS
	for _, rr := range r.Anchors {
		if owner, ok := canonicalName(rr.Header().Name); !ok || owner != name {
			continue
		}
		switch a := rr.(type) {
		case *dns.DS:
			dss = append(dss, a)
		case *dns.DNSKEY:
			dss = append(dss, a.ToDS(dns.SHA256))
		}
	}
	dss = compact(dss)
	if len(dss) == 0 {
		z.end = undecided(name, name, dns.TypeDNSKEY, "the trust anchors of %s cannot be read", short(name))
		return z
	}
	usable, f := r.usableDS(name, name, dss)
	if f != nil {
		r.step(true, name, "%s: insecure", f.Text)
		z.end = f
		return z
	}
	m := r.ask(name, dns.TypeDNSKEY)
	if m.failed != nil {
		r.step(false, name, "%s", m.failed.Text)
		z.end = m.failed
		return z
	}
	set := find(m.answer, name, dns.TypeDNSKEY)
	if set == nil {
		z.end = undecided(name, name, dns.TypeDNSKEY, "the resolver gives no DNSKEY for the trust anchor's zone %s", short(name))
		z.end.Stripped = r.strips(name)
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	if z.keys, z.end = keysOf(set); z.end != nil {
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	var trusted []*dns.DNSKEY
	for _, k := range z.keys {
		for _, ds := range usable {
			if entryPoint(ds, k) == gradeGood {
				trusted = append(trusted, k)
				break
			}
		}
	}
	if len(trusted) == 0 {
		// Another root, or anchors that are out of date: not any zone's fault.
		z.end = undecided(name, name, dns.TypeDNSKEY, "no trust anchor matches a DNSKEY of %s (key tags %s)", short(name), tags(z.keys))
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	if len(set.sigs) == 0 && !r.givesSignatures(name) {
		z.end = undecided(name, name, dns.TypeDNSKEY, "the resolver gives no RRSIGs: it does not do DNSSEC, or something on the way strips it")
		z.end.Stripped = r.strips(name)
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	r.selfSigned(z, set, trusted, fmt.Sprintf("trust anchor %s of %s", tags(trusted), name))
	if outOfTime(z.end) {
		z.end = r.outdated(name, z.end)
	}
	return z
}

func compact(dss []*dns.DS) []*dns.DS {
	kept := dss[:0]
	for _, ds := range dss {
		if ds != nil {
			kept = append(kept, ds)
		}
	}
	return kept
}

// givesSignatures is asked when an anchor's DNSKEY came without RRSIG. For a
// private anchor the root may still show that the resolver gives RRSIGs.
func (r *run) givesSignatures(anchor string) bool {
	if anchor == "." {
		return false
	}
	m := r.ask(".", dns.TypeDNSKEY)
	set := find(m.answer, ".", dns.TypeDNSKEY)
	return m.failed == nil && set != nil && len(set.sigs) > 0
}

// strips reports whether not even the root came with signatures, which an anchor's zone
// did not.
func (r *run) strips(anchor string) bool {
	return anchor == "." || r.ask(".", dns.TypeDNSKEY).failed == nil && !r.givesSignatures(anchor)
}

// outdated tells what signatures of an anchor's zone that are out of their time, as f
// says, speak against. One zone is one witness: the resolver may have an old copy of it, as
// of a root zone of its own (RFC 8806). It is this machine's clock only if those of another
// zone are out of their time in the same way. For a private anchor the root is that other
// zone, if there is an anchor for it.
func (r *run) outdated(anchor string, f *Finding) *Finding {
	if top, ok := r.anchorAbove("."); ok && anchor != "." {
		switch root := r.prime(top); {
		case root.end == nil:
			return f
		case root.end.Clock:
			return clock(f)
		}
	}
	other, sig := r.otherSignature(anchor)
	if sig == nil {
		return undecided(f.Zone, f.Owner, f.Type, "%s; nothing shows whether this machine's clock is right", f.Text)
	}
	switch when := signatureTimes(sig, r.now); {
	case when != timesHold && timesCode[when] == f.Codes[0]:
		return clock(f)
	case when == timesHold && anchor != ".":
		return f
	case when == timesHold && serialTime(sig.Inception, r.now).After(f.Expiration):
		// It was made after the root's had expired, whatever the time is now.
		old := undecided(f.Zone, f.Owner, f.Type, "%s, before one of %s was made: the resolver has an old copy of the root zone", f.Text, short(other))
		old.Old = true
		return old
	}
	return undecided(f.Zone, f.Owner, f.Type, "%s; by the signatures of %s this machine's clock may be right", f.Text, short(other))
}

// otherSignature is one of a zone outside that of an anchor: of the top-level domain of
// the question, or of com; one that is in its time if there is any. It needs no key, since
// nobody signs ahead of the time. It is nil if none was to be had.
func (r *run) otherSignature(anchor string) (zone string, sig *dns.RRSIG) {
	for _, name := range []string{suffix(r.asked, 1), "com."} {
		if name == "." || anchor != "." && inZone(anchor, name) {
			continue
		}
		m := r.ask(name, dns.TypeSOA)
		soa := find(m.answer, name, dns.TypeSOA)
		if m.failed != nil || soa == nil || len(soa.sigs) == 0 {
			continue
		}
		sig = soa.sigs[0]
		for _, s := range soa.sigs[1:] {
			if signatureTimes(s, r.now) == timesHold {
				sig = s
			}
		}
		r.step(true, name, "the SOA of %s is signed from %s to %s", name, stamp(serialTime(sig.Inception, r.now)), stamp(serialTime(sig.Expiration, r.now)))
		return name, sig
	}
	return "", nil
}

// clock turns "expired" of an anchor's zone into a finding on this machine.
func clock(f *Finding) *Finding {
	c := *f
	c.Status, c.Codes, c.Clock = Undecided, nil, true
	c.Text = finding(Undecided, "", "", 0, nil, "this machine's clock is suspect: the trust anchor zone's own signature of %s %s is valid from %s to %s",
		short(f.Owner), typeName(f.Type), stamp(f.Inception), stamp(f.Expiration)).Text
	return &c
}
