package incident

import (
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"

	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// keptDomains is how many names have their registered domain kept at hand, and
// keptName how long these may be: the same names fail again and again, and finding
// the domain is a good part of what counting a failure costs.
const (
	keptDomains = 4096
	keptName    = 128
)

// domains has a place for each hash. A name is kept when it fails again before
// another of its place does, so that a flood of names that are never asked again
// passes by.
var domains [keptDomains]place

// place has the last name that was kept in it, and the hash of the last that failed.
type place struct {
	kept   atomic.Pointer[named]
	failed atomic.Uint64
}

// named is a name and its registered domain, which is empty if there is none.
type named struct{ name, domain string }

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, which is in lower case and has its closing dot. Below a TLD that
// is not in the public suffix list, for example corp. or lan., nobody registers domains:
// the result is then the TLD, or the server block's zone block if block is below the
// TLD. A single label counts under block.
func ZoneOf(name, block string) string {
	hash := memory.NameHash(name)
	at := &domains[hash%keptDomains]
	domain := ""
	if again := at.failed.Load() == hash; !again {
		at.failed.Store(hash)
		domain = registeredDomain(name)
	} else if known := at.kept.Load(); known != nil && known.name == name {
		domain = known.domain
	} else {
		domain = registeredDomain(name)
		if len(name) <= keptName {
			at.kept.Store(&named{name, domain})
		}
	}
	if domain == "" || block != "." && isOwn(domain) {
		return block
	}
	return domain
}

// isOwn reports whether domain is a TLD, which stands for one that is not listed.
func isOwn(domain string) bool { return strings.IndexByte(domain, '.') == len(domain)-1 }

// registeredDomain is publicsuffix.EffectiveTLDPlusOne, without a second search and
// with its closing dot, or the TLD if that is not listed.
func registeredDomain(name string) string {
	bare := strings.TrimSuffix(name, ".")
	suffix, managed := publicsuffix.PublicSuffix(bare)
	// A suffix without a dot that nobody manages is the list's default rule.
	listed := managed || strings.Contains(suffix, ".")
	if strings.HasPrefix(bare, ".") || strings.HasSuffix(bare, ".") || strings.Contains(bare, "..") {
		return ""
	}
	above := len(bare) - len(suffix) - 1
	if above <= 0 || bare[above] != '.' {
		return ""
	}
	if !listed {
		return name[above+1:]
	}
	return name[1+strings.LastIndexByte(bare[:above], '.'):]
}
