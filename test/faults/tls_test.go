//go:build linux

package faults

import (
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
)

// keyPair is the argument of tls in a Corefile.
func keyPair(t *testing.T) string {
	t.Helper()
	cert, key := certificate.New(t).Files(t)
	return cert + " " + key
}
