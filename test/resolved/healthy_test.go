//go:build linux

package resolved_test

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
)

// healthy is a server that resolves a name in a signed zone.
type healthy struct {
	name    string
	address string
	anchor  []dns.RR
}

// health is an Unbound with a tree of its own, signed from the root down.
func health(t *testing.T) healthy {
	t.Helper()
	zone := bed.Case{Name: "valid"}
	b := bed.New(t, time.Now(), zone)
	b.Listen(t, 53)
	address := resolver.Unbound.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
	return healthy{name: zone.Question().Name, address: address, anchor: b.Anchor()}
}
