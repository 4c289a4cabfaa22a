package incident

import (
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, or block, the server block's zone, for a name that the public
// suffix list knows nothing of.
func ZoneOf(name, block string) string {
	name = dns.Fqdn(strings.ToLower(name))
	bare := name[:len(name)-1]
	suffix, managed := publicsuffix.PublicSuffix(bare)
	// A suffix without a dot that nobody manages is the list's default rule.
	if !managed && !strings.Contains(suffix, ".") {
		return block
	}
	// This is publicsuffix.EffectiveTLDPlusOne, without a second search.
	if strings.HasPrefix(bare, ".") || strings.HasSuffix(bare, ".") || strings.Contains(bare, "..") {
		return block
	}
	above := len(bare) - len(suffix) - 1
	if above <= 0 || bare[above] != '.' {
		return block
	}
	return name[1+strings.LastIndexByte(bare[:above], '.'):]
}
