package dnssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestSignatureTimesAreSerialNumbers(t *testing.T) {
	wrap := time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC) // 2^32 seconds
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name      string
		at        time.Time
		from, to  time.Duration
		want      times
		inception time.Time
	}{
		{"holds", now, -time.Hour, time.Hour, timesHold, now.Add(-time.Hour)},
		{"the last second", now, -time.Hour, 0, timesHold, now.Add(-time.Hour)},
		{"a second too late", now, -time.Hour, -time.Second, timesExpired, now.Add(-time.Hour)},
		{"the first second", now, 0, time.Hour, timesHold, now},
		{"a second too early", now, time.Second, time.Hour, timesNotYet, now.Add(time.Second)},
		{"reversed", now, -time.Hour, -2 * time.Hour, timesReversed, now.Add(-time.Hour)},
		{"over the wrap", wrap, -time.Hour, time.Hour, timesHold, wrap.Add(-time.Hour)},
		{"expired before the wrap", wrap.Add(time.Minute), -time.Hour, -time.Hour + time.Minute, timesExpired, wrap.Add(time.Minute - time.Hour)},
	} {
		t.Run(test.name, func(t *testing.T) {
			sig := &dns.RRSIG{Inception: uint32(test.at.Add(test.from).Unix()), Expiration: uint32(test.at.Add(test.to).Unix())}
			if got := signatureTimes(sig, test.at); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got := serialTime(sig.Inception, test.at); !got.Equal(test.inception) {
				t.Errorf("inception %s, want %s", got, test.inception)
			}
		})
	}
}

// bigSigner signs with any exponent, which crypto/rsa does not.
type bigSigner struct{ n, d *big.Int }

func (bigSigner) Public() crypto.PublicKey { return nil }

func rsaKeyWith(t *testing.T, bits int, e *big.Int) (bigSigner, *dns.DNSKEY) {
	t.Helper()
	for range 200 {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		n := new(big.Int).Mul(p, q)
		d := new(big.Int).ModInverse(e, new(big.Int).Mul(p.Sub(p, one), q.Sub(q, one)))
		if d == nil || n.BitLen() != bits {
			continue
		}
		exponent := e.Bytes()
		raw := append([]byte{byte(len(exponent))}, exponent...)
		if len(exponent) > 255 {
			raw = append([]byte{0, byte(len(exponent) >> 8), byte(len(exponent))}, exponent...)
		}
		return bigSigner{n, d}, &dns.DNSKEY{
			Hdr:   dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET},
			Flags: 256, Protocol: 3, Algorithm: dns.RSASHA256, PublicKey: base64.StdEncoding.EncodeToString(append(raw, n.Bytes()...)),
		}
	}
	t.Fatal("no key")
	return bigSigner{}, nil
}

func TestRSAKeysThatTheLibraryDoesNotTake(t *testing.T) {
	exp := func(bits uint) *big.Int {
		return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
	}
	for _, test := range []struct {
		name string
		bits int
		e    *big.Int
		want grade
	}{
		{"an exponent of 2^32+1, as BIND once made", 1024, exp(32), gradeGood},
		{"a modulus of 512 bits", 512, exp(16), gradeGood},
		{"an exponent of 100 bits is not tried", 1024, exp(100), gradeUncheckable},
	} {
		t.Run(test.name, func(t *testing.T) {
			signer, key := rsaKeyWith(t, test.bits, test.e)
			a, _ := dns.NewRR("www.example.org. 300 IN A 192.0.2.1")
			set := &rrset{name: "www.example.org.", typ: dns.TypeA, rrs: []dns.RR{a}}
			sig := &dns.RRSIG{Hdr: dns.RR_Header{Name: set.name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET}, TypeCovered: dns.TypeA,
				Algorithm: dns.RSASHA256, Labels: 3, OrigTtl: 300, KeyTag: key.KeyTag(), SignerName: "example.org."}
			h := crypto.SHA256.New()
			h.Write(signedData(sig, set.rrs))
			sum := h.Sum(nil)
			m := make([]byte, test.bits/8)
			for i := range m {
				m[i] = 0xff
			}
			m[0], m[1] = 0, 1
			prefix := []byte("\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20")
			copy(m[len(m)-len(sum)-len(prefix):], prefix)
			copy(m[len(m)-len(sum):], sum)
			s := new(big.Int).Exp(new(big.Int).SetBytes(m), signer.d, signer.n).FillBytes(make([]byte, len(m)))
			sig.Signature = base64.StdEncoding.EncodeToString(s)
			r := newRun(t.Context(), &Validator{})
			if got := r.check(set, sig, key); got != test.want {
				t.Errorf("grade %d, want %d", got, test.want)
			}
			s[3] ^= 1
			sig.Signature = base64.StdEncoding.EncodeToString(s)
			if got := r.check(set, sig, key); got == gradeGood {
				t.Error("a corrupt signature holds")
			}
		})
	}
}

