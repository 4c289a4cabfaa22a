package bed

import (
	"slices"
	"time"

	"github.com/miekg/dns"
)

// furtherShapes are faults of other types than the address that most cases ask
// for, replies whose RCODE contradicts their own proof, wildcards that do not
// apply, and signatures at the edges of what is allowed.
func furtherShapes() []Case {
	at := func(name, ask string, typ uint16, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: ask, Type: typ, After: after, Expected: codes(code), AlsoTrue: also}
	}
	// answering gives the replies of a zone another RCODE.
	answering := func(rcode int) func(*Zone) {
		return func(z *Zone) {
			z.intercept(func(q dns.Question, m *dns.Msg) *dns.Msg {
				if q.Qtype == dns.TypeA && len(m.Answer) == 0 {
					m.Rcode = rcode
				}
				return m
			})
		}
	}
	star := func(z *Zone, rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeNSEC && rr.Header().Name == under("*", z.Name) || z.NSEC3 != nil && z.matches(rr, under("*", z.Name))
	}
	hidden := Omit(func(z *Zone, _ dns.Question, rr dns.RR) bool { return star(z, rr) })
	unsupported, unknownDigest := Algorithm(123), ChangedDS(func(ds *dns.DS) { ds.DigestType = 100 })
	broken := Child(nil, Times(0, past, lately))
	return []Case{
		at("ns-expired", "", dns.TypeNS, 7, Times(dns.TypeNS, past, lately), 6),
		at("soa-corrupt", "", dns.TypeSOA, 6, Corrupt(dns.TypeSOA)),
		at("txt-not-yet-valid", "", dns.TypeTXT, 8, Times(dns.TypeTXT, soon, later), 6),
		at("txt-reversed", "", dns.TypeTXT, 25, Times(dns.TypeTXT, lately, past), 6, 7),
		{Name: "aaaa-unsigned", Ask: "v6", Type: dns.TypeAAAA, Before: Records("v6.%s 300 IN AAAA 2001:db8::1"), After: Unsign(dns.TypeAAAA),
			Expected: codes(10), AlsoTrue: codes(6)},
		{Name: "srv-expired", Ask: "_dns._udp", Type: dns.TypeSRV, Before: Records("_dns._udp.%s 300 IN SRV 1 1 53 www.%s"),
			After: Times(dns.TypeSRV, past, lately), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "dnskey-asked-and-no-ds-matches", Type: dns.TypeDNSKEY, DS: ChangedDS(func(ds *dns.DS) { ds.KeyTag++ }), Expected: codes(9), AlsoTrue: codes(6)},
		at("dnskey-asked-and-expired", "", dns.TypeDNSKEY, 7, Times(dns.TypeDNSKEY, past, lately), 6),
		{Name: "ds-asked-and-expired", Type: dns.TypeDS, AtParent: parentTimes(past, lately), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "ds-asked-and-unsigned", Type: dns.TypeDS, AtParent: func(p, z *Zone) { delete(p.Sigs[z.Name], dns.TypeDS) }, Expected: codes(10), AlsoTrue: codes(6)},
		// What the records prove is not what the RCODE says: no proof of that (4.13).
		{Name: "ent-answered-nxdomain", Ask: "b.c", Before: nonTerm, After: answering(dns.RcodeNameError), Expected: codes(12, 6), AlsoTrue: codes(6)},
		{Name: "ent-answered-nxdomain-nsec3", Ask: "b.c", Before: Both(Hashed(0), nonTerm), After: answering(dns.RcodeNameError), Expected: codes(12, 6), AlsoTrue: codes(6)},
		{Name: "nxdomain-answered-noerror", Ask: missing, Before: Crowded, After: answering(dns.RcodeSuccess), Expected: codes(12, 6), AlsoTrue: codes(6)},
		{Name: "nxdomain-answered-noerror-nsec3", Ask: missing, Before: Both(Hashed(0), Crowded), After: answering(dns.RcodeSuccess), Expected: codes(12, 6), AlsoTrue: codes(6)},
		// RFC 4035 section 5.4 and RFC 5155 section 8.7: the wildcard has to be shown
		// to lack the type.
		{Name: "wildcard-nodata-wildcard-not-shown", Ask: "x", Type: dns.TypeMX, Before: Both(wildcard, Crowded), After: hidden, Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "wildcard-nodata-wildcard-not-shown-nsec3", Ask: "x", Type: dns.TypeMX, Before: Both(Hashed(0), wildcard, Crowded), After: hidden,
			Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "wildcard-nodata-opt-out", Ask: "x", Type: dns.TypeMX, Before: Both(optOut, wildcard), Children: UnsignedChild},
		{Name: "opt-out-nxdomain-without-proof", Ask: missing, Before: optOut, Children: UnsignedChild, After: Drop(dns.TypeNSEC3), Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "wildcard-cname-to-expired", Ask: "x", Before: Records("*.%s 300 IN CNAME rrsig-exp-a." + TLD), Expected: codes(7), AlsoTrue: codes(6)},
		// A name in between exists, so that the wildcard above it does not apply (RFC
		// 4592 section 3.3.1), and the proof shows it.
		{Name: "wildcard-from-beyond-the-encloser", Ask: "x.y", Before: Both(wildcard, Records("y.%s 300 IN A 192.0.2.9")), After: beyond, Expected: codes(12, 6), AlsoTrue: codes(6)},
		{Name: "cname-in-zone-to-unproven-nxdomain", Ask: "alias", Before: Records("alias.%s 300 IN CNAME " + missing + ".%s"), After: Drop(dns.TypeNSEC),
			Expected: codes(12), AlsoTrue: codes(6)},
		{Name: "cname-in-zone-to-unproven-nodata", Ask: "alias", Type: dns.TypeMX, Before: Records("alias.%s 300 IN CNAME www.%s"), After: Drop(dns.TypeNSEC),
			Expected: codes(12), AlsoTrue: codes(6)},
		// Signatures that hold, and such that nearly do.
		{Name: "signature-twice-the-same", After: func(z *Zone) {
			z.Sigs[z.Name][dns.TypeA] = append(z.Sigs[z.Name][dns.TypeA], z.Sigs[z.Name][dns.TypeA][0])
		}},
		{Name: "ttl-below-the-original", After: func(z *Zone) {
			z.intercept(func(_ dns.Question, m *dns.Msg) *dns.Msg {
				for i, rr := range m.Answer {
					rr = dns.Copy(rr)
					rr.Header().Ttl = 7
					m.Answer[i] = rr
				}
				return m
			})
		}},
		{Name: "signature-of-another-set", Expected: codes(6), After: Altered(dns.TypeA, func(z *Zone, sig *dns.RRSIG) {
			sig.Signature = z.Sigs[z.Name][dns.TypeTXT][0].Signature
		})},
		{Name: "expired-in-1970", Expected: codes(7), AlsoTrue: codes(6), After: func(z *Zone) {
			z.ResignBetween(z.Name, dns.TypeA, z.RRs[z.Name][dns.TypeA], time.Unix(100, 0), time.Unix(200, 0))
		}},
		at("valid-in-an-hour", "", 0, 8, Times(dns.TypeA, day/24, soon), 6),
		{Name: "ds-many-and-one-matches", DS: ManyDS(6)},
		// Insecure above, broken below: nothing below is judged.
		{Name: "unsupported-parent-of-a-broken-child", Ask: "www.sub", Before: unsupported, Children: broken, Expected: codes(1), AlsoTrue: codes(9)},
		{Name: "unknown-digest-parent-of-a-broken-child", Ask: "www.sub", DS: unknownDigest, Children: broken, Expected: codes(2), AlsoTrue: codes(9)},
		{Name: "unknown-digest-and-broken", DS: unknownDigest, After: Corrupt(0), Expected: codes(2), AlsoTrue: codes(9)},
		{Name: "grandchild-expired", Ask: "www.deep.sub", Children: grandchild(Times(dns.TypeA, past, lately)), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "grandchild-with-a-wrong-ds", Ask: "www.deep.sub", Children: grandchildDS, Expected: codes(9), AlsoTrue: codes(6)},
		// RFC 6840 section 4.1: the parent's record at the cut does not deny what lies
		// below it, and is of another zone.
		{Name: "denied-by-the-parents-record", Ask: missing + ".sub", Children: deniedByParent, Expected: codes(12, 6), AlsoTrue: codes(6, 10)},
		{Name: "alias-at-the-apex", Type: dns.TypeMX, Before: Records("%s 300 IN CNAME www.valid." + TLD)},
	}
}

