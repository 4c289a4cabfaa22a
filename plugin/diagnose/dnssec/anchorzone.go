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
// DNSSEC, and with ones that are out of their time the clock is suspect.
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
		z.end.Stripped = true
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
		z.end.Stripped = true
		r.step(false, name, "%s", z.end.Text)
		return z
	}
	r.selfSigned(z, set, trusted, fmt.Sprintf("trust anchor %s of %s", tags(trusted), name))
	if outOfTime(z.end) && r.clockSuspect(name) {
		z.end = clock(z.end)
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

// clockSuspect tells whether signatures of an anchor's zone that are out of
// their time speak against this machine's clock. For a private anchor the root
// is the witness, if there is an anchor for it.
func (r *run) clockSuspect(anchor string) bool {
	if anchor == "." {
		return true
	}
	if top, ok := r.anchorAbove("."); ok && top == "." {
		root := r.prime(".")
		return root.end != nil && root.end.Clock
	}
	return true
}

// clock turns "expired" of an anchor's zone into a finding on this machine.
func clock(f *Finding) *Finding {
	c := *f
	c.Status, c.Codes, c.Clock = Undecided, nil, true
	c.Text = finding(Undecided, "", "", 0, nil, "this machine's clock is suspect: the trust anchor zone's own signature of %s %s is valid from %s to %s",
		short(f.Owner), typeName(f.Type), stamp(f.Inception), stamp(f.Expiration)).Text
	return &c
}
