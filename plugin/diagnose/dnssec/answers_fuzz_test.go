package dnssec

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"
	"time"
	"unicode"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// exchanging is workRun with the answers changed on their way; n counts them
// from 0.
func exchanging(b *bed.Bed, change func(n int, m *dns.Msg) (*dns.Msg, error)) *run {
	r, n := workRun(b), 0
	next := r.Exchange
	r.Exchange = func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		m, err := next(ctx, q)
		if err != nil {
			return nil, err
		}
		n++
		return change(n-1, m)
	}
	return r
}

// checkWork asserts what has to hold whatever was answered.
func checkWork(t testing.TB, r *run, f *Finding) {
	t.Helper()
	if r.queries > defaultMaxQueries || r.checks > maxChecks+maxKeysPerTag || r.hashes > maxHashes+130*(maxIterations+1) {
		t.Errorf("%d queries, %d signatures, %d hash rounds", r.queries, r.checks, r.hashes)
	}
	if len(f.Text) > maxText || len(r.steps) > maxSteps {
		t.Errorf("%d octets of text, %d steps", len(f.Text), len(r.steps))
	}
	for _, c := range f.Text {
		if c > unicode.MaxASCII || !unicode.IsPrint(c) {
			t.Errorf("%U in %q", c, f.Text)
		}
	}
	if f.Status == Bogus != (len(f.Codes) > 0) && f.Status != Insecure {
		t.Errorf("%s with %v", f.Status, f.Codes)
	}
}

// seedAnswers adds the answers that each case of b needs.
func seedAnswers(f *testing.F, b *bed.Bed, add func(c, n int, wire []byte)) {
	for i, c := range b.Cases() {
		r := exchanging(b, func(n int, m *dns.Msg) (*dns.Msg, error) {
			wire, err := m.Pack()
			if err == nil && len(wire) < 2048 {
				add(i, n, wire)
			}
			return m, nil
		})
		checkWork(f, r, r.question(c.Question()))
	}
}

// FuzzAnswers puts outside bytes in place of one answer. The zone of the last
// case has no signature over what is asked for: nothing can make it secure.
func FuzzAnswers(f *testing.F) {
	b := bed.New(f, workTime,
		bed.Case{Name: "valid"},
		bed.Case{Name: "hashed", Ask: "missing", Before: bed.Hashed(1)},
		bed.Case{Name: "alias", Ask: "a", Before: bed.Records("a.%s 300 IN CNAME www.valid.edetest.")},
		bed.Case{Name: "forged", After: bed.Unsign(dns.TypeA)})
	cases := b.Cases()
	seedAnswers(f, b, func(c, n int, wire []byte) { f.Add(uint8(c), uint8(n), wire) })
	f.Fuzz(func(t *testing.T, pick, at uint8, wire []byte) {
		c := cases[int(pick)%len(cases)]
		r := exchanging(b, func(n int, m *dns.Msg) (*dns.Msg, error) {
			if n != int(at%8) {
				return m, nil
			}
			other := new(dns.Msg)
			return other, other.Unpack(wire)
		})
		found := r.question(c.Question())
		checkWork(t, r, found)
		if c.Name == "forged" && found.Status != Bogus && found.Status != Undecided {
			t.Errorf("forged: %s %q", found.Status, found.Text)
		}
	})
}

// FuzzJunkInAValidChain adds records to answers that validate, such as a
// hostile server of one zone, or somebody on the path, may add: signatures over
// what is there, denials of other names, and whatever does not concern the chain.
// It has to validate all the same.
func FuzzJunkInAValidChain(f *testing.F) {
	b := bed.New(f, workTime,
		bed.Case{Name: "valid"},
		bed.Case{Name: "missing", Ask: "missing"},
		bed.Case{Name: "hashed", Ask: "missing", Before: bed.Hashed(1)},
		bed.Case{Name: "wildcard", Ask: "any", Before: bed.Records("*.%s 300 IN A 192.0.2.7")},
		bed.Case{Name: "alias", Ask: "a", Before: bed.Records("a.%s 300 IN CNAME www.valid.edetest.")})
	cases := b.Cases()
	seedAnswers(f, b, func(c, n int, wire []byte) {
		f.Add(uint8(c), uint8(n), false, wire)
		f.Add(uint8(c), uint8(n), true, wire)
	})
	f.Fuzz(func(t *testing.T, pick, at uint8, below bool, wire []byte) {
		hostile := new(dns.Msg)
		if hostile.Unpack(wire) != nil {
			return
		}
		c := cases[int(pick)%len(cases)]
		r := exchanging(b, func(n int, m *dns.Msg) (*dns.Msg, error) {
			if n != int(at%8) {
				return m, nil
			}
			junk := harmless(m, slices.Concat(hostile.Answer, hostile.Ns, hostile.Extra))
			if below {
				m.Ns = append(junk, m.Ns...)
			} else {
				m.Answer = append(junk, m.Answer...)
			}
			return m, nil
		})
		found := r.question(c.Question())
		checkWork(t, r, found)
		if found.Status != Secure {
			t.Errorf("%s: %s %q", c.Name, found.Status, found.Text)
		}
	})
}

