package bed

import (
	"encoding/base64"
	"slices"

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
		{Name: "unknown-algorithm-beside-known", Before: Both(Another(dns.ZONE|dns.SEP, 100), Another(dns.ZONE, 100))},
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
		{Name: "revoked-ksk-beside-the-new-one", Before: Both(revoked(ksk), Another(dns.ZONE|dns.SEP, p256)),
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
