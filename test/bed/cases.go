package bed

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const missing = "does-not-exist"

// Cases follows the public "Extended DNS Errors" test bed (Nosyk, Korczynski and
// Duda, IMC 2023): the kinds of fault whose evidence is in the answers.
func Cases() []Case {
	return withRcodes(slices.Concat(controlCases(), dsCases(), signatureCases(), keyCases(), nsec3Cases(), nsecCases(), algorithmCases()))
}

// Further are the states and shapes of a zone that the public test bed does not
// have: what RFC 4034, 4035, 5155, 6840 and 9276 tell a validator to accept, and
// what to reject. Some lead into zones of Cases, so a tree has to hold both.
func Further() []Case {
	return withRcodes(slices.Concat(furtherDS(), furtherSignatures(), furtherKeys(), furtherNSEC(), furtherNSEC3(),
		furtherCuts(), furtherAliases(), furtherShapes(), furtherAlgorithms()))
}

// All is Cases and Further.
func All() []Case { return slices.Concat(Cases(), Further()) }

func withRcodes(cases []Case) []Case {
	for i := range cases {
		c := &cases[i]
		// A zone at fault for a validator fails, but for those cases that say
		// otherwise: 1, 2 and 27 make it insecure.
		if len(c.Expected) > 0 && c.FailRcode == 0 && !slices.ContainsFunc(c.Expected, insecureCode) {
			c.FailRcode = dns.RcodeServerFailure
		}
	}
	return cases
}

func insecureCode(code uint16) bool { return code == 1 || code == 2 || code == 27 }

func codes(c ...uint16) []uint16 { return c }

func controlCases() []Case {
	return []Case{
		{Name: "valid"},
		{Name: "valid-nxdomain", Ask: missing},
		{Name: "valid-nsec3-nxdomain", Ask: missing, Before: Hashed(0)},
		{Name: "unsigned", Before: Unsigned},
		{Name: "unsigned-nxdomain", Ask: missing, Before: Unsigned},
		{Name: "valid-wildcard", Ask: "anything", Before: Records("*.%s 300 IN A 192.0.2.7")},
		{Name: "valid-wildcard-nsec3", Ask: "anything", Before: Both(Hashed(1), Records("*.%s 300 IN A 192.0.2.7"))},
		{Name: "cname-ok", Ask: "alias", Before: Records("alias.%s 300 IN CNAME valid." + TLD)},
		{Name: "oversize", Type: dns.TypeTXT, Before: Records("%s 300 IN TXT" + long(12))},
	}
}

func dsCases() []Case {
	changed := func(name string, change func(*dns.DS), expected, also []uint16) Case {
		return Case{Name: name, DS: ChangedDS(change), Expected: expected, AlsoTrue: also}
	}
	return []Case{
		{Name: "no-ds", DS: NoDS},
		changed("ds-bad-tag", func(ds *dns.DS) { ds.KeyTag++ }, codes(9), codes(6)),
		changed("ds-bad-key-algo", func(ds *dns.DS) { ds.Algorithm = dns.RSASHA256 }, codes(9), codes(6)),
		changed("ds-unassigned-key-algo", func(ds *dns.DS) { ds.Algorithm = 100 }, codes(1, 9), nil),
		changed("ds-reserved-key-algo", func(ds *dns.DS) { ds.Algorithm = 200 }, codes(1, 9), nil),
		changed("ds-unassigned-digest-algo", func(ds *dns.DS) { ds.DigestType = 100 }, codes(2), codes(9)),
		changed("ds-bogus-digest-value", func(ds *dns.DS) { ds.Digest = ds.Digest[2:] + ds.Digest[:2] }, codes(9), codes(6)),
	}
}

func signatureCases() []Case {
	fault := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Expected: codes(code), AlsoTrue: also, After: after}
	}
	return []Case{
		fault("rrsig-exp-all", 7, Times(0, -40*day, -10*day), 6),
		fault("rrsig-exp-a", 7, Times(dns.TypeA, -40*day, -10*day), 6),
		fault("rrsig-not-yet-all", 8, Times(0, 10*day, 40*day), 6),
		fault("rrsig-not-yet-a", 8, Times(dns.TypeA, 10*day, 40*day), 6),
		fault("rrsig-exp-before-all", 25, Times(0, -10*day, -20*day), 6, 7),
		fault("rrsig-exp-before-a", 25, Times(dns.TypeA, -10*day, -20*day), 6, 7),
		fault("rrsig-no-all", 10, Unsign(0), 6),
		fault("rrsig-no-a", 10, Unsign(dns.TypeA), 6),
		fault("bad-rrsig-a", 6, Corrupt(dns.TypeA)),
		{Name: "cname-to-expired", Ask: "alias", Expected: codes(7), AlsoTrue: codes(6),
			Before: Records("alias.%s 300 IN CNAME rrsig-exp-a." + TLD)},
	}
}

