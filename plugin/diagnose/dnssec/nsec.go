package dnssec

import (
	"github.com/miekg/dns"
)

// denyNSEC follows RFC 4035 section 5.4 with RFC 6840 section 4.
func denyNSEC(set []*dns.NSEC, zoneName, name string, t uint16, nxdomain bool) proof {
	if n := matchingNSEC(set, name); n != nil {
		return types(n.TypeBitMap).deny(name, t, nxdomain)
	}
	n := coveringNSEC(set, zoneName, name)
	if n == nil {
		return provenNothing
	}
	if below(name, nextName(n)) {
		// An empty non-terminal: there is nothing at it, but names below it.
		if nxdomain {
			return provenNothing
		}
		return provenNoData
	}
	wildcard := wildcardOf(closestEncloser(n, name))
	if nxdomain {
		if w := coveringNSEC(set, zoneName, wildcard); w != nil && !below(wildcard, nextName(w)) {
			return provenNoName
		}
		return provenNothing
	}
	if w := matchingNSEC(set, wildcard); w != nil {
		return types(w.TypeBitMap).deny(wildcard, t, false)
	}
	return provenNothing
}

func matchingNSEC(set []*dns.NSEC, name string) *dns.NSEC {
	for _, n := range set {
		if n.Hdr.Name == name {
			return n
		}
	}
	return nil
}

func coveringNSEC(set []*dns.NSEC, zoneName, name string) *dns.NSEC {
	for _, n := range set {
		owner, next := n.Hdr.Name, nextName(n)
		if !inZone(zoneName, next) || below(owner, name) && types(n.TypeBitMap).endsHere() {
			continue
		}
		after := compareNames(owner, name) < 0
		before := compareNames(name, next) < 0
		// The last record of the chain points back to the apex.
		last := compareNames(next, owner) <= 0
		if after && before && !last || last && after {
			return n
		}
	}
	return nil
}

func nextName(n *dns.NSEC) string {
	next, _ := canonicalName(n.NextDomain)
	return next
}

// closestEncloser is the longest existing ancestor of name that a record which
// covers it gives.
func closestEncloser(n *dns.NSEC, name string) string {
	a, b := closestCommon(name, n.Hdr.Name), closestCommon(name, nextName(n))
	if len(a) > len(b) {
		return a
	}
	return b
}
