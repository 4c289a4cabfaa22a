// Package domain finds the registered domain of a name: the public suffix, such as co.uk, and
// one label. Who registered it is the one who can repair the zone.
package domain

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Of returns the registered domain of a name, which is where the owner of a failure is to be
// found, in the form the plugin writes zones: with the final dot. Names without one - a TLD,
// the root - stand for themselves.
func Of(name string) string {
	bare := strings.TrimSuffix(name, ".")
	if bare == "" {
		return "."
	}
	return bare[len(bare)-search(bare):] + "."
}

// search is how many octets of a name, without the final dot, are its registered domain. It
// is as publicsuffix.EffectiveTLDPlusOne, which would have the name on the heap.
func search(bare string) int {
	bare = incident.Plain(bare)
	if bare[0] == '.' || bare[len(bare)-1] == '.' || strings.Contains(bare, "..") {
		return len(bare)
	}
	suffix, _ := publicsuffix.PublicSuffix(bare)
	before := len(bare) - len(suffix) - 1
	if before < 0 || bare[before] != '.' {
		return len(bare)
	}
	return len(bare) - 1 - strings.LastIndexByte(bare[:before], '.')
}
