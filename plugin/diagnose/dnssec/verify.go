package dnssec

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"

	"github.com/miekg/dns"
)

const maxSignatures = 16

// verify holds a set against the keys of zone z. It returns the signature that
// holds, or the finding that explains why none does.
func (r *run) verify(z string, set *rrset, keys []*dns.DNSKEY) (*dns.RRSIG, *Finding) {
	what := short(set.name) + " " + typeName(set.typ)
	if len(set.sigs) == 0 {
		return nil, bogus(dns.ExtendedErrorCodeRRSIGsMissing, z, set.name, set.typ,
			"no RRSIG covers %s, but zone %s must sign it", what, short(z))
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
		return undecided(z, set.name, set.typ, "RRSIG of %s was made with key %d, and more than %d keys of %s have that tag", what, sig.KeyTag, maxKeysPerTag, short(z))
	case gradeUncheckable:
		return undecided(z, set.name, set.typ, "RRSIG of %s was made with key %d, whose size cannot be checked here", what, sig.KeyTag)
	case gradeCorrupt:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s by key %d (%s) does not verify", what, sig.KeyTag, algorithmName(sig.Algorithm))
	case gradeNotZoneKey:
		return fail(dns.ExtendedErrorCodeNoZoneKeyBitSet, "RRSIG of %s was made with DNSKEY %d, which has no Zone Key bit", what, sig.KeyTag)
	case gradeRevokedKey:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s was made with DNSKEY %d, which is revoked", what, sig.KeyTag)
	case gradeNoKey:
		return fail(dns.ExtendedErrorCodeDNSBogus, "RRSIG of %s was made with key %d (%s), which %s does not publish as such",
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

// rsaKey is a public key that resolvers accept but crypto/rsa and miekg/dns do
// not: an exponent above 2^31-1 (2^32+1 was a default of BIND's key generator)
// or a modulus below 1024 bits.
type rsaKey struct {
	n, e *big.Int
	size int // of the modulus, octets
}

const (
	minModulus  = 64  // octets; RFC 5702 section 2.1 has 512 bits for 8
	maxModulus  = 512 // octets; RFC 3110 section 2, 4096 bits
	maxExponent = 8   // octets; more costs too much to try
)

// oddRSAKey reads a key (RFC 3110 section 2) and tells whether the library
// cannot be used for it.
func oddRSAKey(k *dns.DNSKEY) (rsaKey, bool) {
	raw, err := base64.StdEncoding.DecodeString(k.PublicKey)
	if err != nil || len(raw) < 3 {
		return rsaKey{}, false
	}
	size, at := int(raw[0]), 1
	if size == 0 {
		size, at = int(raw[1])<<8|int(raw[2]), 3
	}
	if size == 0 || at+size >= len(raw) {
		return rsaKey{}, false
	}
	exponent, modulus := bytes.TrimLeft(raw[at:at+size], "\x00"), bytes.TrimLeft(raw[at+size:], "\x00")
	odd := rsaKey{n: new(big.Int).SetBytes(modulus), e: new(big.Int).SetBytes(exponent), size: len(modulus)}
	return odd, odd.e.BitLen() > 31 || odd.n.BitLen() < 1024 || odd.n.BitLen() > 8*maxModulus ||
		len(exponent) < size || len(modulus) < len(raw)-at-size
}

// digestInfo are the DER prefixes of RFC 8017 section 9.2, note 1.
var digestInfo = map[crypto.Hash]string{
	crypto.SHA1:   "3021300906052b0e03021a05000414",
	crypto.SHA256: "3031300d060960864801650304020105000420",
	crypto.SHA512: "3051300d060960864801650304020305000440",
}

// check does RSASSA-PKCS1-v1_5 verification, RFC 8017 section 8.2.2. Everything
// in it is public, so it need not run in constant time.
func (k rsaKey) check(data, sig []byte, h crypto.Hash) grade {
	if k.size < minModulus || k.size > maxModulus || len(k.e.Bytes()) > maxExponent || k.e.BitLen() < 2 {
		return gradeUncheckable
	}
	prefix, err := hex.DecodeString(digestInfo[h])
	if err != nil || len(prefix) == 0 || data == nil {
		return gradeUncheckable
	}
	s := new(big.Int).SetBytes(sig)
	if len(sig) != k.size || s.Cmp(k.n) >= 0 || k.n.Bit(0) == 0 {
		return gradeCorrupt
	}
	sum := h.New()
	sum.Write(data)
	tail := sum.Sum(append([]byte{0}, prefix...))
	if k.size < len(tail)+10 {
		return gradeCorrupt
	}
	want := bytes.Repeat([]byte{0xff}, k.size)
	want[0], want[1] = 0, 1
	copy(want[k.size-len(tail):], tail)
	got := make([]byte, k.size)
	if !bytes.Equal(s.Exp(s, k.e, k.n).FillBytes(got), want) {
		return gradeCorrupt
	}
	return gradeGood
}

// signedData is what a signature is made over (RFC 4034 section 3.1.8.1).
// miekg/dns builds it only on the way to a signer, so a signer that keeps what it
// is given stands in: Ed25519 is the algorithm that is handed the whole text. The
// two fields that signing insists on choosing are put right afterwards.
func signedData(sig *dns.RRSIG, set []dns.RR) []byte {
	copied := make([]dns.RR, len(set))
	for i, rr := range set {
		copied[i] = dns.Copy(rr)
		copied[i].Header().Ttl = sig.OrigTtl
		if name := rr.Header().Name; int(sig.Labels) < dns.CountLabel(name) {
			copied[i].Header().Name = wildcardOf(suffix(name, int(sig.Labels)))
		}
	}
	stand := *sig
	stand.Algorithm, stand.KeyTag = dns.ED25519, 1
	var kept keeper
	if len(copied) == 0 || stand.Sign(&kept, copied) != nil || len(kept.text) < 18 {
		return nil
	}
	kept.text[2] = sig.Algorithm
	kept.text[16], kept.text[17] = byte(sig.KeyTag>>8), byte(sig.KeyTag)
	return kept.text
}

type keeper struct{ text []byte }

func (*keeper) Public() crypto.PublicKey { return nil }

func (k *keeper) Sign(_ io.Reader, text []byte, _ crypto.SignerOpts) ([]byte, error) {
	k.text = bytes.Clone(text)
	return make([]byte, 64), nil
}
