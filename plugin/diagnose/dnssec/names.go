package dnssec

import (
	"bytes"
	"strings"

	"github.com/miekg/dns"
)

// canonicalName gives the one lower-case presentation of a name; two spellings
// with different escapes become equal.
func canonicalName(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	var wire [256]byte
	n, err := dns.PackDomainName(dns.Fqdn(s), wire[:], 0, nil, false)
	if err != nil {
		return "", false
	}
	name, _, err := dns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		return "", false
	}
	return dns.CanonicalName(name), true
}

// wireLabels returns the labels of a canonical name as octets, leftmost first.
func wireLabels(name string) [][]byte {
	var wire [256]byte
	n, err := dns.PackDomainName(name, wire[:], 0, nil, false)
	if err != nil {
		return nil
	}
	var labels [][]byte
	for off := 0; off < n && wire[off] != 0; off += int(wire[off]) + 1 {
		labels = append(labels, bytes.ToLower(wire[off+1:off+1+int(wire[off])]))
	}
	return labels
}

// compareNames orders names canonically, RFC 4034 section 6.1.
func compareNames(a, b string) int {
	la, lb := wireLabels(a), wireLabels(b)
	for i := 1; i <= len(la) && i <= len(lb); i++ {
		if c := bytes.Compare(la[len(la)-i], lb[len(lb)-i]); c != 0 {
			return c
		}
	}
	return len(la) - len(lb)
}

func inZone(zone, name string) bool { return dns.IsSubDomain(zone, name) }

func below(zone, name string) bool { return zone != name && dns.IsSubDomain(zone, name) }

// parent strips the leftmost label; the root is its own parent.
func parent(name string) string {
	if name == "." {
		return name
	}
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// suffix returns the last n labels of name.
func suffix(name string, n int) string {
	idx := dns.Split(name)
	if n <= 0 {
		return "."
	}
	if n >= len(idx) {
		return name
	}
	return name[idx[len(idx)-n]:]
}

// closestCommon is the longest name that is an ancestor of, or equal to, both.
func closestCommon(a, b string) string {
	return suffix(a, dns.CompareDomainName(a, b))
}

func wildcardOf(name string) string {
	if name == "." {
		return "*."
	}
	return "*." + name
}

func isWildcard(name string) bool { return strings.HasPrefix(name, "*.") }
