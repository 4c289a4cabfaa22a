package bed

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Shapes that several cases build on.
var (
	wildcard = Records("*.%s 300 IN A 192.0.2.7", "*.%s 300 IN TXT \"w\"")
	nonTerm  = Records("a.b.c.%s 300 IN A 192.0.2.8")
	optOut   = func(z *Zone) { z.NSEC3 = &NSEC3{OptOut: true} }
	ksk, zsk = (*Zone).KSK, (*Zone).ZSK
)

const past, lately, soon, later = -40 * day, -10 * day, 10 * day, 40 * day

// Another publishes a further key, which signs as its flags say.
func Another(flags uint16, algorithm uint8) func(*Zone) {
	return func(z *Zone) { z.Keys = append(z.Keys, NewKey(z.t, z.Name, flags, algorithm)) }
}

// Idle publishes a further key that signs nothing.
func Idle(flags uint16, algorithm uint8) func(*Zone) {
	return func(z *Zone) {
		k := NewKey(z.t, z.Name, flags, algorithm)
		k.KSK, k.ZSK = false, false
		z.Keys = append(z.Keys, k)
	}
}

// Altered changes fields of the RRSIGs over a type, which are not made anew.
func Altered(typ uint16, change func(z *Zone, sig *dns.RRSIG)) func(*Zone) {
	return func(z *Zone) {
		z.each(typ, func(name string, t uint16) {
			for _, sig := range z.Sigs[name][t] {
				change(z, sig)
			}
		})
	}
}

// SignedAs signs a type rightly with the zone's key in the name of another zone.
func SignedAs(typ uint16, signer func(z *Zone) string) func(*Zone) {
	return func(z *Zone) {
		z.each(typ, func(name string, t uint16) {
			z.Sigs[name][t] = []*dns.RRSIG{z.ZSK().sign(z.t, signer(z), z.RRs[name][t], z.From, z.To)}
		})
	}
}

// Validity is from when to when a signature holds, from now.
type Validity struct{ From, To time.Duration }

// SignedTwice puts signatures of two times over a type, by a key each.
func SignedTwice(typ uint16, first, second Validity) func(*Zone) {
	return func(z *Zone) {
		now := z.From.Add(48 * time.Hour)
		z.each(typ, func(name string, t uint16) {
			z.Sigs[name][t] = nil
			for i, v := range []Validity{first, second} {
				k := z.Keys[i+1]
				z.Sigs[name][t] = append(z.Sigs[name][t], k.sign(z.t, z.Name, z.RRs[name][t], now.Add(v.From), now.Add(v.To)))
			}
		})
	}
}

// Omit leaves records, and the signatures over them, out of the authority
// section.
func Omit(which func(z *Zone, q dns.Question, rr dns.RR) bool) func(*Zone) {
	return func(z *Zone) {
		z.intercept(func(q dns.Question, m *dns.Msg) *dns.Msg {
			gone := make(map[string]bool)
			for _, rr := range m.Ns {
				if rr.Header().Rrtype != dns.TypeRRSIG && which(z, q, rr) {
					gone[rr.Header().Name+dns.Type(rr.Header().Rrtype).String()] = true
				}
			}
			m.Ns = slices.DeleteFunc(m.Ns, func(rr dns.RR) bool {
				typ := rr.Header().Rrtype
				if sig, ok := rr.(*dns.RRSIG); ok {
					typ = sig.TypeCovered
				}
				return gone[rr.Header().Name+dns.Type(typ).String()]
			})
			return m
		})
	}
}

// intercept adds a change to what the zone answers.
func (z *Zone) intercept(change func(q dns.Question, m *dns.Msg) *dns.Msg) {
	before := z.Reply
	z.Reply = func(q dns.Question, m *dns.Msg) *dns.Msg {
		if before != nil {
			if m = before(q, m); m == nil {
				return nil
			}
		}
		return change(q, m)
	}
}

// ResignedNSEC changes every NSEC of the zone and signs it anew.
func ResignedNSEC(change func(z *Zone, n *dns.NSEC)) func(*Zone) {
	return func(z *Zone) {
		z.each(dns.TypeNSEC, func(name string, t uint16) {
			for _, rr := range z.RRs[name][t] {
				change(z, rr.(*dns.NSEC))
			}
			z.Resign(name, t, z.RRs[name][t])
		})
	}
}

// Crowded adds names, so that no denial record has two roles in a proof.
func Crowded(z *Zone) {
	for i := range 24 {
		z.Add(fmt.Sprintf("host%d.%s 300 IN A 192.0.2.9", i, z.Name))
	}
}

// matches and covers tell what an NSEC3 record does for a name.
func (z *Zone) matches(rr dns.RR, name string) bool {
	n, ok := rr.(*dns.NSEC3)
	return ok && strings.EqualFold(n.Hdr.Name[:32], z.hash(name))
}

func (z *Zone) covers(rr dns.RR, name string) bool {
	n, ok := rr.(*dns.NSEC3)
	if !ok {
		return false
	}
	owner, next, hash := strings.ToUpper(n.Hdr.Name[:32]), strings.ToUpper(n.NextDomain), strings.ToUpper(z.hash(name))
	if owner < next {
		return owner < hash && hash < next
	}
	return owner < hash || hash < next
}

// addChild delegates a child of a case's zone, after changing it.
func addChild(b *Bed, parent *Zone, label string, before, after func(*Zone)) *Zone {
	child := b.Zone(under(label, parent.Name))
	if before != nil {
		before(child)
	}
	var ds []dns.RR
	if !child.Unsigned {
		ds = records(child.DS())
	}
	child.Sign()
	if after != nil {
		after(child)
	}
	b.Delegate(parent, child, ds)
	return child
}

// Child is a Children that adds sub.ZONE with faults of its own.
func Child(before, after func(*Zone)) func(*Bed, *Zone) {
	return func(b *Bed, z *Zone) { addChild(b, z, "sub", before, after) }
}

// MoveServer changes the address that the parent gives for a child's name server;
// without one the server has none.
func (z *Zone) MoveServer(child *Zone, address string) {
	ns := under("ns1", child.Name)
	delete(z.RRs[ns], dns.TypeA)
	if address != "" {
		z.Add(fmt.Sprintf("%s %d IN A %s", ns, ttl, address))
	}
}

// AddServer delegates a child to one more server.
func (z *Zone) AddServer(child *Zone, label, address string) {
	ns := under(label, child.Name)
	z.Add(fmt.Sprintf("%s %d IN NS %s", child.Name, ttl, ns), fmt.Sprintf("%s %d IN A %s", ns, ttl, address))
}
