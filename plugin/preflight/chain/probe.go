package chain

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Probe is a name that clients may ask a block for, standing for others.
type Probe struct {
	Name string
	// Zone is the narrowest zone of the Corefile that Name lies in, or Name itself
	// if that stands in the Corefile.
	Zone string
	Kind Kind
}

// A Kind is how far a probe stands for others.
type Kind int

// Kinds of probes.
const (
	Ordinary Kind = iota // a name below Zone that nobody wrote down
	Apex                 // Zone itself
	Listed               // a name that a hosts lists, or that rewrite is for
)

// shapes are ordinary names below a zone: what people call their hosts, and
// what a pattern may leave out.
var shapes = []string{"nowhere", "www", "host-7", "a.b", "10-0-0-1", "_http._tcp"}

// Probes are names under zones, at most a few for each zone that a plugin of
// the chain treats otherwise than those around it.
func (c *Chain) Probes(zones []string) []Probe {
	all, _ := c.FewProbes(zones, 0, 0)
	return all
}

// FewProbes is Probes if each of them may take that many of steps. It does not look for the
// samples of all rules if those of some are too many.
func (c *Chain) FewProbes(zones []string, each, steps int) (probes []Probe, few bool) {
	served := newZoneSet(zones)
	patterns := false
	var within, listed []string
	var rules []*Link
	add := func(more []string) {
		for _, z := range more {
			if !served.holds(z) && served.has(z) {
				within = append(within, z)
			}
		}
	}
	for i := range c.Links {
		l := &c.Links[i]
		patterns = patterns || l.Matches()
		add(l.Zones)
		add(l.Fall)
		add(l.Except)
		if l.Name == "acl" {
			add(ZonesOf(l.Args(), nil))
		}
		listed = append(listed, l.Entries()...)
		patterns = patterns || slices.ContainsFunc(l.Entries(), func(name string) bool { return strings.HasPrefix(name, "*.") })
		if r := l.rewrite; r != nil && !r.broken {
			rules = append(rules, l)
			patterns = patterns || r.match != "exact" && r.match != "suffix"
			if r.match == "exact" || r.match == "suffix" {
				add([]string{strings.TrimPrefix(r.from, ".")})
			}
		}
	}
	cells := served
	if len(within) > 0 {
		cells = newZoneSet(append(within, served...))
	}
	single := func(name string) (string, bool) {
		name = strings.Replace(name, "*.", shapes[0]+".", 1)
		return name, served.has(name) && !cells.holds(name)
	}
	var samples []string
	alone := 0
	for _, l := range rules {
		from := l.Sample(zones)
		if from == "" {
			continue
		}
		samples = append(samples, from)
		if _, is := single(from); is {
			alone++
		}
		if each*alone > steps {
			return nil, false
		}
	}
	listed = append(samples, listed...)
	some := shapes[:1]
	if patterns {
		some = shapes
	}
	names := make(map[string]bool, len(listed))
	for _, name := range listed {
		names[name] = true
	}
	all := make([]Probe, 0, len(cells)*(1+len(some))+len(listed))
	for _, z := range cells {
		labels := some
		if missing := missingLabels(z); missing > 0 {
			labels = []string{strings.TrimSuffix(strings.Repeat("1.", missing), ".")}
		} else {
			all = append(all, Probe{z, z, Apex})
		}
		for _, label := range labels {
			name := strings.TrimRight(label+"."+z, ".") + "."
			if cells.match(name) == z && !names[name] {
				all = append(all, Probe{name, z, Ordinary})
			}
		}
	}
	for _, name := range listed {
		if name, is := single(name); is {
			all = append(all, Probe{name, name, Listed})
		}
	}
	return all, each*len(all) <= steps
}

// missingLabels is how many labels a reverse zone lacks to be the name of an
// address, which is what clients ask for; 0 for other zones.
func missingLabels(zone string) int {
	const octets, nibbles = 4, 32
	switch {
	case strings.HasSuffix("."+zone, ".in-addr.arpa."):
		return max(octets+2-dns.CountLabel(zone), 0)
	case strings.HasSuffix("."+zone, ".ip6.arpa."):
		return max(nibbles+2-dns.CountLabel(zone), 0)
	}
	return 0
}

// Types are the types that the chain's plugins tell apart, and more, and one for
// the others, first those that clients ask most.
func (c *Chain) Types(more []uint16) []uint16 {
	types := []uint16{dns.TypeA}
	add := func(more ...uint16) {
		for _, t := range more {
			if t != 0 && t != dns.TypeANY && t != dns.TypePTR && !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
	}
	if len(more) > 0 {
		add(dns.TypeAAAA)
		add(more...)
	}
	for i := range c.Links {
		l := &c.Links[i]
		switch {
		case l.template != nil:
			add(dns.TypeAAAA, l.template.qtype)
		case l.rewrite != nil && l.rewrite.field == "type":
			add(dns.TypeAAAA, typeNamed(l.rewrite.from), typeNamed(l.rewrite.to))
		case l.hosts != nil, l.Name == "erratic":
			add(dns.TypeAAAA)
		}
		for _, p := range l.acl {
			add(p.types...)
		}
	}
	if len(types) > 1 {
		for _, t := range []uint16{dns.TypeHTTPS, dns.TypeTXT, dns.TypeMX, dns.TypeSRV, dns.TypeCAA} {
			if !slices.Contains(types, t) {
				return append(types, t)
			}
		}
	}
	return types
}

// Types are those of the questions that a probe stands for, out of types.
func (p Probe) Types(types []uint16) []uint16 {
	if p.addresses() {
		return onlyPTR
	}
	return types
}

// Rest are types, out of types and further ones, that clients ask a probe for seldom.
func (p Probe) Rest(types []uint16) []uint16 {
	if p.addresses() {
		return append(slices.Clone(types), unspoken)
	}
	return []uint16{dns.TypePTR, unspoken}
}

// addresses reports whether p stands for the names of addresses.
func (p Probe) addresses() bool { return p.Kind != Listed && Reverse(p.Zone) }

var onlyPTR = []uint16{dns.TypePTR}

// unspoken is a type of private use (RFC 6895 section 3.1).
const unspoken = 65280
