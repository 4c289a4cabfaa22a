package chain

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// Covered reports whether every name under zone lies in one of zones.
func Covered(zones []string, zone string) bool {
	return plugin.Zones(zones).Matches(zone) != ""
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
	case dns.IsSubDomain(a, b):
		return b, true
	case dns.IsSubDomain(b, a):
		return a, true
	}
	return "", false
}

// ZonesOf normalizes zones as CoreDNS does for a plugin's arguments: a CIDR
// becomes its reverse zones, none at all means those of the server block.
func ZonesOf(args, block []string) []string {
	if len(args) == 0 {
		return block
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

// A zoneSet is a list of zones, asked for a name in a few steps however long
// the list is.
type zoneSet map[string]bool

// onlyRoot is what most sets are. Nobody writes to what newZoneSet returns.
var onlyRoot = zoneSet{".": true}

func newZoneSet(zones ...[]string) zoneSet {
	n := 0
	for _, list := range zones {
		n += len(list)
	}
	if n == 0 {
		return nil
	}
	if n == 1 && len(zones) == 1 && zones[0][0] == "." {
		return onlyRoot
	}
	set := make(zoneSet, n)
	for _, list := range zones {
		for _, z := range list {
			set[z] = true
		}
	}
	return set
}

// match returns the longest zone that name lies in, "" if there is none.
func (s zoneSet) match(name string) string {
	if len(s) == 0 {
		return ""
	}
	for z := range Enclosing(name) {
		if s[z] {
			return z
		}
	}
	return ""
}

func (s zoneSet) has(name string) bool { return s.match(name) != "" }
