package bed

import (
	"time"

	"github.com/miekg/dns"
)

// furtherDS are DS RRsets of several records. One that matches suffices (RFC
// 4035 section 5.2, RFC 6840 section 5.11), and those of unknown algorithms or
// digests do not count (RFC 4035 section 5.2, RFC 6840 section 5.2).
func furtherDS() []Case {
	digests := func(types ...uint8) func(*Zone) []dns.RR {
		return func(z *Zone) []dns.RR {
			var rrs []dns.RR
			for _, d := range types {
				rrs = append(rrs, z.KSK().Published.ToDS(d))
			}
			return rrs
		}
	}
	changed := func(ds func(*Zone) []dns.RR, changes map[int]func(*dns.DS)) func(*Zone) []dns.RR {
		return func(z *Zone) []dns.RR {
			rrs := ds(z)
			for i, change := range changes {
				change(rrs[i].(*dns.DS))
			}
			return rrs
		}
	}
	wrong := func(ds *dns.DS) { ds.Digest = ds.Digest[2:] + ds.Digest[:2] }
	otherTag := func(ds *dns.DS) { ds.KeyTag += 7 }
	unknownDigest := func(ds *dns.DS) { ds.DigestType = 100 }
	unknownAlgorithm := func(ds *dns.DS) { ds.Algorithm = 100 }
	type at = map[int]func(*dns.DS)
	one, two := digests(dns.SHA256), digests(dns.SHA256, dns.SHA256)
	return []Case{
		{Name: "standby-ds-with-one-that-matches", DS: changed(two, at{0: otherTag})},
		{Name: "ds-unknown-digest-with-good", DS: changed(two, at{0: unknownDigest})},
		{Name: "ds-unknown-algorithm-with-good", DS: changed(two, at{0: unknownAlgorithm})},
		// The one that counts has no key: 4.10, and not 4.2 or 4.3, which are for
		// sets without any that counts.
		{Name: "ds-unknown-digest-with-wrong", DS: changed(two, at{0: unknownDigest, 1: wrong}), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "ds-unknown-algorithm-with-wrong", DS: changed(two, at{0: unknownAlgorithm, 1: wrong}), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "ds-two-tags-none-matches", DS: changed(two, at{0: otherTag, 1: func(ds *dns.DS) { ds.KeyTag -= 7 }}), Expected: codes(9), AlsoTrue: codes(6)},
		// None counts, for two reasons: insecure (RFC 4035 section 5.2).
		{Name: "ds-one-unknown-digest-one-unknown-algorithm", DS: changed(two, at{0: unknownDigest, 1: unknownAlgorithm}),
			Expected: codes(1, 2), AlsoTrue: codes(1, 2, 9)},
		{Name: "ds-gost-digest", DS: changed(one, at{0: func(ds *dns.DS) { ds.DigestType = dns.GOST94 }}), Expected: codes(2), AlsoTrue: codes(9)},
		{Name: "ds-algorithm-0", DS: changed(one, at{0: func(ds *dns.DS) { ds.Algorithm = 0 }}), Expected: codes(1, 9)},
		{Name: "ds-private-algorithm", DS: changed(one, at{0: func(ds *dns.DS) { ds.Algorithm = dns.PRIVATEDNS }}), Expected: codes(1, 9)},
		{Name: "ds-of-another-algorithm-with-good", DS: changed(two, at{0: func(ds *dns.DS) { ds.Algorithm = dns.RSASHA256 }})},
		{Name: "ds-of-the-zsk", DS: func(z *Zone) []dns.RR { return []dns.RR{z.ZSK().Published.ToDS(dns.SHA256)} }},
		{Name: "ds-sha1-only", DS: digests(dns.SHA1), AlsoTrue: codes(2)},
		{Name: "ds-sha384", DS: digests(dns.SHA384)},
		// RFC 4509 section 3: where there is SHA-256, SHA-1 is ignored.
		{Name: "ds-sha1-is-wrong-with-sha256", DS: changed(digests(dns.SHA1, dns.SHA256), at{0: wrong})},
		{Name: "ds-sha256-is-wrong-with-sha1", DS: changed(digests(dns.SHA1, dns.SHA256), at{1: wrong}), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "ds-sha384-is-wrong", DS: changed(digests(dns.SHA384), at{0: wrong}), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "ds-digest-cut-short", DS: changed(one, at{0: func(ds *dns.DS) { ds.Digest = ds.Digest[:40] }}), Expected: codes(9), AlsoTrue: codes(6)},
		// The parent's own records about the child.
		{Name: "expired-ds-signature", AtParent: parentTimes(past, lately), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "not-yet-valid-ds-signature", AtParent: parentTimes(soon, later), Expected: codes(8), AlsoTrue: codes(6)},
		{Name: "reversed-ds-signature", AtParent: parentTimes(lately, past), Expected: codes(25), AlsoTrue: codes(6, 7)},
		{Name: "corrupt-ds-signature", AtParent: func(p, z *Zone) { p.corrupt(z.Name, dns.TypeDS, nil) }, Expected: codes(6)},
		{Name: "unsigned-ds", AtParent: func(p, z *Zone) { delete(p.Sigs[z.Name], dns.TypeDS) }, Expected: codes(10), AlsoTrue: codes(6)},
		// RFC 4035 section 5.2: a record of the child, with SOA in its bitmap, does
		// not show that there is no DS; 4.13, as no covering proof came.
		{Name: "ds-denied-by-the-child", DS: NoDS, AtParent: deniedByChild, Expected: codes(12, 6), AlsoTrue: codes(6, 9, 10, 12)},
	}
}

