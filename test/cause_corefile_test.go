package test_test

import (
	"os"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// What the catalog tells an operator to write must at least load.
func TestEveryCorefileThatACauseOffersLoads(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("db.example.org", []byte(zoneText), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range cause.All() {
		if c.Corefile == "" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) { server.Start(t, here(".:0", "ede", c.Corefile)) })
	}
}
