package bed

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"io"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Key is a zone's key. Published is what the DNSKEY RRset shows and Sign what
// the key is used for; a fault is a difference between the two.
type Key struct {
	// Published is the record in the zone; nil leaves the key out.
	Published *dns.DNSKEY
	// Tag and Algorithm go into RRSIGs.
	Tag       uint16
	Algorithm uint8
	Signer    crypto.Signer
	// SignText signs in place of Signer for an algorithm that miekg/dns does not.
	SignText func(text []byte) []byte
	// KSK signs the DNSKEY RRset, ZSK all other sets; a key may do both.
	KSK, ZSK bool
}

// NewKey makes a key of an algorithm that can sign, or of one that cannot (1, 3,
// 100...): then key and signatures are random octets.
func NewKey(t testing.TB, zone string, flags uint16, algorithm uint8) *Key {
	t.Helper()
	k := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: ttl},
		Flags: flags, Protocol: 3, Algorithm: algorithm,
	}
	key := &Key{Published: k, Algorithm: algorithm, KSK: flags&dns.SEP != 0, ZSK: flags&dns.SEP == 0}
	// miekg/dns does not sign with a key whose tag is 0. A case may change the flags later, and
	// with them the tag.
	for key.Tag < farFrom0 || key.Tag > 1<<16-farFrom0 {
		if bits, ok := keyBits[algorithm]; ok {
			private, err := k.Generate(bits)
			if err != nil {
				t.Fatalf("key of algorithm %d for %s: %v", algorithm, zone, err)
			}
			key.Signer = private.(crypto.Signer)
		} else {
			k.PublicKey = random(64)
		}
		key.Tag = k.KeyTag()
	}
	return key
}

// farFrom0 is more than all flags together change a tag.
const farFrom0 = 1024

var keyBits = map[uint8]int{
	dns.RSASHA1: 1024, dns.RSASHA1NSEC3SHA1: 1024, dns.RSASHA256: 1024, dns.RSASHA512: 1024,
	dns.ECDSAP256SHA256: 256, dns.ECDSAP384SHA384: 384, dns.ED25519: 256,
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// sign makes one RRSIG over a set.
func (k *Key) sign(t testing.TB, zone string, set []dns.RR, from, to time.Time) *dns.RRSIG {
	h := set[0].Header()
	sig := &dns.RRSIG{
		Hdr:       dns.RR_Header{Name: h.Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: h.Ttl},
		Algorithm: k.Algorithm, KeyTag: k.Tag, SignerName: zone,
		Inception: uint32(from.Unix()), Expiration: uint32(to.Unix()),
	}
	if k.SignText != nil {
		k.signText(t, sig, set)
		return sig
	}
	if k.Signer == nil {
		sig.TypeCovered, sig.OrigTtl, sig.Labels = h.Rrtype, h.Ttl, uint8(dns.CountLabel(h.Name))
		sig.Signature = random(64)
		return sig
	}
	if err := sig.Sign(k.Signer, set); err != nil {
		t.Fatalf("signing %s %s: %v", h.Name, dns.Type(h.Rrtype), err)
	}
	return sig
}

// signText has miekg/dns put together what is signed (RFC 4034 section 3.1.8.1)
// as for Ed25519, which takes the text whole, and puts the own algorithm in.
func (k *Key) signText(t testing.TB, sig *dns.RRSIG, set []dns.RR) {
	t.Helper()
	var text textOf
	sig.Algorithm = dns.ED25519
	if err := sig.Sign(&text, set); err != nil {
		t.Fatal(err)
	}
	sig.Algorithm = k.Algorithm
	text.octets[2] = k.Algorithm
	sig.Signature = base64.StdEncoding.EncodeToString(k.SignText(text.octets))
}

// textOf is a signer that keeps what it is to sign.
type textOf struct{ octets []byte }

func (*textOf) Public() crypto.PublicKey { return nil }

func (s *textOf) Sign(_ io.Reader, text []byte, _ crypto.SignerOpts) ([]byte, error) {
	s.octets = bytes.Clone(text)
	return make([]byte, ed25519.SignatureSize), nil
}