// beyond answers from the wildcard of the apex, whatever exists.
func beyond(z *Zone) {
	z.intercept(func(q dns.Question, m *dns.Msg) *dns.Msg {
		if q.Qtype != dns.TypeA || m.Rcode != dns.RcodeNameError {
			return m
		}
		m.Rcode, m.Ns = dns.RcodeSuccess, nil
		name := dns.CanonicalName(q.Name)
		z.data(m, under("*", z.Name), name, q.Qtype)
		z.cover(m, name)
		return m
	})
}

func grandchild(after func(*Zone)) func(*Bed, *Zone) {
	return func(b *Bed, z *Zone) {
		child := b.Zone(under("sub", z.Name))
		addChild(b, child, "deep", nil, after)
		ds := records(child.DS())
		child.Sign()
		b.Delegate(z, child, ds)
	}
}

func grandchildDS(b *Bed, z *Zone) {
	child := b.Zone(under("sub", z.Name))
	deep := b.Zone(under("deep", child.Name))
	wrong := ChangedDS(func(ds *dns.DS) { ds.KeyTag++ })(deep)
	deep.Sign()
	b.Delegate(child, deep, wrong)
	ds := records(child.DS())
	child.Sign()
	b.Delegate(z, child, ds)
}

// deniedByParent has a child deny names with its parent's NSEC at the cut.
func deniedByParent(b *Bed, z *Zone) {
	addChild(b, z, "sub", nil, func(child *Zone) {
		child.intercept(func(_ dns.Question, m *dns.Msg) *dns.Msg {
			if m.Rcode == dns.RcodeNameError {
				m.Ns = slices.DeleteFunc(m.Ns, func(rr dns.RR) bool {
					sig, ok := rr.(*dns.RRSIG)
					return rr.Header().Rrtype == dns.TypeNSEC || ok && sig.TypeCovered == dns.TypeNSEC
				})
				m.Ns = append(m.Ns, z.signed(child.Name, dns.TypeNSEC)...)
			}
			return m
		})
	})
}

