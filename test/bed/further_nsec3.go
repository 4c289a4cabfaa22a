package bed

import (
	"slices"

	"github.com/miekg/dns"
)

// furtherNSEC3 are denials by NSEC3: RFC 5155 section 8, RFC 9276. Each part of
// the closest encloser proof is left out once.
func furtherNSEC3() []Case {
	plain := Both(Hashed(0), Crowded)
	denied := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: missing, Before: plain, After: after, Expected: codes(code), AlsoTrue: also}
	}
	fault := func(name, ask string, typ uint16, before func(*Zone), code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: ask, Type: typ, Before: Both(plain, before), After: after, Expected: codes(code), AlsoTrue: also}
	}
	nothing := func(*Zone) {}
	self := func(q dns.Question) string { return dns.CanonicalName(q.Name) }
	return []Case{
		denied("nsec3-encloser-not-shown", 12, Omit(func(z *Zone, _ dns.Question, rr dns.RR) bool { return z.matches(rr, z.Name) }), 6),
		denied("nsec3-next-closer-not-covered", 12, Omit(func(z *Zone, q dns.Question, rr dns.RR) bool { return z.covers(rr, self(q)) }), 6),
		denied("nsec3-wildcard-not-covered", 12, Omit(func(z *Zone, _ dns.Question, rr dns.RR) bool { return z.covers(rr, under("*", z.Name)) }), 6),
		denied("nsec3-expired", 7, Times(dns.TypeNSEC3, past, lately), 6),
		denied("nsec3-not-yet-valid", 8, Times(dns.TypeNSEC3, soon, later), 6),
		denied("nsec3-reversed", 25, Times(dns.TypeNSEC3, lately, past), 6, 7),
		denied("nsec3-other-iterations", 12, ResignedNSEC3(func(n *dns.NSEC3) { n.Iterations = 7 }), 6),
		// RFC 5155 section 8.2: unknown flags have the record ignored.
		denied("nsec3-unknown-flags", 12, ResignedNSEC3(func(n *dns.NSEC3) { n.Flags |= 0x40 }), 6),
		denied("nsec3-of-mixed-parameters", 12, mixedParameters, 6),
		denied("nsec3-soa-unsigned", 10, Unsign(dns.TypeSOA), 6),
		denied("nsec3-soa-expired", 7, Times(dns.TypeSOA, past, lately), 6),
		// NSEC3PARAM is for the zone's own servers: no validator looks at it.
		{Name: "nsec3param-unsigned", Ask: missing, Before: plain, After: Unsign(dns.TypeNSEC3PARAM)},
		{Name: "nsec3-without-salt", Ask: missing, Before: func(z *Zone) { z.NSEC3 = &NSEC3{} }},
		{Name: "nodata-nsec3", Ask: "www", Type: dns.TypeMX, Before: Hashed(3)},
		fault("nodata-nsec3-missing", "www", dns.TypeMX, nothing, 12, Drop(dns.TypeNSEC3), 6),
		fault("nodata-nsec3-expired", "www", dns.TypeMX, nothing, 7, Times(dns.TypeNSEC3, past, lately), 6),
		fault("nodata-nsec3-corrupt", "www", dns.TypeMX, nothing, 6, Corrupt(dns.TypeNSEC3)),
		fault("nodata-nsec3-unsigned", "www", dns.TypeMX, nothing, 10, Unsign(dns.TypeNSEC3), 6, 12),
		fault("nodata-nsec3-bitmap-has-the-type", "www", dns.TypeMX, nothing, 12,
			ResignedNSEC3(func(n *dns.NSEC3) { n.TypeBitMap = sorted(append(slices.Clone(n.TypeBitMap), dns.TypeMX)) }), 6),
		{Name: "nodata-nsec3-iterations-151", Ask: "www", Type: dns.TypeMX, Before: Hashed(151), Expected: codes(27)},
		{Name: "positive-nsec3-iterations-200", Ask: "www", Before: Hashed(200)},
		{Name: "ent-nsec3", Ask: "b.c", Before: Both(Hashed(0), nonTerm)},
		{Name: "below-ent-nsec3", Ask: "x.b.c", Before: Both(Hashed(0), nonTerm)},
		{Name: "wildcard-nodata-nsec3", Ask: "x", Type: dns.TypeMX, Before: Both(Hashed(0), wildcard)},
		{Name: "wildcard-deep-nsec3", Ask: "x.y.z", Before: Both(Hashed(0), wildcard)},
		fault("wildcard-without-proof-nsec3", "x", 0, wildcard, 12, Drop(dns.TypeNSEC3), 6),
		fault("wildcard-proof-expired-nsec3", "x", 0, wildcard, 7, Times(dns.TypeNSEC3, past, lately), 6),
		{Name: "wildcard-proof-unsigned-nsec3", Ask: "x", Before: Both(plain, wildcard), After: Unsign(dns.TypeNSEC3), Expected: codes(10, 12), AlsoTrue: codes(6)},
		{Name: "wildcard-nsec3-iterations-200", Ask: "x", Before: Both(Hashed(200), wildcard), Expected: codes(27)},
		{Name: "opt-out-nxdomain", Ask: "nothing", Before: optOut, Children: UnsignedChild},
		{Name: "opt-out-nodata", Ask: "www", Type: dns.TypeMX, Before: optOut, Children: UnsignedChild},
	}
}

// mixedParameters sends the NSEC3 records of one denial with different salts.
// RFC 5155 section 8.2: all have to be the same.
func mixedParameters(z *Zone) {
	z.intercept(func(_ dns.Question, m *dns.Msg) *dns.Msg {
		seen := 0
		for i, rr := range m.Ns {
			if n, ok := rr.(*dns.NSEC3); ok {
				if seen++; seen > 1 {
					n = dns.Copy(n).(*dns.NSEC3)
					n.Salt, n.SaltLength = "cd34", 2
					m.Ns[i] = n
				}
			}
		}
		return z.resignNSEC3(m)
	})
}

func sorted(types []uint16) []uint16 {
	slices.Sort(types)
	return slices.Compact(types)
}
