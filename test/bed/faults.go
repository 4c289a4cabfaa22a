package bed

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const day = 24 * time.Hour

// Times moves the signatures of a type to other days from now; type 0 is all of
// them.
func Times(typ uint16, from, to time.Duration) func(*Zone) {
	return func(z *Zone) {
		now := z.From.Add(48 * time.Hour)
		z.each(typ, func(name string, t uint16) {
			z.ResignBetween(name, t, z.RRs[name][t], now.Add(from), now.Add(to))
		})
	}
}

// Corrupt breaks the signatures over a type; type 0 is all of them.
func Corrupt(typ uint16) func(*Zone) {
	return func(z *Zone) { z.each(typ, func(name string, t uint16) { z.corrupt(name, t, nil) }) }
}

// corrupt turns a bit of each signature, of those that a key made if one is given.
func (z *Zone) corrupt(name string, typ uint16, by *Key) {
	for _, sig := range z.Sigs[name][typ] {
		if by != nil && sig.KeyTag != by.Tag {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(sig.Signature)
		if err != nil {
			z.t.Fatal(err)
		}
		raw[len(raw)/2] ^= 1
		sig.Signature = base64.StdEncoding.EncodeToString(raw)
	}
}

// Unsign drops the signatures over a type; type 0 is all of them.
func Unsign(typ uint16) func(*Zone) {
	return func(z *Zone) { z.each(typ, func(name string, t uint16) { delete(z.Sigs[name], t) }) }
}

// Drop removes a type and its signatures from every name.
func Drop(typ uint16) func(*Zone) {
	return func(z *Zone) {
		for name := range z.RRs {
			delete(z.RRs[name], typ)
			delete(z.Sigs[name], typ)
			if len(z.RRs[name]) == 0 {
				delete(z.RRs, name)
			}
		}
	}
}

func (z *Zone) each(typ uint16, do func(name string, t uint16)) {
	for name, sets := range z.Sigs {
		for t := range sets {
			if typ == 0 || t == typ {
				do(name, t)
			}
		}
	}
}

// Both runs several changes.
func Both(changes ...func(*Zone)) func(*Zone) {
	return func(z *Zone) {
		for _, change := range changes {
			change(z)
		}
	}
}

// Algorithm gives the zone keys of another algorithm.
func Algorithm(a uint8) func(*Zone) { return func(z *Zone) { z.SetKeys(a) } }

// Hashed makes the zone deny with NSEC3.
func Hashed(iterations uint16) func(*Zone) {
	return func(z *Zone) { z.NSEC3 = &NSEC3{Iterations: iterations, Salt: "ab12"} }
}

// Records adds records; %s stands for the zone.
func Records(lines ...string) func(*Zone) {
	return func(z *Zone) {
		for _, line := range lines {
			z.Add(strings.ReplaceAll(line, "%s", z.Name))
		}
	}
}

// Unsigned leaves the zone without keys and signatures.
func Unsigned(z *Zone) { z.Unsigned = true }

// ChangedDS publishes the DS of the zone's KSK with a change.
func ChangedDS(change func(ds *dns.DS)) func(*Zone) []dns.RR {
	return func(z *Zone) []dns.RR {
		rrs := records(z.DS())
		for _, rr := range rrs {
			change(rr.(*dns.DS))
		}
		return rrs
	}
}

// NoDS publishes none.
func NoDS(*Zone) []dns.RR { return nil }

// PublishedFlags publishes the chosen key with other flags. The RRSIGs name the
// tag of the key as published, or as it was made.
func PublishedFlags(choose func(*Zone) *Key, flags uint16, newTag bool) func(*Zone) {
	return func(z *Zone) {
		k := choose(z)
		c := *k.Published
		c.Flags = flags
		k.Published = &c
		if newTag {
			k.Tag = c.KeyTag()
		}
	}
}

// PublishedAlgorithm publishes the ZSK with another algorithm, its signatures
// unchanged but for the tag that goes with the record.
func PublishedAlgorithm(a uint8) func(*Zone) {
	return func(z *Zone) {
		k := z.ZSK()
		c := *k.Published
		c.Algorithm = a
		k.Published = &c
	}
}

// Silent gives no answer to a type; Rcode answers it with an RCODE.
func Silent(typ uint16) func(*Zone) { return Rcode(typ, -1) }

// Rcode answers a type with an RCODE and nothing else; -1 is silence.
func Rcode(typ uint16, rcode int) func(*Zone) {
	return func(z *Zone) {
		z.Reply = func(q dns.Question, m *dns.Msg) *dns.Msg {
			switch {
			case q.Qtype != typ:
				return m
			case rcode < 0:
				return nil
			}
			m.Rcode, m.Answer, m.Ns = rcode, nil, nil
			return m
		}
	}
}

// RenameNSEC3 moves each NSEC3 to an owner that hashes to nothing in the zone,
// and signs it there.
func RenameNSEC3(z *Zone) {
	var owners []string
	for name, sets := range z.RRs {
		if sets[dns.TypeNSEC3] != nil {
			owners = append(owners, name)
		}
	}
	slices.Sort(owners)
	moved := make(map[string]string)
	for _, owner := range owners {
		first := "0"
		if owner[0] == '0' {
			first = "1"
		}
		moved[owner] = first + owner[1:]
	}
	real := *z
	z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
		for i, rr := range m.Ns {
			if to := moved[rr.Header().Name]; to != "" {
				rr = dns.Copy(rr)
				rr.Header().Name = to
				if rr.Header().Rrtype == dns.TypeNSEC3 {
					m.Ns[i] = rr
				}
			}
		}
		return real.resignNSEC3(m)
	}
}