// furtherAliases are chains of CNAME and DNAME: each link is judged in its own
// zone, and the first link that does not hold is the finding.
func furtherAliases() []Case {
	to := func(target string) func(*Zone) { return Records("alias.%s 300 IN CNAME " + target + TLD) }
	tree := func(target string) func(*Zone) { return Records("tree.%s 300 IN DNAME " + target + TLD) }
	alias := func(name, target string, expected, also []uint16) Case {
		return Case{Name: name, Ask: "alias", Before: to(target), Expected: expected, AlsoTrue: also}
	}
	itself := func(name string, code uint16, after func(*Zone), also ...uint16) Case {
		return Case{Name: name, Ask: "alias", Before: to("valid."), After: after, Expected: codes(code), AlsoTrue: also}
	}
	dname := func(name, target string, expected, also []uint16, after func(*Zone)) Case {
		return Case{Name: name, Ask: "www.tree", Before: tree(target), After: after, Expected: expected, AlsoTrue: also}
	}
	return []Case{
		alias("cname-to-unsigned", "unsigned.", nil, nil),
		alias("cname-to-no-ds", "no-ds.", nil, nil),
		alias("cname-to-nxdomain", "nothing.valid.", nil, nil),
		alias("cname-to-wildcard", "any.valid-wildcard.", nil, nil),
		alias("cname-to-cname", "alias.cname-ok.", nil, nil),
		alias("cname-to-unsupported-digest", "ds-unassigned-digest-algo.", codes(2), codes(9)),
		alias("cname-to-unsupported-algorithm", "unsupported-algo.", codes(1), codes(9)),
		alias("cname-to-bad-ds", "ds-bad-tag.", codes(9), codes(6)),
		alias("cname-to-not-yet-valid", "rrsig-not-yet-a.", codes(8), codes(6)),
		alias("cname-to-reversed", "rrsig-exp-before-a.", codes(25), codes(6, 7)),
		alias("cname-to-unsigned-set", "rrsig-no-a.", codes(10), codes(6)),
		alias("cname-to-corrupt", "bad-rrsig-a.", codes(6), nil),
		alias("cname-to-no-zone-key", "no-dnskey-256.", codes(11), codes(6)),
		alias("cname-to-unproven-nxdomain", missing+".nsec-missing.", codes(12), codes(6)),
		alias("cname-to-cname-to-expired", "alias.cname-to-expired.", codes(7), codes(6)),
		{Name: "cname-out-of-unsigned", Ask: "alias", Before: Both(Unsigned, to("rrsig-exp-a.")), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "cname-in-zone-to-unsigned-set", Ask: "alias", Before: Records("alias.%s 300 IN CNAME www.%s"),
			After: func(z *Zone) { delete(z.Sigs["www."+z.Name], dns.TypeA) }, Expected: codes(10), AlsoTrue: codes(6)},
		itself("cname-unsigned-itself", 10, Unsign(dns.TypeCNAME), 6),
		itself("cname-expired-itself", 7, Times(dns.TypeCNAME, past, lately), 6),
		itself("cname-corrupt-itself", 6, Corrupt(dns.TypeCNAME)),
		// The alias of a broken zone to another broken one: the first link it is.
		{Name: "cname-expired-to-corrupt", Ask: "alias", Before: to("bad-rrsig-a."), After: Times(dns.TypeCNAME, past, lately),
			Expected: codes(7), AlsoTrue: codes(6)},
		// Asked for the alias itself, the target is of no matter.
		{Name: "cname-asked-for", Ask: "alias", Type: dns.TypeCNAME, Before: to("rrsig-exp-a.")},
		dname("dname", "valid.", nil, nil, nil),
		dname("dname-to-nxdomain", "nothing.valid.", nil, nil, nil),
		dname("dname-to-unsigned", "unsigned.", nil, nil, nil),
		dname("dname-corrupt", "valid.", codes(6), nil, Corrupt(dns.TypeDNAME)),
		dname("dname-unsigned", "valid.", codes(10), codes(6), Unsign(dns.TypeDNAME)),
		dname("dname-expired", "valid.", codes(7), codes(6), Times(dns.TypeDNAME, past, lately)),
		dname("dname-to-bad-ds", "ds-bad-tag.", codes(9), codes(6), nil),
		{Name: "dname-asked-for", Ask: "tree", Type: dns.TypeDNAME, Before: tree("rrsig-exp-a.")},
		{Name: "dname-to-expired", Ask: "www.tree", Before: tree("rrsig-exp-all."), Expected: codes(7), AlsoTrue: codes(6)},
		{Name: "dname-then-unproven-nxdomain", Ask: missing + ".tree", Before: tree("nsec-missing."), Expected: codes(12), AlsoTrue: codes(6)},
	}
}
