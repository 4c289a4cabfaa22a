package dnssec

import (
	"github.com/miekg/dns"
)

const maxSignatures = 16

// verify holds a set against the keys of zone z. It returns the signature that
// holds, or the finding that explains why none does.
func (r *run) verify(z string, set *rrset, keys []*dns.DNSKEY) (*dns.RRSIG, *Finding) {
	what := short(set.name) + " " + typeName(set.typ)
	if len(set.sigs) == 0 {
		return nil, bogus(dns.ExtendedErrorCodeRRSIGsMissing, z, set.name, set.typ,
			"no RRSIG covers %s, which zone %s must sign", what, short(z))
	}
	var worst *dns.RRSIG
	best := gradeForeign
	for i, sig := range set.sigs {
		if i == maxSignatures || r.checks >= maxChecks {
			return nil, undecided(z, set.name, set.typ, "too many signatures to check at %s", what)
		}
		g := r.judge(z, set, sig, keys)
		if g == gradeGood {
			if worst != nil && best > gradeNoKey {
				// Resolvers that stop at the first failure may not get here.
				r.step(false, z, "%s (another signature holds)", r.explain(z, set, worst, best, what).Text)
			}
			return sig, nil
		}
		if worst == nil || g > best || g == best && int32(sig.Expiration-worst.Expiration) > 0 {
			worst, best = sig, g
		}
	}
	return nil, r.explain(z, set, worst, best, what).aboutSignature(worst, r.now)
}

func (r *run) explain(z string, set *rrset, sig *dns.RRSIG, g grade, what string) *Finding {
	fail := func(code uint16, format string, a ...any) *Finding {
		return bogus(code, z, set.name, set.typ, format, a...)
	}
	switch g {
	case gradeTimes, gradeTimesCorrupt, gradeTimesNoKey:
		when := signatureTimes(sig, r.now)
		inception, expiration := stamp(serialTime(sig.Inception, r.now)), stamp(serialTime(sig.Expiration, r.now))
		switch when {
		case timesExpired:
			return fail(timesCode[when], "RRSIG of %s by key %d expired %s", what, sig.KeyTag, expiration)
		case timesNotYet:
			return fail(timesCode[when], "RRSIG of %s by key %d is not valid before %s", what, sig.KeyTag, inception)
		}
		return fail(timesCode[when], "RRSIG of %s by key %d expires %s, before it begins %s", what, sig.KeyTag, expiration, inception)
	case gradeUntried:
		return undecided(z, set.name, set.typ, "RRSIG of %s is by key %d, and more than %d keys of %s have that tag", what, sig.KeyTag, maxKeysPerTag, short(z))
	case gradeUncheckable:
		return undecided(z, set.name, set.typ, "RRSIG of %s is by key %d, whose size cannot be checked here", what, sig.KeyTag)
	case gradeCorrupt:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s by key %d (%s) does not verify", what, sig.KeyTag, algorithmName(sig.Algorithm))
	case gradeNotZoneKey:
		return fail(dns.ExtendedErrorCodeNoZoneKeyBitSet, "RRSIG of %s is by DNSKEY %d, which has no Zone Key bit", what, sig.KeyTag)
	case gradeRevokedKey:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s is by DNSKEY %d, which is revoked", what, sig.KeyTag)
	case gradeNoKey:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s is by key %d (%s), which %s does not publish as such",
			what, sig.KeyTag, algorithmName(sig.Algorithm), short(z))
	case gradeUnsupported:
		return fail(dns.ExtendedErrorCodeDNSBogus, "%s is signed only with %s, which is not supported", what, algorithmName(sig.Algorithm))
	}
	if sig.SignerName != z {
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s is by %s, not by zone %s", what, short(sig.SignerName), short(z))
	}
	return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s by key %d is for a name of %d labels", what, sig.KeyTag, sig.Labels)
}

// outOfTime tells a finding that a right clock would have avoided.
func outOfTime(f *Finding) bool {
	if f == nil || f.Status != Bogus || len(f.Codes) == 0 {
		return false
	}
	return f.Codes[0] == dns.ExtendedErrorCodeSignatureExpired || f.Codes[0] == dns.ExtendedErrorCodeSignatureNotYetValid
}