// ResignedNSEC3 changes every NSEC3 that is sent and signs it anew.
func ResignedNSEC3(change func(*dns.NSEC3)) func(*Zone) {
	return func(z *Zone) {
		z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
			for i, rr := range m.Ns {
				if n, ok := rr.(*dns.NSEC3); ok {
					n = dns.Copy(n).(*dns.NSEC3)
					change(n)
					m.Ns[i] = n
				}
			}
			return z.resignNSEC3(m)
		}
	}
}

// resignNSEC3 replaces the signatures over the NSEC3 records of a message.
func (z *Zone) resignNSEC3(m *dns.Msg) *dns.Msg {
	var ns []dns.RR
	for _, rr := range m.Ns {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == dns.TypeNSEC3 {
			continue
		}
		ns = append(ns, rr)
		if rr.Header().Rrtype == dns.TypeNSEC3 {
			ns = append(ns, z.ZSK().sign(z.t, z.Name, []dns.RR{rr}, z.From, z.To))
		}
	}
	m.Ns = ns
	return m
}

// UnsignedChild delegates sub.ZONE to a zone without DNSSEC.
func UnsignedChild(b *Bed, z *Zone) {
	child := b.Zone(under("sub", z.Name))
	child.Unsigned = true
	child.Sign()
	b.Delegate(z, child, nil)
}

// SignedChild delegates sub.ZONE to a signed zone with a DS.
func SignedChild(b *Bed, z *Zone) {
	child := b.Zone(under("sub", z.Name))
	ds := records(child.DS())
	child.Sign()
	b.Delegate(z, child, ds)
}

// At serves the zone at an address of its own, so that a resolver which gives up
// on a silent server gives up on this zone only.
func At(address string) func(*Zone) { return func(z *Zone) { z.Address = address } }

func long(n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, " %q", strings.Repeat("x", 200))
	}
	return b.String()
}

// CompactDenial answers names that do not exist as RFC 9824 has it: NOERROR and
// an NSEC made for the name.
func CompactDenial(z *Zone) {
	z.Reply = func(q dns.Question, m *dns.Msg) *dns.Msg {
		if m.Rcode != dns.RcodeNameError {
			return m
		}
		m.Rcode, m.Ns = dns.RcodeSuccess, nil
		z.soa(m)
		name := dns.CanonicalName(q.Name)
		nsec := &dns.NSEC{Hdr: z.header(name, dns.TypeNSEC), NextDomain: under(`\000`, name),
			TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNXNAME}}
		m.Ns = append(m.Ns, nsec, z.ZSK().sign(z.t, z.Name, []dns.RR{nsec}, z.From, z.To))
		return m
	}
}

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
