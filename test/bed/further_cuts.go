package bed

import "github.com/miekg/dns"

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
