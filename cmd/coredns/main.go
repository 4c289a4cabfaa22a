// Coredns is CoreDNS with all of its own plugins and ede.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin"
	"github.com/coredns/coredns/coremain"

	_ "github.com/seed-1b7246af/coredns-ede"
)

// above is the directive that ede stands right below: dnstap sees the answers
// with their EDE options, and all plugins that answer stand below ede.
const above = "dnstap"

func main() {
	place := slices.Index(dnsserver.Directives, above)
	if place < 0 {
		fmt.Fprintf(os.Stderr, "coredns: CoreDNS has no directive %q to put ede after; this build of ede does not fit its version\n", above)
		os.Exit(1)
	}
	if !slices.Contains(dnsserver.Directives, "ede") {
		dnsserver.Directives = slices.Insert(dnsserver.Directives, place+1, "ede")
	}
	coremain.Run()
}
