package test_test

import (
	"os/exec"
	"strings"
	"testing"
)

// What is compiled into people's CoreDNS brings nothing that is not there.
func TestThePluginDependsOnNothingThatCoreDNSDoesNot(t *testing.T) {
	stock := make(map[string]bool)
	for _, path := range dependencies(t, "github.com/coredns/coredns") {
		stock[path] = true
	}
	own := dependencies(t, "github.com/seed-1b7246af/coredns-ede")
	if len(own) < 50 {
		t.Fatalf("%d dependencies are listed", len(own))
	}
	for _, path := range own {
		first, _, _ := strings.Cut(path, "/")
		standard := !strings.Contains(first, ".")
		if !standard && !stock[path] && !strings.HasPrefix(path, "golang.org/x/") && !strings.HasPrefix(path, "github.com/seed-1b7246af/coredns-ede") {
			t.Errorf("the plugin depends on %s, which CoreDNS does not", path)
		}
		if strings.HasPrefix(path, "github.com/seed-1b7246af/coredns-ede/test") {
			t.Errorf("the plugin depends on %s", path)
		}
	}
}

func dependencies(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}
