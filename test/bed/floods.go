package bed

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/miekg/dns"
)

// Crowd puts n corrupt signatures by the zone's own key before those over a type.
func Crowd(typ uint16, n int) func(*Zone) {
	return func(z *Zone) {
		z.each(typ, func(name string, t uint16) {
			good := z.Sigs[name][t]
			z.Sigs[name][t] = nil
			for i := range n {
				bad := *good[0]
				bad.OrigTtl = uint32(i) + 1
				z.Sigs[name][t] = append(z.Sigs[name][t], &bad)
			}
			z.Sigs[name][t] = append(z.Sigs[name][t], good...)
		})
	}
}

// Collide publishes n more keys with the key tag of the ZSK, before it.
func Collide(n int) func(*Zone) {
	return func(z *Zone) {
		raw, err := base64.StdEncoding.DecodeString(z.ZSK().Published.PublicKey)
		if err != nil {
			z.t.Fatal(err)
		}
		var crowd []*Key
		for at := 0; len(crowd) < n; at++ {
			if at > len(raw)-4 {
				z.t.Fatalf("a key of %d octets has no %d others with its tag", len(raw), n)
			}
			// The tag is a sum of 16-bit words (RFC 4034 appendix B), so that two
			// words may change places.
			other := slices.Clone(raw)
			copy(other[at:], raw[at+2:at+4])
			copy(other[at+2:], raw[at:at+2])
			c := *z.ZSK().Published
			c.PublicKey = base64.StdEncoding.EncodeToString(other)
			if c.KeyTag() == z.ZSK().Tag && !slices.Equal(other, raw) {
				crowd = append(crowd, &Key{Published: &c})
			}
		}
		z.Keys = append(crowd, z.Keys...)
	}
}

// Keys publishes n more keys that sign nothing.
func Keys(n int) func(*Zone) {
	return func(z *Zone) {
		for range n {
			z.Keys = append(z.Keys, &Key{Published: NewKey(z.t, z.Name, dns.ZONE, dns.ED25519).Published})
		}
	}
}

// ManyDS publishes n useless DS records before that of the KSK.
func ManyDS(n int) func(*Zone) []dns.RR {
	return func(z *Zone) []dns.RR {
		var rrs []dns.RR
		for i := range n {
			ds := *z.DS()[0]
			ds.KeyTag += uint16(i + 1)
			rrs = append(rrs, &ds)
		}
		return append(rrs, records(z.DS())...)
	}
}

// Denials sends n more NSEC records of the zone, for the names n0, n1..., before
// those that prove something.
func Denials(n int) func(*Zone) {
	return func(z *Zone) {
		z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
			if m.Rcode != dns.RcodeNameError {
				return m
			}
			var more []dns.RR
			for i := range n {
				name := under(fmt.Sprintf("n%d", i), z.Name)
				more = append(more, z.RRs[name][dns.TypeNSEC]...)
				for _, sig := range z.Sigs[name][dns.TypeNSEC] {
					more = append(more, sig)
				}
			}
			m.Ns = append(more, m.Ns...)
			return m
		}
	}
}
