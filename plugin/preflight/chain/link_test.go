package chain

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
)

// TestEveryPluginOfCoreDNSHasABehaviour breaks when a new CoreDNS brings a
// plugin that behaviours does not know, or drops one.
func TestEveryPluginOfCoreDNSHasABehaviour(t *testing.T) {
	order := append(slices.Clone(dnsserver.Directives), "ede")
	for _, name := range order {
		if !Known(name) {
			t.Errorf("%s has no behaviour", name)
		}
	}
	for _, name := range Plugins() {
		if !slices.Contains(order, name) {
			t.Errorf("%s is no plugin of CoreDNS", name)
		}
	}
}

// TestAPluginHasAPlaceInTheChainIfItsSourceAddsOne compares with the set-up
// functions of CoreDNS: what has no place there makes the plugin above it the
// last.
func TestAPluginHasAPlaceInTheChainIfItsSourceAddsOne(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("source of CoreDNS not found: %v", err)
	}
	folders := map[string]string{"prometheus": "metrics"}
	for _, name := range dnsserver.Directives {
		if name == "on" || name == "tls" || name == "proxyproto" {
			continue // caddy's own; the other two add one in a rare form only
		}
		folder := name
		if other, ok := folders[name]; ok {
			folder = other
		}
		pattern := filepath.Join(dir, "plugin", folder, "*.go")
		files, _ := filepath.Glob(pattern)
		if len(files) == 0 {
			t.Errorf("no source of %s", name)
			continue
		}
		grep, _ := exec.Command("grep", append([]string{"-lE", `^[^/]*\bAddPlugin\(`}, withoutTests(files)...)...).Output()
		if adds := len(grep) > 0; adds == behaviours[name].absent {
			t.Errorf("%s: adds a plugin: %t", name, adds)
		}
	}
}

func withoutTests(files []string) []string {
	return slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
}
