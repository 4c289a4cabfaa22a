package bed

import "github.com/miekg/dns"

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