func keyCases() []Case {
	withhold := func(choose func(*Zone) *Key) func(*Zone) {
		return func(z *Zone) { choose(z).Published = nil }
	}
	only := func(choose func(*Zone) *Key, change func(z *Zone, k *Key)) func(*Zone) {
		return func(z *Zone) { change(z, choose(z)) }
	}
	dropSig := func(z *Zone, k *Key) {
		z.Sigs[z.Name][dns.TypeDNSKEY] = slices.DeleteFunc(z.Sigs[z.Name][dns.TypeDNSKEY],
			func(sig *dns.RRSIG) bool { return sig.KeyTag == k.Tag })
	}
	breakSig := func(z *Zone, k *Key) { z.corrupt(z.Name, dns.TypeDNSKEY, k) }
	otherKey := func(z *Zone, k *Key) {
		k.Published = NewKey(z.t, z.Name, k.Published.Flags, k.Algorithm).Published
	}
	ksk, zsk := (*Zone).KSK, (*Zone).ZSK
	return []Case{
		{Name: "no-zsk", Before: withhold(zsk), Expected: codes(6, 9)},
		{Name: "bad-zsk", Before: only(zsk, otherKey), Expected: codes(6, 9)},
		{Name: "no-ksk", Children: func(_ *Bed, z *Zone) { keepDS(z, withhold(ksk)) }, Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "bad-ksk", Children: func(_ *Bed, z *Zone) { keepDS(z, only(ksk, otherKey)) }, Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "no-rrsig-ksk", After: only(ksk, dropSig), Expected: codes(10, 6)},
		{Name: "bad-rrsig-ksk", After: only(ksk, breakSig), Expected: codes(6)},
		{Name: "no-rrsig-dnskey", After: Unsign(dns.TypeDNSKEY), Expected: codes(10), AlsoTrue: codes(6)},
		{Name: "bad-rrsig-dnskey", After: Corrupt(dns.TypeDNSKEY), Expected: codes(6)},
		{Name: "no-dnskey-256", Before: PublishedFlags(zsk, 0, true), Expected: codes(11), AlsoTrue: codes(6)},
		{Name: "no-dnskey-256-old-tag", Before: PublishedFlags(zsk, 0, false), Expected: codes(11), AlsoTrue: codes(6)},
		{Name: "no-dnskey-257", Before: PublishedFlags(ksk, dns.SEP, true), Expected: codes(11), AlsoTrue: codes(6, 9)},
		{Name: "no-dnskey-257-old-ds", Children: func(_ *Bed, z *Zone) { keepDS(z, PublishedFlags(ksk, dns.SEP, true)) },
			Expected: codes(11), AlsoTrue: codes(6, 9)},
		{Name: "no-dnskey-256-257", Before: Both(PublishedFlags(ksk, dns.SEP, true), PublishedFlags(zsk, 0, true)),
			Expected: codes(11), AlsoTrue: codes(6, 9)},
		{Name: "bad-zsk-algo", Before: PublishedAlgorithm(dns.RSASHA256), Expected: codes(6, 9)},
		{Name: "unassigned-zsk-algo", Before: PublishedAlgorithm(100), Expected: codes(6, 9)},
		{Name: "unassigned-zsk-algo-all", Before: only(zsk, func(z *Zone, _ *Key) { z.Keys[1] = NewKey(z.t, z.Name, dns.ZONE, 100) }),
			Expected: codes(6, 9)},
		{Name: "reserved-zsk-algo", Before: PublishedAlgorithm(200), Expected: codes(6, 9)},
		{Name: "dnskey-missing", After: Drop(dns.TypeDNSKEY), Expected: codes(9), AlsoTrue: codes(6)},
		{Name: "dnskey-timeout", Before: At("127.0.53.4"), After: Silent(dns.TypeDNSKEY), Expected: codes(9, 22, 23), AlsoTrue: codes(6)},
		{Name: "dnskey-refused", After: Rcode(dns.TypeDNSKEY, dns.RcodeRefused), Expected: codes(9, 22, 23), AlsoTrue: codes(6)},
		{Name: "dnskey-servfail", After: Rcode(dns.TypeDNSKEY, dns.RcodeServerFailure), Expected: codes(9, 22, 23), AlsoTrue: codes(6)},
	}
}

