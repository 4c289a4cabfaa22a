package incident

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"golang.org/x/net/publicsuffix"
)

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, which is in lower case and has its closing dot. Below a TLD that
// is not in the public suffix list, for example corp. or lan., nobody registers domains:
// the result is then the TLD, or the server block's zone block if block is below the
// TLD. A single label counts under block.
func ZoneOf(name, block string) string {
	domain := registeredDomain(name)
	if domain == "" || block != "." && isOwn(domain) {
		return block
	}
	return domain
}

// isOwn reports whether domain is a TLD, which stands for one that is not listed.
func isOwn(domain string) bool { return strings.IndexByte(domain, '.') == len(domain)-1 }

var escapes = strings.NewReplacer(`\\`, "__", `\.`, "__")

// Plain returns name without escaped dots, as long as it is, and with all labels where they
// are: a dot after a backslash is an octet of a label (RFC 4343 section 2.1).
func Plain(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	return escapes.Replace(name)
}

// registered has the lengths of registered domains that were looked for lately. Mostly the same
// names fail again, and to search the list costs more than to count a failure. The hash of the
// name picks a place. There the last eight bits of the hash, which the place tells, make room for
// the length. A name is taken for another one once in 2^64.
var registered [1 << 14]atomic.Uint64

// registeredDomain returns the registered domain of name, or its TLD if that is not listed,
// "" if it has none.
func registeredDomain(name string) string {
	hash := maphash.String(seed, name)
	known := &registered[hash%uint64(len(registered))]
	if held := known.Load(); held>>8 == hash>>8 {
		return name[len(name)-int(held&0xff):]
	}
	domain := searchDomain(name)
	if len(domain) <= 0xff {
		known.Store(hash&^0xff | uint64(len(domain)))
	}
	return domain
}

// searchDomain is publicsuffix.EffectiveTLDPlusOne, without a second search and
// with its closing dot, or the TLD if that is not listed.
func searchDomain(name string) string {
	bare := Plain(strings.TrimSuffix(name, "."))
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
