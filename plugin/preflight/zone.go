package preflight

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns/coredns/plugin"
)

// covered reports whether every name under zone lies in one of zones.
func covered(zones []string, zone string) bool {
	return plugin.Zones(zones).Contains(zone)
}

// overlapping reports whether some name lies in zone and in one of zones.
func overlapping(zones []string, zone string) bool {
	return slices.ContainsFunc(zones, func(z string) bool {
		_, ok := narrower(z, zone)
		return ok
	})
}

// narrower returns the common part of two zones: the one that lies in the other.
func narrower(a, b string) (string, bool) {
	switch {
	case dns.IsSubDomain(a, b):
		return b, true
	case dns.IsSubDomain(b, a):
		return a, true
	}
	return "", false
}

// zonesOf normalizes zones as CoreDNS does for a plugin's arguments: a CIDR
// becomes its reverse zones, none at all means those of the server block.
func zonesOf(args, block []string) []string {
	if len(args) == 0 {
		return block
	}
	return plugin.OriginsFromArgsOrServerBlock(args, nil)
}

// enclosing yields zone and its parents up to the root.
func enclosing(zone string) func(yield func(string) bool) {
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
