package test_test

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
)

// init puts ede where cmd/coredns puts it, and the plugin of fault_test.go
// below all that may stand above a plugin that fails.
func init() {
	insert("ede", "dnstap", 1)
	insert("fault", "forward", 0)
}

func insert(directive, neighbour string, offset int) {
	place := slices.Index(dnsserver.Directives, neighbour)
	if place < 0 {
		panic("CoreDNS has no directive " + neighbour)
	}
	dnsserver.Directives = slices.Insert(dnsserver.Directives, place+offset, directive)
}
