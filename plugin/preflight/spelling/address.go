package spelling

import (
	"net/netip"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
)

// AddressIn returns what of a key is an address, or a network that is none for
// CoreDNS, "" if it is neither.
func AddressIn(k string) string {
	_, rest := parse.Transport(k)
	if _, err := netip.ParsePrefix(rest); err == nil {
		if zones, _, err := plugin.SplitHostPort(rest); err == nil && Reversed(zones) {
			return ""
		}
		return rest
	}
	candidates := []string{rest, strings.Trim(rest, "[]")}
	if host, _, ok := CutPort(rest); ok {
		candidates = append(candidates, host, strings.Trim(host, "[]"))
	}
	for _, c := range candidates {
		if _, err := netip.ParseAddr(strings.TrimSuffix(c, ".")); err == nil {
			return c
		}
		if network, bits, ok := strings.Cut(c, "/"); ok && isNetwork(network, bits) {
			if zones, _, err := plugin.SplitHostPort(c); err != nil || !Reversed(zones) {
				return c
			}
		}
	}
	return ""
}

// isNetwork reports whether a CIDR may be meant: digits and dots, or colons,
// before the slash and a number behind it.
func isNetwork(network, bits string) bool {
	only := func(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }
	return only(bits, "0123456789") &&
		(only(network, "0123456789.") || strings.Contains(network, ":") && only(strings.ToLower(network), "0123456789abcdef:"))
}

// CutPort cuts what may be a port off the end of s.
func CutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndex(s, ":")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// Reversed reports whether zones are what CoreDNS makes of a network.
func Reversed(zones []string) bool { return len(zones) > 0 && strings.HasSuffix(zones[0], ".arpa.") }

// MayBeNumbers reports whether a key, or what stands before its port, has nothing
// but what addresses are made of. The root is none.
func MayBeNumbers(key string) bool {
	host, _, _ := CutPort(key)
	host, _, _ = strings.Cut(host, "%")
	return host != "." && strings.Trim(host, "0123456789abcdefABCDEF:.[]/") == ""
}
