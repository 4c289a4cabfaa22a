package bed

import (
	"encoding/base64"
	"fmt"
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
