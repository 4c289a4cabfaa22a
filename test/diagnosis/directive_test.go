// Package diagnosis_test drives diagnosis in whole servers.
package diagnosis_test

import (
	"slices"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
)

// init puts ede where cmd/coredns puts it.
func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}
