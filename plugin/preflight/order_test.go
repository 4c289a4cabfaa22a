package preflight

import (
	"slices"
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

// TestEveryPluginOfCoreDNSHasABehaviour breaks when a new CoreDNS brings a
// plugin that behaviours does not know, or drops one.
func TestEveryPluginOfCoreDNSHasABehaviour(t *testing.T) {
	order := buildOrder(t)
	for _, name := range order {
		if _, ok := behaviours[name]; !ok {
			t.Errorf("%s has no behaviour", name)
		}
	}
	for name := range behaviours {
		if !slices.Contains(order, name) {
			t.Errorf("%s is no plugin of CoreDNS", name)
		}
	}
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
	const corefile = "example.org {\n rewrite name suffix example.org example.net\n ede example.net\n forward . 192.0.2.53\n}\n" +
		". {\n forward . 192.0.2.53\n}\n"
	if got := codesOf(t, corefile, buildOrder(t)); got != "ede-outside-of-the-block" {
		t.Errorf("right after dnstap: %q", got)
	}
	if got := codesOf(t, corefile, orderWith(t, "forward", "ede")); got != "ede-too-low" {
		t.Errorf("below rewrite: %q", got)
	}
}
