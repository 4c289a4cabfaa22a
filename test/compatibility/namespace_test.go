//go:build linux

// Package compatibility_test runs ede between real resolvers and real clients,
// and writes what it saw to docs/compatibility.md:
//
//	go test ./test/compatibility -write
//
// Clients like glibc ask port 53 and read /etc/resolv.conf. So the test runs
// itself once more in a namespace of its own, where both are free.
package compatibility_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/namespace"
)

// Two addresses of each family: ede is at the first, stock CoreDNS at the second.
var (
	explained = host{"127.0.0.1", "::1"}
	stock     = host{"127.0.0.2", "2001:db8::2"}
)

type host struct{ ipv4, ipv6 string }

// init puts ede where cmd/coredns puts it.
func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(namespace.Run(m, func() error { return namespace.IP("addr", "add", stock.ipv6+"/128", "dev", "lo") }))
}
