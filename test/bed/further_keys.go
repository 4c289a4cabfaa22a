package bed

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/miekg/dns"
)

// furtherKeys are DNSKEY RRsets in the states of a rollover (RFC 6781, RFC 7583),
// and keys that may not be used.
func furtherKeys() []Case {
	revoked := func(choose func(*Zone) *Key) func(*Zone) {
		return func(z *Zone) { PublishedFlags(choose, choose(z).Published.Flags|dns.REVOKE, true)(z) }
	}
	protocol := func(choose func(*Zone) *Key) func(*Zone) {
		return func(z *Zone) { choose(z).published(func(k *dns.DNSKEY) { k.Protocol = 2 }) }
	}
	garbage := func(choose func(*Zone) *Key) func(*Zone) {
		return func(z *Zone) {
			choose(z).published(func(k *dns.DNSKEY) { k.PublicKey = base64.StdEncoding.EncodeToString([]byte{1, 2, 3, 4}) })
		}
	}
	single := func(i int) func(*Zone) {
		return func(z *Zone) {
			z.Keys = z.Keys[i : i+1]
			z.Keys[0].ZSK, z.Keys[0].KSK = true, true
		}
	}
	oldKSK := func(change func(*Zone)) func(*Bed, *Zone) {
		return func(_ *Bed, z *Zone) { keepDS(z, change) }
	}
	p256, ed := dns.ECDSAP256SHA256, dns.ED25519
	return []Case{
		{Name: "ksk-rollover-both-published", Before: Another(dns.ZONE|dns.SEP, p256)},
		{Name: "ksk-rollover-old-ds-only", Children: oldKSK(Another(dns.ZONE|dns.SEP, p256))},
		// The parent still has the old DS, the child has already dropped that key.
		{Name: "ksk-rolled-over-too-early", Children: oldKSK(func(z *Zone) { z.Keys[0] = NewKey(z.t, z.Name, dns.ZONE|dns.SEP, p256) }),
			Expected: codes(9), AlsoTrue: codes(6)},
		// The key of the DS is published but does not sign: 4.11 for the RRSIG that
		// it owes; the other key's signature is there, so 4.7 may be all one says.
		{Name: "dnskey-signed-by-another-ksk-only", Children: oldKSK(Another(dns.ZONE|dns.SEP, p256)),
			After: func(z *Zone) {
				tag := z.Keys[0].Tag
				z.Sigs[z.Name][dns.TypeDNSKEY] = slices.DeleteFunc(z.Sigs[z.Name][dns.TypeDNSKEY], func(s *dns.RRSIG) bool { return s.KeyTag == tag })
			}, Expected: codes(10, 6), AlsoTrue: codes(6)},
		{Name: "zsk-pre-published", Before: Idle(dns.ZONE, p256)},
		{Name: "zsk-double-signature", Before: Another(dns.ZONE, p256)},
		// The new ZSK signs before it is published.
		{Name: "zsk-rolled-over-too-early", Before: func(z *Zone) {
			z.Keys = append(z.Keys, NewKey(z.t, z.Name, dns.ZONE, p256))
			z.Keys[1].ZSK = false
			z.Keys[2].Published = nil
		},
			Expected: codes(6, 9)},
		{Name: "algorithm-rollover-double-signed", Before: Both(Another(dns.ZONE|dns.SEP, ed), Another(dns.ZONE, ed))},
		// RFC 6840 section 5.11: a validator must not insist that all algorithms of
		// the DNSKEY RRset have signed.
		{Name: "algorithm-rollover-keys-before-signatures", Before: Both(Idle(dns.ZONE|dns.SEP, ed), Idle(dns.ZONE, ed))},
		{Name: "algorithm-rollover-ds-of-both-one-key", DS: func(z *Zone) []dns.RR {
			return append(records(z.DS()), NewKey(z.t, z.Name, dns.ZONE|dns.SEP, ed).Published.ToDS(dns.SHA256))
		}},
		{Name: "unknown-algorithm-with-known", Before: Both(Another(dns.ZONE|dns.SEP, 100), Another(dns.ZONE, 100))},
		{Name: "single-key", Before: single(0)},
		// The SEP bit is a hint for people (RFC 4034 section 2.1.1).
		{Name: "single-key-without-sep", Before: single(1)},
		{Name: "ksk-without-sep", Before: PublishedFlags(ksk, dns.ZONE, true)},
		{Name: "zsk-with-sep", Before: PublishedFlags(zsk, dns.ZONE|dns.SEP, true)},
		{Name: "idle-key-without-zone-bit", Before: Idle(0, p256)},
		// RFC 5011 section 2.1: a revoked key is none for the DS to match, and none
		// for data to be signed with.
		{Name: "ksk-revoked", Before: revoked(ksk), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "ksk-revoked-old-ds", Children: oldKSK(revoked(ksk)), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "zsk-revoked", Before: revoked(zsk), Expected: codes(6, 9)},
		{Name: "revoked-ksk-with-the-new-one", Before: Both(revoked(ksk), Another(dns.ZONE|dns.SEP, p256)),
			DS: func(z *Zone) []dns.RR { return []dns.RR{z.Keys[2].Published.ToDS(dns.SHA256)} }},
		// RFC 4034 section 2.1.2: a key whose protocol is not 3 is invalid, so there
		// is no usable one for the DS, or for the RRSIG.
		{Name: "ksk-protocol-2", Before: protocol(ksk), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "zsk-protocol-2", Before: protocol(zsk), Expected: codes(6, 9)},
		// The key is there and matches its DS, and nothing verifies with it.
		{Name: "ksk-unreadable", Before: garbage(ksk), Expected: codes(6), AlsoTrue: codes(9)},
		{Name: "zsk-unreadable", Before: garbage(zsk), Expected: codes(6), AlsoTrue: codes(9)},
		{Name: "two-keys-of-one-tag", Before: sameTag},
		{Name: "dnskey-nxdomain", After: Rcode(dns.TypeDNSKEY, dns.RcodeNameError), Expected: codes(9), AlsoTrue: codes(6, 12)},
		{Name: "dnskey-notimp", After: Rcode(dns.TypeDNSKEY, dns.RcodeNotImplemented), Expected: codes(9, 22, 23), AlsoTrue: codes(6)},
		{Name: "dnskey-formerr", After: Rcode(dns.TypeDNSKEY, dns.RcodeFormatError), Expected: codes(9, 22, 23), AlsoTrue: codes(6)},
	}
}

