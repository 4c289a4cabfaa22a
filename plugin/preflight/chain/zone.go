package chain

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// Covered reports whether every name under zone lies in one of zones.
func Covered(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(z string) bool { return inside(z, zone) })
}

// inside reports whether name lies in zone. Both are in lower case, so that most
// need not be taken apart.
func inside(zone, name string) bool {
	return zone == name || strings.HasSuffix(name, zone) && dns.IsSubDomain(zone, name)
}

// Reverse reports whether name lies in one of the trees of reverse zones.
func Reverse(name string) bool {
	return inside("in-addr.arpa.", name) || inside("ip6.arpa.", name)
}

// Overlapping reports whether some name lies in zone and in one of zones.
func Overlapping(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(z string) bool {
		_, ok := Narrower(z, zone)
		return ok
	})
}

// Narrower returns the common part of two zones: the one that lies in the other.
func Narrower(a, b string) (string, bool) {
	switch {
	case inside(a, b):
		return b, true
	case inside(b, a):
		return a, true
	}
	return "", false
}

// ZonesOf normalizes zones as CoreDNS does for a plugin's arguments: a CIDR
// becomes its reverse zones, none at all means those of the server block.
func ZonesOf(args, block []string) []string {
	switch {
	case len(args) == 0:
		return block
	case len(args) == 1 && args[0] == ".":
		return root
	}
	return plugin.OriginsFromArgsOrServerBlock(args, nil)
}

// Enclosing yields zone and its parents up to the root.
func Enclosing(zone string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for off, end := 0, false; !end; off, end = dns.NextLabel(zone, off) {
			if !yield(zone[off:]) {
				return
			}
		}
		if zone != "." {
			yield(".")
		}
	}
}

// A zoneSet is a list of zones, sorted, each once: a name is found in it in a few
// steps however long it is.
type zoneSet []string

// newZoneSet returns the set of zones, which it may share. Nobody writes to it.
func newZoneSet(zones []string) zoneSet {
	if sorted(zones) {
		return zones
	}
	set := slices.Clone(zones)
	slices.Sort(set)
	return slices.Compact(set)
}

// sorted reports whether zones are in order, each once.
func sorted(zones []string) bool {
	for i := 1; i < len(zones); i++ {
		if zones[i-1] >= zones[i] {
			return false
		}
	}
	return true
}

// holds reports whether zone itself is in the set.
func (s zoneSet) holds(zone string) bool {
	_, found := slices.BinarySearch(s, zone)
	return found
}

// match returns the longest zone that name lies in, "" if there is none.
func (s zoneSet) match(name string) string {
	switch {
	case len(s) == 0:
		return ""
	case len(s) == 1 && s[0] == ".": // as most are
		return "."
	}
	for z := range Enclosing(name) {
		if s.holds(z) {
			return z
		}
	}
	return ""
}

func (s zoneSet) has(name string) bool { return s.match(name) != "" }
