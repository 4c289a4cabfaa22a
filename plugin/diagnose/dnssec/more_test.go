package dnssec_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/bed"
)

const day = 24 * time.Hour

// moreCases are states and shapes that the public test bed does not have.
func moreCases() []bed.Case {
	zsk, ksk := (*bed.Zone).ZSK, (*bed.Zone).KSK
	another := func(flags uint16, algorithm uint8) func(*bed.Zone) *bed.Key {
		return func(z *bed.Zone) *bed.Key {
			k := bed.NewKey(z.T(), z.Name, flags, algorithm)
			z.Keys = append(z.Keys, k)
			return k
		}
	}
	add := func(flags uint16, algorithm uint8) func(*bed.Zone) {
		return func(z *bed.Zone) { another(flags, algorithm)(z) }
	}
	standby := func(z *bed.Zone) []dns.RR {
		ds := *z.DS()[0]
		ds.KeyTag += 7
		return []dns.RR{&ds, z.DS()[0]}
	}
	revoke := func(choose func(*bed.Zone) *bed.Key) func(*bed.Zone) {
		return func(z *bed.Zone) {
			bed.PublishedFlags(choose, choose(z).Published.Flags|dns.REVOKE, true)(z)
		}
	}
	digests := func(types ...uint8) func(*bed.Zone) []dns.RR {
		return func(z *bed.Zone) []dns.RR {
			var rrs []dns.RR
			for _, d := range types {
				rrs = append(rrs, z.KSK().Published.ToDS(d))
			}
			return rrs
		}
	}
	mutate := func(choose func([]dns.RR) *dns.DS) func(*bed.Zone) []dns.RR {
		return func(z *bed.Zone) []dns.RR {
			rrs := digests(dns.SHA1, dns.SHA256)(z)
			ds := choose(rrs)
			ds.Digest = ds.Digest[2:] + ds.Digest[:2]
			return rrs
		}
	}
	atParent := func(typ uint16, change func(*bed.Zone, string, uint16)) func(parent, z *bed.Zone) {
		return func(parent, z *bed.Zone) { change(parent, z.Name, typ) }
	}
	wildcard := bed.Records("*.%s 300 IN A 192.0.2.7", "*.%s 300 IN TXT \"w\"")
	ent := bed.Records("a.b.c.%s 300 IN A 192.0.2.8")
	hashed := func(z *bed.Zone) { z.NSEC3 = &bed.NSEC3{OptOut: true} }
	servfail := dns.RcodeServerFailure
	return []bed.Case{
		{Name: "ksk-rollover-both-published", Before: add(dns.ZONE|dns.SEP, dns.ECDSAP256SHA256)},
		{Name: "standby-ds-beside-one-that-matches", DS: standby},
		{Name: "zsk-pre-published", Before: func(z *bed.Zone) { another(dns.ZONE, dns.ECDSAP256SHA256)(z).ZSK = false }},
		{Name: "zsk-double-signature", Before: add(dns.ZONE, dns.ECDSAP256SHA256)},
		{Name: "algorithm-rollover-double-signed", Before: bed.All(add(dns.ZONE|dns.SEP, dns.ED25519), add(dns.ZONE, dns.ED25519))},
		{Name: "one-of-two-signatures-is-corrupt", Before: add(dns.ZONE, dns.ECDSAP256SHA256),
			After: func(z *bed.Zone) {
				sigs := z.Sigs[z.Name][dns.TypeA]
				sigs[0].Signature = sigs[1].Signature
			}},
		{Name: "single-key", Before: func(z *bed.Zone) {
			z.Keys = z.Keys[:1]
			z.Keys[0].ZSK = true
		}},
		{Name: "single-key-without-sep", Before: func(z *bed.Zone) {
			z.Keys = z.Keys[1:]
			z.Keys[0].KSK = true
		}},
		{Name: "ksk-revoked", Before: revoke(ksk), Expected: []uint16{9}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "zsk-revoked", Before: revoke(zsk), Expected: []uint16{6, 9}, FailRcode: servfail},
		{Name: "ds-sha1-only", DS: digests(dns.SHA1), AlsoTrue: []uint16{2}},
		{Name: "ds-sha384", DS: digests(dns.SHA384)},
		{Name: "ds-sha1-is-wrong-beside-sha256", DS: mutate(func(rrs []dns.RR) *dns.DS { return rrs[0].(*dns.DS) })},
		{Name: "ds-sha256-is-wrong-beside-sha1", DS: mutate(func(rrs []dns.RR) *dns.DS { return rrs[1].(*dns.DS) }),
			Expected: []uint16{9}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "expired-dnskey-signature", After: bed.Times(dns.TypeDNSKEY, -40*day, -10*day), Expected: []uint16{7}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "expired-ds-signature", AtParent: atParent(dns.TypeDS, func(z *bed.Zone, name string, typ uint16) {
			z.ResignBetween(name, typ, z.RRs[name][typ], z.From.Add(-40*day), z.From.Add(-10*day))
		}), Expected: []uint16{7}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "unsigned-ds", AtParent: atParent(dns.TypeDS, func(z *bed.Zone, name string, typ uint16) {
			delete(z.Sigs[name], typ)
		}), Expected: []uint16{10}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "signed-by-another-zone", After: func(z *bed.Zone) {
			for _, sig := range z.Sigs[z.Name][dns.TypeA] {
				sig.SignerName = bed.TLD
			}
		}, Expected: []uint16{6}, AlsoTrue: []uint16{10}, FailRcode: servfail},
		{Name: "ent", Ask: "b.c", Before: ent},
		{Name: "ent-nsec3", Ask: "b.c", Before: bed.All(bed.Hashed(0), ent)},
		{Name: "below-ent", Ask: "x.b.c", Before: ent},
		{Name: "deep", Ask: "a.b.c", Before: ent},
		{Name: "deep-without-nsec", Ask: "a.b.c", Before: ent, After: bed.Drop(dns.TypeNSEC)},
		{Name: "very-deep", Ask: "1.2.3.4.5.6.7.8.9.0.a.b.c.d.e.f.1.2.3.4.5.6.7.8.9.0.a.b", Before: ent},
		{Name: "nodata", Ask: "www", Type: dns.TypeMX},
		{Name: "nodata-nsec3", Ask: "www", Type: dns.TypeMX, Before: bed.Hashed(3)},
		{Name: "nodata-without-proof", Ask: "www", Type: dns.TypeMX, After: bed.Drop(dns.TypeNSEC), Expected: []uint16{12}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "nodata-expired-nsec", Ask: "www", Type: dns.TypeMX, After: bed.Times(dns.TypeNSEC, -40*day, -10*day), Expected: []uint16{7}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "wildcard-nodata", Ask: "x", Type: dns.TypeMX, Before: wildcard},
		{Name: "wildcard-nodata-nsec3", Ask: "x", Type: dns.TypeMX, Before: bed.All(bed.Hashed(0), wildcard)},
		{Name: "wildcard-deep", Ask: "x.y.z", Before: wildcard},
		{Name: "wildcard-itself", Ask: "*", Before: wildcard},
		{Name: "wildcard-without-proof", Ask: "x", Before: wildcard, After: bed.Drop(dns.TypeNSEC), Expected: []uint16{12}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "wildcard-cname", Ask: "x", Before: bed.Records("*.%s 300 IN CNAME www.%s")},
		{Name: "opt-out-unsigned-child", Ask: "www.sub", Before: hashed, Children: bed.UnsignedChild},
		{Name: "opt-out-nxdomain", Ask: "nothing", Before: hashed, Children: bed.UnsignedChild},
		{Name: "unsigned-child", Ask: "www.sub", Children: bed.UnsignedChild},
		{Name: "unsigned-child-nsec3", Ask: "www.sub", Before: bed.Hashed(0), Children: bed.UnsignedChild},
		{Name: "unsigned-child-many-iterations", Ask: "www.sub", Before: bed.Hashed(500), Children: bed.UnsignedChild, Expected: []uint16{27}},
		{Name: "two-cuts-on-one-server", Ask: "www.sub", Children: bed.SignedChild},
		{Name: "ds-at-apex", Type: dns.TypeDS},
		{Name: "no-ds-at-apex", Type: dns.TypeDS, DS: bed.NoDS},
		{Name: "dnskey-at-apex", Type: dns.TypeDNSKEY},
		{Name: "soa-at-apex", Type: dns.TypeSOA},
		{Name: "cname-to-unsigned", Ask: "alias", Before: bed.Records("alias.%s 300 IN CNAME unsigned." + bed.TLD)},
		{Name: "cname-out-of-unsigned", Ask: "alias", Before: bed.All(bed.Unsigned, bed.Records("alias.%s 300 IN CNAME rrsig-exp-a."+bed.TLD)),
			Expected: []uint16{7}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "cname-to-nxdomain", Ask: "alias", Before: bed.Records("alias.%s 300 IN CNAME nothing.valid." + bed.TLD)},
		{Name: "cname-unsigned-itself", Ask: "alias", Before: bed.Records("alias.%s 300 IN CNAME valid." + bed.TLD),
			After: bed.Unsign(dns.TypeCNAME), Expected: []uint16{10}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "dname", Ask: "www.tree", Before: bed.Records("tree.%s 300 IN DNAME valid." + bed.TLD)},
		{Name: "dname-corrupt", Ask: "www.tree", Before: bed.Records("tree.%s 300 IN DNAME valid." + bed.TLD),
			After: bed.Corrupt(dns.TypeDNAME), Expected: []uint16{6}, FailRcode: servfail},
		{Name: "dname-to-expired", Ask: "www.tree", Before: bed.Records("tree.%s 300 IN DNAME rrsig-exp-a." + bed.TLD),
			Expected: []uint16{7}, AlsoTrue: []uint16{6}, FailRcode: servfail},
		{Name: "soa-corrupt-in-denial", Ask: "nothing", After: bed.Corrupt(dns.TypeSOA), Expected: []uint16{6}, FailRcode: servfail},
		{Name: "mixed-case", Ask: "WwW", Before: bed.Records("Mx.%s 300 IN MX 1 WWW.%s")},
	}
}

func TestFurtherStatesOfAZone(t *testing.T) {
	b := bed.New(t, now, append(bed.Cases(), moreCases()...)...)
	v := validator(b)
	for _, c := range moreCases() {
		t.Run(c.Name, func(t *testing.T) {
			f := v.Validate(context.Background(), c.Question())
			judge(t, c, f)
			if f.Queries > 40 {
				t.Errorf("%d queries", f.Queries)
			}
		})
	}
}

func TestSecureAndInsecureAreToldApart(t *testing.T) {
	b := bed.New(t, now, append(bed.Cases(), moreCases()...)...)
	v := validator(b)
	insecure := []string{"no-ds", "unsigned", "unsigned-nxdomain", "opt-out-unsigned-child", "opt-out-nxdomain",
		"unsigned-child", "unsigned-child-nsec3", "cname-to-unsigned"}
	for _, c := range b.Cases() {
		if len(c.Expected) > 0 {
			continue
		}
		f := v.Validate(context.Background(), c.Question())
		want := "secure"
		if slices.Contains(insecure, c.Name) {
			want = "insecure"
		}
		if f.Status.String() != want {
			t.Errorf("%s: want %s", c.Name, want)
			report(t, f)
		}
	}
}
