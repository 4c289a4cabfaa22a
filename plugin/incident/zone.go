package incident

import (
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/domain"
)

// ZoneOf returns what the names of a summary are grouped by: the registered
// domain of name, which is in lower case and has its closing dot. Below a TLD that
// is not in the public suffix list, for example corp. or lan., nobody registers domains:
// the result is then the TLD, or the server block's zone block if block is below the
// TLD. A single label counts under block.
func ZoneOf(name, block string) string {
	registered := domain.Registered(name)
	if registered == "" || block != "." && isOwn(registered) {
		return block
	}
	return registered
}

// isOwn reports whether domain is a TLD, which stands for one that is not listed.
func isOwn(domain string) bool { return strings.IndexByte(domain, '.') == len(domain)-1 }
