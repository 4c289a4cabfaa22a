package incident

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, or block, the server block's zone, for a name that the public
// suffix list knows nothing of.
func ZoneOf(name, block string) string {
	bare := strings.ToLower(strings.TrimSuffix(name, "."))
	suffix, managed := publicsuffix.PublicSuffix(bare)
	// A suffix without a dot that nobody manages is the list's default rule.
	if !managed && !strings.Contains(suffix, ".") {
		return block
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(bare)
	if err != nil {
		return block
	}
	return domain + "."
}
