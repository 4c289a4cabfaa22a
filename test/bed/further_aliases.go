package bed

import "github.com/miekg/dns"

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