func parentTimes(from, to time.Duration) func(parent, z *Zone) {
	return func(p, z *Zone) {
		now := p.From.Add(2 * day)
		p.ResignBetween(z.Name, dns.TypeDS, p.RRs[z.Name][dns.TypeDS], now.Add(from), now.Add(to))
	}
}

// deniedByChild has the question for the child's DS answered as a server does
// that holds both zones and looks into the wrong one.
func deniedByChild(parent, z *Zone) {
	parent.intercept(func(q dns.Question, m *dns.Msg) *dns.Msg {
		if q.Qtype != dns.TypeDS || dns.CanonicalName(q.Name) != z.Name {
			return m
		}
		m.Answer, m.Ns = nil, nil
		z.soa(m)
		z.denyData(m, z.Name)
		return m
	})
}

// furtherCuts are chains of several zones: the fault of a zone above the one that
// was asked is the finding, and what lies below an insecure delegation is not
// judged (RFC 4035 section 5.2).
func furtherCuts() []Case {
	const www = "www.sub"
	broken := Times(0, past, lately)
	none := func(*Zone) {}
	above := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: www, Children: SignedChild, After: after, Expected: codes(code), AlsoTrue: also}
	}
	ofChild := func(change func(z *Zone, name string)) func(*Zone) {
		return func(z *Zone) { change(z, under("sub", z.Name)) }
	}
	insecure := func(name string, before func(*Zone), code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: www, Before: before, Children: UnsignedChild, After: after, Expected: codes(code), AlsoTrue: also}
	}
	return []Case{
		{Name: "two-cuts-on-one-server", Ask: www, Children: SignedChild},
		{Name: "two-cuts-nsec3", Ask: www, Before: Hashed(0), Children: SignedChild},
		{Name: "three-cuts", Ask: "www.deep.sub", Children: func(b *Bed, z *Zone) {
			child := b.Zone(under("sub", z.Name))
			addChild(b, child, "deep", nil, nil)
			ds := records(child.DS())
			child.Sign()
			b.Delegate(z, child, ds)
		}},
		{Name: "cut-below-empty-names", Ask: "www.a.b.c", Children: func(b *Bed, z *Zone) { addChild(b, z, "a.b.c", nil, nil) }},
		{Name: "nxdomain-below-a-cut", Ask: missing + ".sub", Children: SignedChild},
		{Name: "ds-between", Ask: "sub", Type: dns.TypeDS, Children: SignedChild},
		{Name: "no-ds-between", Ask: "sub", Type: dns.TypeDS, Children: UnsignedChild},
		// The parent is at fault for all that is below it.
		above("parent-keys-expired", 7, Times(dns.TypeDNSKEY, past, lately), 6),
		above("parent-keys-unsigned", 10, Unsign(dns.TypeDNSKEY), 6),
		above("parent-ds-expired", 7, Times(dns.TypeDS, past, lately), 6),
		above("parent-ds-unsigned", 10, Unsign(dns.TypeDS), 6),
		above("parent-ds-corrupt", 6, Corrupt(dns.TypeDS)),
		{Name: "parent-ds-matches-nothing", Ask: www, DS: ChangedDS(func(ds *dns.DS) { ds.KeyTag++ }), Children: SignedChild,
			Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "parent-and-child-broken", Ask: www, Children: Child(nil, broken), After: Corrupt(dns.TypeDS), Expected: codes(6), AlsoTrue: codes(7)},
		// A good parent, a broken child.
		{Name: "child-expired", Ask: www, Children: Child(nil, broken), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "child-unsigned-but-has-a-ds", Ask: www, Children: unsignedWithDS, Expected: codes(9, 10), AlsoTrue: codes(6, 9, 10)},
		{Name: "child-nsec-missing", Ask: missing + ".sub", Children: Child(nil, Drop(dns.TypeNSEC)), Expected: codes(12), AlsoTrue: codes(6)},
		// Insecure: proven to have no DS.
		{Name: "unsigned-child", Ask: www, Children: UnsignedChild},
		{Name: "unsigned-child-nsec3", Ask: www, Before: Hashed(0), Children: UnsignedChild},
		{Name: "opt-out-unsigned-child", Ask: www, Before: optOut, Children: UnsignedChild},
		{Name: "unsigned-child-many-iterations", Ask: www, Before: Hashed(500), Children: UnsignedChild, Expected: codes(27)},
		// RFC 4035 section 5.2: without the proof, RRSIGs were expected of the child.
		insecure("no-ds-proof-missing", none, 12, Drop(dns.TypeNSEC), 6, 10),
		insecure("no-ds-proof-missing-nsec3", Hashed(0), 12, Drop(dns.TypeNSEC3), 6, 10),
		insecure("no-ds-proof-missing-opt-out", optOut, 12, Drop(dns.TypeNSEC3), 6, 10),
		insecure("no-ds-proof-expired", none, 7, ofChild(func(z *Zone, name string) {
			now := z.From.Add(2 * day)
			z.ResignBetween(name, dns.TypeNSEC, z.RRs[name][dns.TypeNSEC], now.Add(past), now.Add(lately))
		}), 6, 10, 12),
		insecure("no-ds-proof-corrupt", none, 6, ofChild(func(z *Zone, name string) { z.corrupt(name, dns.TypeNSEC, nil) }), 10, 12),
		insecure("no-ds-proof-unsigned", none, 10, ofChild(func(z *Zone, name string) { delete(z.Sigs[name], dns.TypeNSEC) }), 6, 12),
		// The bitmap of the delegation says that there is a DS, and none is sent.
		insecure("no-ds-but-bitmap-has-one", none, 12, bitmapWith(dns.TypeDS), 6, 9, 10),
		// The record is there, and is that of no delegation: without NS it does not
		// speak of a cut (RFC 6840 section 4.4), so the name is this zone's to sign.
		{Name: "no-ds-proof-without-ns", Ask: www, Children: UnsignedChild, After: ResignedNSEC(func(z *Zone, n *dns.NSEC) {
			if n.Hdr.Name == under("sub", z.Name) {
				n.TypeBitMap = []uint16{dns.TypeRRSIG, dns.TypeNSEC}
			}
		}), Expected: codes(10, 12), AlsoTrue: codes(6, 10, 12)},
		// Islands: signed, and reached by no chain.
		{Name: "island-broken", DS: NoDS, After: broken},
		{Name: "island-unsigned-parent", Ask: www, Before: Unsigned, Children: Child(nil, broken)},
		{Name: "island-without-denial", Ask: missing, DS: NoDS, After: Drop(dns.TypeNSEC)},
	}
}

// unsignedWithDS is a child that went unsigned while its DS stayed.
func unsignedWithDS(b *Bed, z *Zone) {
	child := b.Zone(under("sub", z.Name))
	ds := records(child.DS())
	child.Unsigned = true
	child.Sign()
	b.Delegate(z, child, ds)
}