// harmless keeps the first eight records that do not change what m says: of
// signatures and denials those of other sets, of all else what stands outside
// of the tree.
func harmless(m *dns.Msg, all []dns.RR) []dns.RR {
	var junk []dns.RR
	for _, rr := range all {
		name, ok := canonicalName(rr.Header().Name)
		if !ok || len(junk) == 8 {
			continue
		}
		switch rr.(type) {
		case *dns.RRSIG:
		case *dns.NSEC, *dns.NSEC3:
			if find(rrsets(m.Ns), name, rr.Header().Rrtype) != nil {
				continue
			}
		case *dns.OPT, *dns.DNAME:
			continue
		default:
			if name == "." || dns.IsSubDomain(bed.TLD, name) {
				continue
			}
		}
		junk = append(junk, rr)
	}
	return junk
}

// FuzzKeysAndSignatures holds the own RSA verification, and the octets that are
// signed, to the library's, for any RRset; and tries any public key and signature.
func FuzzKeysAndSignatures(f *testing.F) {
	signer := bed.NewKey(f, "example.org.", dns.ZONE, dns.RSASHA256)
	for _, rr := range []string{"*.example.org. 300 IN MX 10 Mail.Example.ORG.", "example.org. 300 IN TXT a \"b c\"", "a.example.org. 0 IN TYPE65280 \\# 2 abcd",
		"example.org. 1 IN SOA ns.example.org. h.example.org. 1 2 3 4 5"} {
		m := new(dns.Msg)
		r, err := dns.NewRR(rr)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = []dns.RR{r}
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, uint8(8), []byte{3, 1, 0, 1}, []byte{1})
		f.Add(wire, uint8(8), slices.Concat([]byte{0, 1, 0}, make([]byte, 600)), make([]byte, 128))
		f.Add(wire, uint8(13), make([]byte, 64), make([]byte, 64))
		f.Add(wire, uint8(15), make([]byte, 32), make([]byte, 64))
	}
	f.Fuzz(func(t *testing.T, wire []byte, algorithm uint8, public, signature []byte) {
		m := new(dns.Msg)
		if m.Unpack(wire) != nil {
			return
		}
		sets := rrsets(m.Answer)
		if len(sets) == 0 || len(sets[0].rrs) == 0 || !dns.IsSubDomain("example.org.", sets[0].name) {
			return
		}
		set, r := &sets[0], newRun(context.Background(), new(Validator))
		sig := &dns.RRSIG{Algorithm: signer.Algorithm, KeyTag: signer.Tag, SignerName: "example.org.",
			Inception: uint32(workTime.Unix()), Expiration: uint32(workTime.Add(time.Hour).Unix())}
		if sig.Sign(signer.Signer, set.rrs) == nil {
			odd, _ := oddRSAKey(signer.Published)
			raw, err := base64.StdEncoding.DecodeString(sig.Signature)
			if err != nil {
				t.Fatal(err)
			}
			data := signedData(sig, set.rrs)
			if g := odd.check(data, raw, dns.AlgorithmToHash[dns.RSASHA256]); (g == gradeGood) != (sig.Verify(signer.Published, set.rrs) == nil) {
				t.Errorf("grade %d, the library says %v: %v", g, sig.Verify(signer.Published, set.rrs), set.rrs)
			}
			raw[len(raw)/2] ^= 1
			if g := odd.check(data, raw, dns.AlgorithmToHash[dns.RSASHA256]); g == gradeGood {
				t.Error("a changed signature holds")
			}
		}
		key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET},
			Flags: dns.ZONE, Protocol: 3, Algorithm: algorithm, PublicKey: base64.StdEncoding.EncodeToString(public)}
		sig.Algorithm, sig.KeyTag, sig.Signature = algorithm, key.KeyTag(), base64.StdEncoding.EncodeToString(signature)
		// Whoever chooses an Ed25519 key of small order can sign anything with it.
		if g := r.judge("example.org.", set, sig, []*dns.DNSKEY{key}); g == gradeGood && algorithm != dns.ED25519 {
			t.Errorf("forged by algorithm %d: %x %x", algorithm, public, signature)
		}
	})
}