// TestSignedDataIsWhatTheLibrarySigns compares with a signature made by the
// library, for a plain set, a wildcard's expansion and a shorter TTL.
func TestSignedDataIsWhatTheLibrarySigns(t *testing.T) {
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET},
		Flags: 256, Protocol: 3, Algorithm: dns.RSASHA256}
	private, err := key.Generate(1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{"www.example.org.", "*.example.org."} {
		first, _ := dns.NewRR(owner + " 300 IN MX 10 MAIL.example.org.")
		second, _ := dns.NewRR(owner + " 300 IN MX 5 mail.example.org.")
		set := []dns.RR{first, second}
		sig := &dns.RRSIG{Algorithm: dns.RSASHA256, KeyTag: key.KeyTag(), SignerName: "example.org.", Expiration: 5, Inception: 4}
		if err := sig.Sign(private.(crypto.Signer), set); err != nil {
			t.Fatal(err)
		}
		for _, rr := range set {
			rr.Header().Ttl = 17
			if owner[0] == '*' {
				rr.Header().Name = "a.b.example.org."
			}
		}
		sum := crypto.SHA256.New()
		sum.Write(signedData(sig, set))
		raw, err := base64.StdEncoding.DecodeString(sig.Signature)
		if err != nil {
			t.Fatal(err)
		}
		public := &private.(*rsa.PrivateKey).PublicKey
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum.Sum(nil), raw); err != nil {
			t.Errorf("%s: %v", owner, err)
		}
	}
}

func TestEd448IsCheckedByTheFunctionGiven(t *testing.T) {
	a, _ := dns.NewRR("example.org. 300 IN A 192.0.2.1")
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET},
		Flags: 256, Protocol: 3, Algorithm: dns.ED448, PublicKey: "AQID"}
	n := uint32(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Unix())
	sig := &dns.RRSIG{Hdr: dns.RR_Header{Name: "example.org.", Class: dns.ClassINET}, TypeCovered: dns.TypeA, Algorithm: dns.ED448, Labels: 2,
		OrigTtl: 300, KeyTag: key.KeyTag(), SignerName: "example.org.", Signature: "BAUG", Inception: n - 1, Expiration: n + 1}
	set := &rrset{name: "example.org.", typ: dns.TypeA, rrs: []dns.RR{a}, sigs: []*dns.RRSIG{sig}}
	v := &Validator{Now: func() time.Time { return time.Unix(int64(n), 0) }}
	if g := newRun(t.Context(), v).judge("example.org.", set, sig, []*dns.DNSKEY{key}); g != gradeUnsupported {
		t.Errorf("without a function: grade %d", g)
	}
	v.Ed448 = func(pub, msg, sig []byte) bool {
		return string(pub) == "\x01\x02\x03" && string(sig) == "\x04\x05\x06" && msg[2] == dns.ED448
	}
	if g := newRun(t.Context(), v).judge("example.org.", set, sig, []*dns.DNSKEY{key}); g != gradeGood {
		t.Errorf("with a function: grade %d", g)
	}
}

func TestECDSASignatureOfAnotherLengthIsCorrupt(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET},
		Flags: 256, Protocol: 3, Algorithm: dns.ECDSAP256SHA256, PublicKey: base64.StdEncoding.EncodeToString(point[1:])}
	a, _ := dns.NewRR("example.org. 300 IN A 192.0.2.1")
	sig := &dns.RRSIG{Algorithm: key.Algorithm, KeyTag: key.KeyTag(), SignerName: "example.org."}
	if err := sig.Sign(private, []dns.RR{a}); err != nil {
		t.Fatal(err)
	}
	set := &rrset{name: "example.org.", typ: dns.TypeA, rrs: []dns.RR{a}}
	r := newRun(t.Context(), &Validator{})
	if g := r.check(set, sig, key); g != gradeGood {
		t.Fatalf("grade %d", g)
	}
	raw, _ := base64.StdEncoding.DecodeString(sig.Signature)
	longer := append(append([]byte{0}, raw[:32]...), append([]byte{0}, raw[32:]...)...)
	sig.Signature = base64.StdEncoding.EncodeToString(longer)
	if g := r.check(set, sig, key); g != gradeCorrupt {
		t.Errorf("grade %d", g)
	}
}

func TestCanonicalOrder(t *testing.T) {
	// The example of RFC 4034 section 6.1.
	order := []string{"example.", "a.example.", `yljkjljk.a.example.`, `Z.a.example.`, `zABC.a.EXAMPLE.`, `z.example.`, `\001.z.example.`, `*.z.example.`, `\200.z.example.`}
	for i, a := range order {
		for j, b := range order {
			ca, _ := canonicalName(a)
			cb, _ := canonicalName(b)
			got := compareNames(ca, cb)
			if (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s, %s: %d", a, b, got)
			}
		}
	}
}
