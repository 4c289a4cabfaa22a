package incident

import (
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"
)

// keptDomains is how many names have their registered domain kept at hand, and
// keptName how long these may be: the same names fail again and again, and finding
// the domain is a good part of what counting a failure costs.
const (
	keptDomains = 4096
	keptName    = 128
)

// domains has a place for each hash. A flood of names that are never asked again
// passes through it at the price of a store each.
var domains [keptDomains]atomic.Pointer[named]

// named is a name and its registered domain, which is empty if there is none.
type named struct{ name, domain string }

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, which is in lower case and has its closing dot, or block, the
// server block's zone, for a name that the public suffix list knows nothing of.
func ZoneOf(name, block string) string {
	place := &domains[nameHash(name)%keptDomains]
	known := place.Load()
	if known == nil || known.name != name {
		known = &named{name, registeredDomain(name)}
		if len(name) <= keptName {
			place.Store(known)
		}
	}
	if known.domain == "" {
		return block
	}
	return known.domain
}

// registeredDomain is publicsuffix.EffectiveTLDPlusOne, without a second search and
// with its closing dot.
func registeredDomain(name string) string {
	bare := strings.TrimSuffix(name, ".")
	suffix, managed := publicsuffix.PublicSuffix(bare)
	// A suffix without a dot that nobody manages is the list's default rule.
	if !managed && !strings.Contains(suffix, ".") {
		return ""
	}
	if strings.HasPrefix(bare, ".") || strings.HasSuffix(bare, ".") || strings.Contains(bare, "..") {
		return ""
	}
	above := len(bare) - len(suffix) - 1
	if above <= 0 || bare[above] != '.' {
		return ""
	}
	return name[1+strings.LastIndexByte(bare[:above], '.'):]
}
