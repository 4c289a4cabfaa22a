package dnssec

import (
	"encoding/base64"
	"time"

	"github.com/miekg/dns"
)

// RFC 8624 section 3.1 says which algorithms a validator must know; MD5, DSA and
// GOST must not be validated. 16 is known where the caller brings it.
func (r *run) knowsAlgorithm(a uint8) bool {
	switch a {
	case dns.RSASHA1, dns.RSASHA1NSEC3SHA1, dns.RSASHA256, dns.RSASHA512,
		dns.ECDSAP256SHA256, dns.ECDSAP384SHA384, dns.ED25519:
		return true
	case dns.ED448:
		return r.Ed448 != nil
	}
	return false
}

func knowsDigest(d uint8) bool {
	return d == dns.SHA1 || d == dns.SHA256 || d == dns.SHA384
}

// What IANA's registries have, and some validators can do, beyond what is known
// here: SM2/SM3 (RFC 9563) and GOST R 34.10-2012 (RFC 9558).
const (
	sm2SM3     = 17
	gost2012   = 23
	digest2012 = 5
	digestSM3  = 6
)

// foreignAlgorithm is true for algorithms that are not known here while other
// validators may know them. No validator of today knows any further.
func foreignAlgorithm(a uint8) bool {
	switch a {
	case dns.ED448, dns.ECCGOST, sm2SM3, gost2012, dns.PRIVATEDNS, dns.PRIVATEOID:
		return true
	}
	return false
}

func foreignDigest(d uint8) bool { return d == dns.GOST94 || d == digest2012 || d == digestSM3 }

// serialTime reads a 32-bit signature time as the moment nearest to now
// (RFC 4034 section 3.1.5, serial arithmetic of RFC 1982).
func serialTime(serial uint32, now time.Time) time.Time {
	n := now.Unix()
	return time.Unix(n+int64(int32(serial-uint32(n))), 0).UTC()
}

// times is how a signature stands to the clock.
type times uint8

const (
	timesHold times = iota
	timesExpired
	timesNotYet
	timesReversed // expiration before inception
)

var timesCode = map[times]uint16{
	timesExpired:  dns.ExtendedErrorCodeSignatureExpired,
	timesNotYet:   dns.ExtendedErrorCodeSignatureNotYetValid,
	timesReversed: dns.ExtendedErrorCodeSignatureExpiredBeforeValid,
}

func signatureTimes(sig *dns.RRSIG, now time.Time) times {
	n := uint32(now.Unix())
	switch {
	case int32(sig.Expiration-sig.Inception) < 0:
		return timesReversed
	case int32(sig.Expiration-n) < 0:
		return timesExpired
	case int32(n-sig.Inception) < 0:
		return timesNotYet
	}
	return timesHold
}

// grade says how near a signature came to holding. The signature with the
// highest grade explains a set of which none holds.
type grade uint8

const (
	gradeForeign     grade = iota // by another zone, or for another name
	gradeUnsupported              // by an algorithm that cannot be checked
	gradeNoKey                    // by a key that the zone does not publish
	gradeRevokedKey
	gradeTimesNoKey // out of its time, and its key is not there either
	gradeNotZoneKey // by a key without the Zone Key bit
	gradeCorrupt
	gradeTimesCorrupt // out of its time; not checked, or not good
	gradeTimes        // good but for its time
	gradeUntried      // in time, but too many keys share its tag
	gradeUncheckable  // in time, but the key is beyond the crypto library
	gradeGood
)

// maxKeysPerTag bounds colliding key tags that are tried for one signature
// (CVE-2023-50387).
const maxKeysPerTag = 4

// judge grades one signature over a set of zone z with the given keys.
func (r *run) judge(z string, set *rrset, sig *dns.RRSIG, keys []*dns.DNSKEY) grade {
	owner := dns.CountLabel(set.name)
	if isWildcard(set.name) {
		owner--
	}
	if sig.SignerName != z || !inZone(z, set.name) || int(sig.Labels) > owner {
		return gradeForeign
	}
	// Those sets are never made from a wildcard; the expansion of an NSEC would
	// prove things about names it was not made for.
	if int(sig.Labels) < owner {
		switch set.typ {
		case dns.TypeNSEC, dns.TypeNSEC3, dns.TypeDS, dns.TypeDNSKEY, dns.TypeSOA:
			return gradeForeign
		}
	}
	when := signatureTimes(sig, r.now)
	if !r.knowsAlgorithm(sig.Algorithm) {
		return gradeUnsupported
	}
	best, tried := gradeNoKey, 0
	for _, k := range keys {
		g := gradeNoKey
		switch {
		case k.Flags&dns.ZONE == 0 && (k.KeyTag() == sig.KeyTag || withFlags(k, k.Flags|dns.ZONE).KeyTag() == sig.KeyTag):
			g = gradeNotZoneKey
		case k.Flags&dns.REVOKE != 0 && (k.KeyTag() == sig.KeyTag || withFlags(k, k.Flags&^dns.REVOKE).KeyTag() == sig.KeyTag):
			g = gradeRevokedKey
		case k.KeyTag() != sig.KeyTag || k.Algorithm != sig.Algorithm || k.Protocol != 3:
		case tried == maxKeysPerTag:
			g = gradeUntried
		default:
			tried++
			g = r.check(set, sig, k)
		}
		if when != timesHold {
			switch g {
			case gradeGood:
				g = gradeTimes
			case gradeCorrupt, gradeUntried, gradeUncheckable:
				g = gradeTimesCorrupt
			}
		}
		best = max(best, g)
		if best == gradeGood {
			break
		}
	}
	if when != timesHold && (best == gradeNoKey || best == gradeRevokedKey) {
		return gradeTimesNoKey
	}
	return best
}

func withFlags(k *dns.DNSKEY, flags uint16) *dns.DNSKEY {
	c := *k
	c.Flags = flags
	return &c
}

// check is the cryptographic part alone.
func (r *run) check(set *rrset, sig *dns.RRSIG, k *dns.DNSKEY) grade {
	r.checks++
	raw, err := base64.StdEncoding.DecodeString(sig.Signature)
	if err != nil {
		return gradeCorrupt
	}
	switch k.Algorithm {
	case dns.ECDSAP256SHA256, dns.ECDSAP384SHA384:
		// miekg/dns halves a signature of any length (RFC 6605 section 4).
		want := 64
		if k.Algorithm == dns.ECDSAP384SHA384 {
			want = 96
		}
		if len(raw) != want {
			return gradeCorrupt
		}
	case dns.ED448:
		pub, err := base64.StdEncoding.DecodeString(k.PublicKey)
		data := signedData(sig, set.rrs)
		if err != nil || data == nil || !r.Ed448(pub, data, raw) {
			return gradeCorrupt
		}
		return gradeGood
	case dns.RSASHA1, dns.RSASHA1NSEC3SHA1, dns.RSASHA256, dns.RSASHA512:
		if odd, ok := oddRSAKey(k); ok {
			return odd.check(signedData(sig, set.rrs), raw, dns.AlgorithmToHash[k.Algorithm])
		}
	}
	if sig.Verify(k, set.rrs) == nil {
		return gradeGood
	}
	return gradeCorrupt
}
