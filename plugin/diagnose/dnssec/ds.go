package dnssec

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// usableDS keeps the DS records that RFC 4035 section 5.2 and RFC 4509 section 3
// let count: known algorithms and digests, and SHA-1 only where there is nothing
// better for the same algorithm. Without any the zone is insecure, and the
// finding says which lack makes it so.
func (r *run) usableDS(zoneName, parentZone string, all []*dns.DS) ([]*dns.DS, *Finding) {
	var known []*dns.DS
	digests, foreign := 0, false
	strong := make(map[uint8]bool)
	for _, ds := range all {
		foreign = foreign || foreignAlgorithm(ds.Algorithm) || foreignDigest(ds.DigestType)
		if !knowsDigest(ds.DigestType) {
			continue
		}
		digests++
		if r.knowsAlgorithm(ds.Algorithm) {
			known = append(known, ds)
			strong[ds.Algorithm] = strong[ds.Algorithm] || ds.DigestType != dns.SHA1
		}
	}
	if len(known) == 0 {
		ds := all[0]
		code, why := dns.ExtendedErrorCodeUnsupportedDNSKEYAlgorithm, algorithmName(ds.Algorithm)
		if digests == 0 {
			code, why = dns.ExtendedErrorCodeUnsupportedDSDigestType, digestName(ds.DigestType)
		}
		f := finding(Insecure, parentZone, zoneName, dns.TypeDS, []uint16{code},
			"no DS of %s is supported: DS %d has %s", short(zoneName), ds.KeyTag, why)
		f.Foreign = foreign
		return nil, f.aboutKey(ds.KeyTag, ds.Algorithm)
	}
	var usable []*dns.DS
	for _, ds := range known {
		if ds.DigestType != dns.SHA1 || !strong[ds.Algorithm] {
			usable = append(usable, ds)
		}
	}
	return usable, nil
}

func dsMatches(ds *dns.DS, k *dns.DNSKEY) bool {
	if ds.KeyTag != k.KeyTag() || ds.Algorithm != k.Algorithm {
		return false
	}
	made := k.ToDS(ds.DigestType)
	return made != nil && strings.EqualFold(made.Digest, ds.Digest)
}

func dsText(ds *dns.DS) string {
	return fmt.Sprintf("DS %d (%s, %s)", ds.KeyTag, algorithmName(ds.Algorithm), digestName(ds.DigestType))
}

// entryPoint grades a DNSKEY for a DS. A key that would match but for its flags
// is told apart from no key at all: the flags are part of the key tag and of the
// digest, so both the key as published and the key as meant are tried.
func entryPoint(ds *dns.DS, k *dns.DNSKEY) grade {
	match := dsMatches(ds, k)
	switch {
	case k.Flags&dns.ZONE == 0:
		if match || dsMatches(ds, withFlags(k, k.Flags|dns.ZONE)) {
			return gradeNotZoneKey
		}
	case k.Flags&dns.REVOKE != 0:
		// RFC 5011 section 2.1: a revoked key is good for nothing but its own
		// revocation.
		if match || dsMatches(ds, withFlags(k, k.Flags&^dns.REVOKE)) {
			return gradeRevokedKey
		}
	case match && k.Protocol == 3:
		return gradeGood
	}
	return gradeNoKey
}

func noMatch(name string, usable []*dns.DS, keys []*dns.DNSKEY) *Finding {
	ds := usable[0]
	f := bogus(dns.ExtendedErrorCodeDNSKEYMissing, name, name, dns.TypeDNSKEY,
		"DS %d of %s matches none of its DNSKEYs (key tags %s)", ds.KeyTag, short(name), tags(keys))
	for _, k := range keys {
		switch {
		case k.KeyTag() != ds.KeyTag:
			continue
		case k.Protocol != 3:
			// RFC 4034 section 2.1.2: such a key is invalid, whatever matches.
			f.Text = finding(Bogus, "", "", 0, nil, "DNSKEY %d of %s, for DS %d, has protocol %d in place of 3",
				ds.KeyTag, short(name), ds.KeyTag, k.Protocol).Text
		case k.Algorithm != ds.Algorithm:
			f.Text = finding(Bogus, "", "", 0, nil, "DS %d of %s is for %s, DNSKEY %d there is %s",
				ds.KeyTag, short(name), algorithmName(ds.Algorithm), ds.KeyTag, algorithmName(k.Algorithm)).Text
		default:
			f.Text = finding(Bogus, "", "", 0, nil, "the %s digest of DS %d of %s is not that of DNSKEY %d there",
				digestName(ds.DigestType), ds.KeyTag, short(name), ds.KeyTag).Text
		}
		break
	}
	return f.aboutKey(ds.KeyTag, ds.Algorithm)
}
