// Package promise_test holds ede to its first promise: nobody fares worse with
// it than without. Two servers, one with ede and one without, are asked the same
// over every transport, and their answers are compared octet by octet.
package promise_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/leak"
	_ "github.com/seed-1b7246af/coredns-ede/test/plugins"
)

// init puts ede where cmd/coredns puts it, and has some tests wait next to each
// other.
func init() {
	place := slices.Index(dnsserver.Directives, "dnstap")
	dnsserver.Directives = slices.Insert(dnsserver.Directives, place+1, "ede")
	testing.Init()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
}

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
