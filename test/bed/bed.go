// Package bed is a tree of signed zones made at test time, each with one fault:
// a root, the top-level zone edetest., and below it a zone for each case. It
// shares no code with the validator that it tests. It answers as a recursive
// resolver in memory, or as authoritative servers on loopback sockets that a real
// resolver can use. Only tests import it.
package bed

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TLD is the parent of the zones of all cases.
const TLD = "edetest."

// Case is a zone with one fault and the question that shows it.
type Case struct {
	// Name is also the label of the zone, so CASE.edetest.
	Name string
	// Ask is what stands before the zone's name in the question; "" is the apex.
	Ask string
	// Type is asked; 0 means A.
	Type uint16
	// Expected are the INFO-CODEs any of which is the most specific truth, and
	// AlsoTrue those that may follow. None at all means that nothing is wrong.
	Expected, AlsoTrue []uint16
	// FailRcode is what a validating resolver answers.
	FailRcode int
	// Undecided marks cases in which nothing may be said.
	Undecided bool

	// Before changes the zone before it is signed, After afterwards.
	Before, After func(z *Zone)
	// DS makes the parent's DS RRset; nil means that of the zone's KSKs.
	DS func(z *Zone) []dns.RR
	// Children adds zones below this one.
	Children func(b *Bed, z *Zone)
	// AtParent changes the parent after it is signed.
	AtParent func(parent, z *Zone)
}

// Question is what to ask for the case.
func (c Case) Question() dns.Question {
	name := c.Name + "." + TLD
	if c.Ask != "" {
		name = c.Ask + "." + name
	}
	typ := c.Type
	if typ == 0 {
		typ = dns.TypeA
	}
	return dns.Question{Name: name, Qtype: typ, Qclass: dns.ClassINET}
}

// Bed is a tree of zones.
type Bed struct {
	Root, TLD *Zone

	t     testing.TB
	now   time.Time
	zones map[string]*Zone
	cases []Case
}

// New builds a tree with the given cases as of now; without any, with those of
// Cases.
func New(t testing.TB, now time.Time, cases ...Case) *Bed {
	t.Helper()
	if len(cases) == 0 {
		cases = Cases()
	}
	b := &Bed{t: t, now: now, zones: make(map[string]*Zone), cases: cases}
	b.Root, b.TLD = b.Zone("."), b.Zone(TLD)
	b.Root.Address, b.TLD.Address = rootAddress, tldAddress
	built := make([]*Zone, len(cases))
	for i, c := range cases {
		built[i] = b.build(c)
	}
	b.TLD.Sign()
	for i, c := range cases {
		if c.AtParent != nil {
			c.AtParent(b.TLD, built[i])
		}
	}
	b.Delegate(b.Root, b.TLD, records(b.TLD.DS()))
	b.Root.Sign()
	return b
}

func (b *Bed) build(c Case) *Zone {
	b.t.Helper()
	z := b.Zone(c.Name + "." + TLD)
	if c.Before != nil {
		c.Before(z)
	}
	if c.Children != nil {
		c.Children(b, z)
	}
	ds := z.dsRecords(c.DS)
	z.Sign()
	if c.After != nil {
		c.After(z)
	}
	b.Delegate(b.TLD, z, ds)
	return z
}

// dsRecords is taken before signing, when the keys are still those that were
// made.
func (z *Zone) dsRecords(make func(*Zone) []dns.RR) []dns.RR {
	switch {
	case make != nil:
		return make(z)
	case z.kept != nil:
		return z.kept
	case z.Unsigned:
		return nil
	}
	return records(z.DS())
}

func records(dss []*dns.DS) []dns.RR {
	var rrs []dns.RR
	for _, ds := range dss {
		rrs = append(rrs, ds)
	}
	return rrs
}

// Zone adds an unsigned-yet zone with SOA, NS, and A and TXT records at the apex
// and at www, and a KSK and a ZSK of ECDSA P-256.
func (b *Bed) Zone(name string) *Zone {
	b.t.Helper()
	z := newZone(b.t, name)
	z.From, z.To = b.now.Add(-48*time.Hour), b.now.Add(14*24*time.Hour)
	z.Address = zoneAddress
	z.SetKeys(dns.ECDSAP256SHA256)
	if name != "." {
		z.Add(fmt.Sprintf("%s %d IN A 192.0.2.1", name, ttl), fmt.Sprintf("%s %d IN TXT \"the apex\"", name, ttl),
			fmt.Sprintf("www.%s %d IN A 192.0.2.2", name, ttl))
	}
	b.zones[name] = z
	return z
}

// SetKeys replaces the keys by a new KSK and ZSK of an algorithm.
func (z *Zone) SetKeys(algorithm uint8) {
	z.t.Helper()
	z.Keys = []*Key{NewKey(z.t, z.Name, dns.ZONE|dns.SEP, algorithm), NewKey(z.t, z.Name, dns.ZONE, algorithm)}
	for z.Keys[1].Tag == z.Keys[0].Tag {
		z.Keys[1] = NewKey(z.t, z.Name, dns.ZONE, algorithm)
	}
}

// KSK and ZSK are the first keys of their kind.
func (z *Zone) KSK() *Key { return z.key(func(k *Key) bool { return k.KSK }) }

// ZSK is the first key that signs data.
func (z *Zone) ZSK() *Key { return z.key(func(k *Key) bool { return k.ZSK }) }

func (z *Zone) key(is func(*Key) bool) *Key {
	i := slices.IndexFunc(z.Keys, is)
	if i < 0 {
		z.t.Fatalf("%s has no such key", z.Name)
	}
	return z.Keys[i]
}

// Delegate puts a delegation into the parent: NS, the address, and DS.
func (b *Bed) Delegate(parent, child *Zone, ds []dns.RR) {
	b.t.Helper()
	ns := under("ns1", child.Name)
	address := fmt.Sprintf("%s %d IN A %s", ns, ttl, child.Address)
	parent.Add(fmt.Sprintf("%s %d IN NS %s", child.Name, ttl, ns), address)
	for _, rr := range ds {
		rr = dns.Copy(rr)
		rr.Header().Name, rr.Header().Ttl = child.Name, ttl
		parent.put(rr)
	}
}

// Cases are the cases that the bed was built with.
func (b *Bed) Cases() []Case { return b.cases }

// Anchor is the trust anchor of the bed's root.
func (b *Bed) Anchor() []dns.RR { return records(b.Root.DS()) }

// RootHints is a hint file for a resolver that uses Listen's servers.
func (b *Bed) RootHints() string {
	return fmt.Sprintf(". %d IN NS ns1.\nns1. %d IN A %s\n", ttl, ttl, rootAddress)
}

// T is the test that the zone belongs to.
func (z *Zone) T() testing.TB { return z.t }
