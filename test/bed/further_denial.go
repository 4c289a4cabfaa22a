package bed

import (
	"slices"

	"github.com/miekg/dns"
)

// furtherNSEC are denials by NSEC: RFC 4035 section 5.4, RFC 6840 section 4, RFC
// 4470 and RFC 9824. A proof that does not cover what is denied is none (4.13);
// a record whose own signature fails is judged by that.
func furtherNSEC() []Case {
	denied := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: missing, Before: Crowded, After: after, Expected: codes(code), AlsoTrue: also}
	}
	nodata := func(c Case) Case {
		c.Ask, c.Type = "www", dns.TypeMX
		return c
	}
	fault := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, After: after, Expected: codes(code), AlsoTrue: also}
	}
	covering := func(of func(z *Zone, q dns.Question) string) func(*Zone) {
		return Omit(func(z *Zone, q dns.Question, rr dns.RR) bool {
			n, ok := rr.(*dns.NSEC)
			return ok && canonical(n.Hdr.Name, of(z, q)) < 0 && (canonical(of(z, q), n.NextDomain) < 0 || n.NextDomain == z.Name)
		})
	}
	star := func(z *Zone, _ dns.Question) string { return under("*", z.Name) }
	self := func(_ *Zone, q dns.Question) string { return dns.CanonicalName(q.Name) }
	return []Case{
		denied("nsec-wildcard-not-denied", 12, covering(star), 6),
		denied("nsec-name-not-denied", 12, covering(self), 6),
		denied("nsec-next-too-near", 12, ResignedNSEC(func(z *Zone, n *dns.NSEC) { n.NextDomain = under(`\000`, n.Hdr.Name) }), 6),
		denied("nsec-expired", 7, Times(dns.TypeNSEC, past, lately), 6),
		denied("nsec-not-yet-valid", 8, Times(dns.TypeNSEC, soon, later), 6),
		denied("nsec-reversed", 25, Times(dns.TypeNSEC, lately, past), 6, 7),
		denied("nsec-unsigned", 10, Unsign(dns.TypeNSEC), 6, 12),
		// The denial holds; the SOA with it, which every negative answer has to
		// have signed (RFC 4035 section 3.1.3), does not.
		denied("denial-soa-corrupt", 6, Corrupt(dns.TypeSOA)),
		denied("denial-soa-unsigned", 10, Unsign(dns.TypeSOA), 6),
		denied("denial-soa-expired", 7, Times(dns.TypeSOA, past, lately), 6),
		denied("denial-soa-not-yet-valid", 8, Times(dns.TypeSOA, soon, later), 6),
		denied("denial-soa-reversed", 25, Times(dns.TypeSOA, lately, past), 6, 7),
		nodata(Case{Name: "nodata"}),
		nodata(fault("nodata-without-proof", 12, Drop(dns.TypeNSEC), 6)),
		nodata(fault("nodata-expired-nsec", 7, Times(dns.TypeNSEC, past, lately), 6)),
		nodata(fault("nodata-corrupt-nsec", 6, Corrupt(dns.TypeNSEC))),
		nodata(fault("nodata-unsigned-nsec", 10, Unsign(dns.TypeNSEC), 6, 12)),
		// The bitmap says that the type is there.
		nodata(fault("nodata-bitmap-has-the-type", 12, bitmapWith(dns.TypeMX), 6)),
		nodata(fault("nodata-bitmap-has-cname", 12, bitmapWith(dns.TypeCNAME), 6)),
		// NS without SOA: the record of a delegation, which speaks for DS only (RFC
		// 6840 section 4.1).
		nodata(fault("nodata-by-a-delegation-record", 12, bitmapWith(dns.TypeNS), 6)),
		{Name: "nodata-at-apex", Type: dns.TypeMX},
		{Name: "ent", Ask: "b.c", Before: nonTerm},
		{Name: "ent-without-proof", Ask: "b.c", Before: nonTerm, After: Drop(dns.TypeNSEC), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "below-ent", Ask: "x.b.c", Before: nonTerm},
		{Name: "deep", Ask: "a.b.c", Before: nonTerm},
		// Nothing proves the cuts on the way, and the answer needs none of it.
		{Name: "deep-without-nsec", Ask: "a.b.c", Before: nonTerm, After: Drop(dns.TypeNSEC)},
		{Name: "very-deep", Ask: "1.2.3.4.5.6.7.8.9.0.a.b.c.d.e.f.1.2.3.4.5.6.7.8.9.0.a.b", Before: nonTerm},
		{Name: "wildcard-nodata", Ask: "x", Type: dns.TypeMX, Before: wildcard},
		{Name: "wildcard-nodata-without-proof", Ask: "x", Type: dns.TypeMX, Before: wildcard, After: Drop(dns.TypeNSEC), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "wildcard-deep", Ask: "x.y.z", Before: wildcard},
		{Name: "wildcard-itself", Ask: "*", Before: wildcard},
		// RFC 4035 section 5.3.4: that no closer name exists must be proven.
		{Name: "wildcard-without-proof", Ask: "x", Before: wildcard, After: Drop(dns.TypeNSEC), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "wildcard-proof-expired", Ask: "x", Before: wildcard, After: Times(dns.TypeNSEC, past, lately), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "wildcard-proof-corrupt", Ask: "x", Before: wildcard, After: Corrupt(dns.TypeNSEC), Expected: codes(6)},
		{Name: "wildcard-proof-unsigned", Ask: "x", Before: wildcard, After: Unsign(dns.TypeNSEC),
			// Resolvers leave such a record out: then what one sees is 4.13.
			Expected: codes(10, 12), AlsoTrue: codes(6)},
		{Name: "wildcard-expired", Ask: "x", Before: wildcard, After: Times(dns.TypeA, past, lately), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "wildcard-unsigned", Ask: "x", Before: wildcard, After: Unsign(dns.TypeA), Expected: codes(10), AlsoTrue: codes(6)},
		{Name: "wildcard-cname", Ask: "x", Before: Records("*.%s 300 IN CNAME www.%s")},
		{Name: "wildcard-cname-without-proof", Ask: "x", Before: Records("*.%s 300 IN CNAME www.%s"), After: Drop(dns.TypeNSEC), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "compact-denial", Ask: missing, After: CompactDenial},
		{Name: "minimally-covering-nsec", Ask: missing, After: MinimallyCovering},
	}
}

// bitmapWith adds a type to the bitmap of every NSEC but the apex's.
func bitmapWith(typ uint16) func(*Zone) {
	return ResignedNSEC(func(z *Zone, n *dns.NSEC) {
		if n.Hdr.Name != z.Name {
			n.TypeBitMap = sorted(append(n.TypeBitMap, typ))
		}
	})
}

// MinimallyCovering denies names with NSEC records made for the question, as RFC
// 4470 describes.
func MinimallyCovering(z *Zone) {
	z.intercept(func(q dns.Question, m *dns.Msg) *dns.Msg {
		if m.Rcode != dns.RcodeNameError {
			return m
		}
		m.Ns = nil
		z.soa(m)
		label := dns.SplitDomainName(q.Name)[0]
		for _, span := range [][2]string{{label[:len(label)-1], label + "!"}, {"!", "+"}} {
			nsec := &dns.NSEC{Hdr: z.header(under(span[0], z.Name), dns.TypeNSEC), NextDomain: under(span[1], z.Name),
				TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC}}
			m.Ns = append(m.Ns, nsec, z.ZSK().sign(z.t, z.Name, []dns.RR{nsec}, z.From, z.To))
		}
		return m
	})
}

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
