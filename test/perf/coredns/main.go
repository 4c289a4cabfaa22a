// Coredns is the CoreDNS that is measured: with ede, and with the plugin least in its place.
package main

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin"
	"github.com/coredns/coredns/coremain"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/perf/least"
)

func main() {
	place := slices.Index(dnsserver.Directives, "dnstap")
	dnsserver.Directives = slices.Insert(dnsserver.Directives, place+1, "ede", least.Name)
	coremain.Run()
}
