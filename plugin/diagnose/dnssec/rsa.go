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