// published changes the record of a key in the zone; its tag in RRSIGs follows.
func (k *Key) published(change func(*dns.DNSKEY)) {
	c := *k.Published
	change(&c)
	k.Published, k.Tag = &c, c.KeyTag()
}

// sameTag gives the zone a second ZSK with the tag of the first.
func sameTag(z *Zone) {
	seen := make(map[uint16]*Key)
	for {
		k := NewKey(z.t, z.Name, dns.ZONE, dns.ECDSAP256SHA256)
		if other := seen[k.Tag]; other != nil {
			other.KSK, other.ZSK = false, false
			z.Keys = []*Key{z.Keys[0], k, other}
			return
		}
		seen[k.Tag] = k
	}
}

// furtherSignatures are RRSIGs that are there and do not hold, and some that do.
func furtherSignatures() []Case {
	fault := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Expected: codes(code), AlsoTrue: also, After: after}
	}
	asked := func(c Case, ask string, typ uint16) Case {
		c.Ask, c.Type = ask, typ
		return c
	}
	twice := func(name string, first, second Validity, expected, also []uint16) Case {
		return Case{Name: name, Before: Another(dns.ZONE, dns.ECDSAP256SHA256), After: SignedTwice(dns.TypeA, first, second),
			Expected: expected, AlsoTrue: also}
	}
	expired, future, good := Validity{past, lately}, Validity{soon, later}, Validity{-2 * day, soon}
	typeA := dns.TypeA
	return []Case{
		// RFC 4035 section 5.3.1 says what makes an RRSIG usable at all; one that
		// is not is Bogus (4.7). As the zone's own is missing then, 4.11 is true.
		fault("signed-by-the-parent", 6, SignedAs(typeA, func(*Zone) string { return TLD }), 10),
		fault("signed-out-of-zone", 6, SignedAs(typeA, func(*Zone) string { return "valid." + TLD }), 10),
		fault("signed-by-a-name-below", 6, SignedAs(typeA, func(z *Zone) string { return "www." + z.Name }), 10),
		fault("signer-name-altered", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.SignerName = TLD }), 10),
		{Name: "labels-too-many", After: Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Labels += 2 }), Expected: codes(6, 10)},
		fault("labels-too-few", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Labels-- }), 12),
		fault("original-ttl-altered", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.OrigTtl *= 2 })),
		fault("key-tag-altered", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.KeyTag += 7 }), 9, 10),
		fault("algorithm-altered", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Algorithm = dns.RSASHA256 }), 9, 10),
		fault("inception-altered", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Inception-- })),
		fault("signature-empty", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Signature = "" })),
		fault("signature-cut-short", 6, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.Signature = s.Signature[:40] })),
		// An RRSIG that covers another type is none over this one: 4.11.
		fault("type-covered-altered", 10, Altered(typeA, func(_ *Zone, s *dns.RRSIG) { s.TypeCovered = dns.TypeAAAA }), 6),
		asked(fault("record-added-after-signing", 6, func(z *Zone) { z.Add("www." + z.Name + " 300 IN A 192.0.2.66") }), "www", 0),
		asked(fault("one-type-unsigned", 10, Unsign(dns.TypeTXT), 6), "", dns.TypeTXT),
		asked(Case{Name: "another-type-unsigned", After: Unsign(dns.TypeTXT)}, "", dns.TypeA),
		// 4.8 and 4.9: no signature is presently valid, some expired, and some not
		// valid yet; both are literally true of the set.
		twice("one-expired-one-not-yet", expired, future, codes(7, 8), codes(6, 7, 8)),
		twice("both-expired", expired, Validity{past, lately + day}, codes(7), codes(6)),
		twice("one-expired-one-holds", expired, good, nil, nil),
		twice("one-not-yet-one-holds", future, good, nil, nil),
		{Name: "one-expired-one-corrupt", Before: Another(dns.ZONE, dns.ECDSAP256SHA256),
			After: Both(SignedTwice(typeA, expired, good), func(z *Zone) { z.corrupt(z.Name, typeA, z.Keys[2]) }),
			// 4.8: none is presently valid, and one is expired.
			Expected: codes(7, 6), AlsoTrue: codes(6)},
		{Name: "one-of-two-signatures-is-corrupt", Before: Another(dns.ZONE, dns.ECDSAP256SHA256),
			After: func(z *Zone) { z.corrupt(z.Name, typeA, z.Keys[1]) }},
		fault("expired-dnskey-signature", 7, Times(dns.TypeDNSKEY, past, lately), 6),
		fault("not-yet-valid-dnskey-signature", 8, Times(dns.TypeDNSKEY, soon, later), 6),
		fault("reversed-dnskey-signature", 25, Times(dns.TypeDNSKEY, lately, past), 6, 7),
		// Reversed times that lie ahead: expired before valid, and not yet valid.
		fault("reversed-in-the-future", 25, Times(typeA, later, soon), 6, 8),
		fault("expired-and-corrupt", 7, Both(Times(typeA, past, lately), Corrupt(typeA)), 6),
		fault("expired-a-moment-ago", 7, Times(typeA, -3*day, -day/1440), 6),
		{Name: "holds-for-years", After: Times(0, -400*day, 3000*day)},
		asked(Case{Name: "any-valid"}, "", dns.TypeANY),
		asked(fault("any-with-one-expired", 7, Times(dns.TypeTXT, past, lately), 6), "", dns.TypeANY),
		asked(fault("any-with-one-unsigned", 10, Unsign(dns.TypeTXT), 6), "", dns.TypeANY),
		asked(Case{Name: "soa-at-apex"}, "", dns.TypeSOA),
		asked(Case{Name: "dnskey-at-apex"}, "", dns.TypeDNSKEY),
		asked(Case{Name: "ds-at-apex"}, "", dns.TypeDS),
		asked(Case{Name: "no-ds-at-apex", DS: NoDS}, "", dns.TypeDS),
		asked(Case{Name: "mixed-case", Before: Records("Mx.%s 300 IN MX 1 WWW.%s")}, "WwW", 0),
		asked(Case{Name: "target-in-mixed-case", Before: Records("mail.%s 300 IN MX 1 WWW.%s")}, "mail", dns.TypeMX),
	}
}

