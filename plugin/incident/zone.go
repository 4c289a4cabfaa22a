package incident

import (
	"strings"

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

// registeredDomain is publicsuffix.EffectiveTLDPlusOne, without a second search and
// with its closing dot, or the TLD if that is not listed.
func registeredDomain(name string) string {
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