// keepDS changes the keys after the parent's DS was made from them.
func keepDS(z *Zone, change func(*Zone)) {
	z.kept = records(z.DS())
	change(z)
}

func nsec3Cases() []Case {
	fault := func(name string, after func(*Zone), expected uint16, also ...uint16) Case {
		return Case{Name: name, Ask: missing, Before: Hashed(0), After: after, Expected: codes(expected), AlsoTrue: also}
	}
	iterations := func(name string, n uint16, expected, also []uint16) Case {
		return Case{Name: name, Ask: missing, Before: Hashed(n), Expected: expected, AlsoTrue: also}
	}
	return []Case{
		fault("nsec3-missing", Drop(dns.TypeNSEC3), 12, 6),
		fault("bad-nsec3-hash", RenameNSEC3, 12, 6),
		fault("bad-nsec3-next", ResignedNSEC3(spanNothing), 12, 6),
		fault("bad-nsec3-salt", ResignedNSEC3(func(n *dns.NSEC3) { n.Salt = "cd34" }), 12, 6),
		fault("nsec3-unknown-hash", ResignedNSEC3(func(n *dns.NSEC3) { n.Hash = 2 }), 12, 6),
		fault("bad-nsec3-rrsig", Corrupt(dns.TypeNSEC3), 6),
		fault("nsec3-rrsig-missing", Unsign(dns.TypeNSEC3), 10, 6, 12),
		fault("nsec3param-missing", Both(Drop(dns.TypeNSEC3PARAM), Drop(dns.TypeNSEC3)), 12, 6),
		iterations("nsec3-iter-1", 1, nil, codes(27)),
		iterations("nsec3-iter-51", 51, nil, codes(27)),
		iterations("nsec3-iter-101", 101, nil, codes(27)),
		iterations("nsec3-iter-150", 150, nil, codes(27)),
		iterations("nsec3-iter-151", 151, codes(27), nil),
		iterations("nsec3-iter-200", 200, codes(27), nil),
	}
}

func nsecCases() []Case {
	return []Case{
		{Name: "nsec-missing", Ask: missing, After: Drop(dns.TypeNSEC), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "bad-nsec-rrsig", Ask: missing, After: Corrupt(dns.TypeNSEC), Expected: codes(6)},
		{Name: "deleg-no-proof", Ask: missing + ".sub", Children: UnsignedChild, After: Drop(dns.TypeNSEC),
			Expected: codes(12), AlsoTrue: codes(6, 10)},
		{Name: "deleg-no-proof-apex", Ask: "sub", Children: UnsignedChild, After: Drop(dns.TypeNSEC),
			Expected: codes(12), AlsoTrue: codes(6, 10)},
		{Name: "nsec-missing-rrsig-no-a", Ask: "www", After: Both(Drop(dns.TypeNSEC), Unsign(dns.TypeA)),
			Expected: codes(10), AlsoTrue: codes(6, 12)},
	}
}

func algorithmCases() []Case {
	return []Case{
		{Name: "rsamd5", Before: Algorithm(dns.RSAMD5), Expected: codes(1), AlsoTrue: codes(9)},
		{Name: "dsa", Before: Algorithm(dns.DSA), Expected: codes(1), AlsoTrue: codes(9)},
		{Name: "gost", Before: Algorithm(dns.ECCGOST), Expected: codes(1), AlsoTrue: codes(9)},
		{Name: "unsupported-algo", Before: Algorithm(100), Expected: codes(1), AlsoTrue: codes(9)},
		{Name: "rsasha1", Before: Algorithm(dns.RSASHA1), AlsoTrue: codes(1)},
		{Name: "rsasha1-nsec3", Before: Both(Algorithm(dns.RSASHA1NSEC3SHA1), Hashed(1)), AlsoTrue: codes(1)},
		{Name: "rsasha256", Before: Algorithm(dns.RSASHA256)},
		{Name: "rsasha512", Before: Algorithm(dns.RSASHA512)},
		{Name: "ecdsap384", Before: Algorithm(dns.ECDSAP384SHA384)},
		{Name: "ed25519", Before: Algorithm(dns.ED25519)},
	}
}

// spanNothing makes the next hash the one right after the owner's.
func spanNothing(n *dns.NSEC3) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
	hash := []byte(strings.ToUpper(n.Hdr.Name[:32]))
	for i := len(hash) - 1; i >= 0; i-- {
		d := (strings.IndexByte(digits, hash[i]) + 1) % len(digits)
		hash[i] = digits[d]
		if d != 0 {
			break
		}
	}
	n.NextDomain = string(hash)
}
