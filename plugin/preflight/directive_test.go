package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
)

// orderWith returns CoreDNS's order of plugins with more inserted before one.
func orderWith(t testing.TB, before string, more ...string) []string {
	t.Helper()
	i := slices.Index(dnsserver.Directives, before)
	if i < 0 {
		t.Fatalf("CoreDNS has no plugin %q", before)
	}
	return slices.Insert(slices.Clone(dnsserver.Directives), i, more...)
}

// buildOrder is that of the custom build: ede right after dnstap.
func buildOrder(t testing.TB) []string {
	t.Helper()
	i := slices.Index(dnsserver.Directives, "dnstap")
	return orderWith(t, dnsserver.Directives[i+1], "ede")
}

func TestAboveEDEIsWhatCoreDNSHasUpToDnstap(t *testing.T) {
	i := slices.Index(dnsserver.Directives, "dnstap")
	for _, name := range dnsserver.Directives[:i+1] {
		if !slices.Contains(aboveEDE, name) {
			t.Errorf("%s is above dnstap in CoreDNS, but not in aboveEDE", name)
		}
	}
}

// Below rewrite ede sees names that no client asked the block for.
func TestAnEDEBelowARewriteMayBeForZonesOutsideOfTheBlock(t *testing.T) {
	const corefile = "example.org {\n rewrite name suffix example.org example.net answer auto\n ede example.net\n forward . 192.0.2.53\n}\n" +
		". {\n forward . 192.0.2.53\n}\n"
	if got := codesOf(t, corefile, buildOrder(t)); got != "ede-outside-of-the-block" {
		t.Errorf("right after dnstap: %q", got)
	}
	if got := codesOf(t, corefile, orderWith(t, "forward", "ede")); got != "ede-too-low" {
		t.Errorf("below rewrite: %q", got)
	}
}

func parseText(t testing.TB, text string, order []string) []Block {
	t.Helper()
	blocks, err := Parse("Corefile", strings.NewReader(text), order)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}