// furtherAlgorithms are faults in zones of each algorithm that validators know
// (RFC 8624 section 3.1, RFC 9905), and zones of those that they do not.
func furtherAlgorithms() []Case {
	var cases []Case
	for _, a := range []uint8{dns.RSASHA1, dns.RSASHA1NSEC3SHA1, dns.RSASHA256, dns.RSASHA512, dns.ECDSAP384SHA384, dns.ED25519} {
		label := algorithmLabels[a]
		var also []uint16
		if a == dns.RSASHA1 || a == dns.RSASHA1NSEC3SHA1 {
			// RFC 9905 lets a validator treat these as unsupported.
			also = codes(1)
		}
		cases = append(cases,
			Case{Name: label + "-expired", Before: Algorithm(a), After: Times(dns.TypeA, past, lately), Expected: codes(7), AlsoTrue: append(also, 6)},
			Case{Name: label + "-corrupt", Before: Algorithm(a), After: Corrupt(dns.TypeA), Expected: codes(6), AlsoTrue: also},
			Case{Name: label + "-denial", Ask: missing, Before: Algorithm(a), AlsoTrue: also},
			Case{Name: label + "-other-key", Before: func(z *Zone) {
				Algorithm(a)(z)
				z.Keys[1].Published = NewKey(z.t, z.Name, dns.ZONE, a).Published
			}, Expected: codes(6, 9), AlsoTrue: also},
		)
	}
	// Nothing of such a zone is judged (RFC 4035 section 5.2), broken or not.
	for _, a := range []uint8{dns.RSAMD5, dns.DSA, 6, dns.ECCGOST, 17, 23, dns.PRIVATEDNS, dns.PRIVATEOID, 123} {
		cases = append(cases, Case{Name: "unsupported-" + strconv.Itoa(int(a)) + "-broken", Before: Algorithm(a), After: Corrupt(0),
			Expected: codes(1), AlsoTrue: codes(9)})
	}
	return cases
}

var algorithmLabels = map[uint8]string{
	dns.RSASHA1: "rsasha1", dns.RSASHA1NSEC3SHA1: "rsasha1-nsec3", dns.RSASHA256: "rsasha256", dns.RSASHA512: "rsasha512",
	dns.ECDSAP384SHA384: "p384", dns.ED25519: "ed25519",
}
