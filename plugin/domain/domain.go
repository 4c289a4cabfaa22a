// Package domain finds the registered domain of a name: the public suffix, such as co.uk, and
// one label. Who registered it is the one who can repair the zone.
package domain

import (
	"strings"

	"golang.org/x/net/publicsuffix"
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

// search is how many octets of a name, without the final dot, are its registered domain, all of
// them if it has none.
func search(bare string) int {
	length, _ := find(bare)
	if length == 0 {
		return len(bare)
	}
	return length
}

// find is how many octets of a name, without the final dot, are its registered domain, 0 if it has
// none. listed is false below a TLD that is not in the list of public suffixes: of such a name the
// TLD and one label are taken. It is as publicsuffix.EffectiveTLDPlusOne, which would have the name
// on the heap.
func find(bare string) (length int, listed bool) {
	bare = plain(bare)
	if bare == "" || bare[0] == '.' || bare[len(bare)-1] == '.' || strings.Contains(bare, "..") {
		return 0, false
	}
	suffix, listed := suffixOf(bare)
	before := len(bare) - len(suffix) - 1
	if before < 0 || bare[before] != '.' {
		return 0, false
	}
	return len(bare) - 1 - strings.LastIndexByte(bare[:before], '.'), listed
}

// suffixOf returns the public suffix of a name, and whether it is in the list. The default rule
// of the list takes the last label, and nobody manages that.
func suffixOf(bare string) (suffix string, listed bool) {
	suffix, managed := publicsuffix.PublicSuffix(bare)
	return suffix, managed || strings.Contains(suffix, ".")
}

var escapes = strings.NewReplacer(`\\`, "__", `\.`, "__")

// plain returns name without escaped dots, as long as it is, and with all labels where they
// are: a dot after a backslash is an octet of a label (RFC 4343 section 2.1).
func plain(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	return escapes.Replace(name)
}
