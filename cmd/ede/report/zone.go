package report

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// zoneOf returns the registered domain of a name, which is where the owner of
// a failure is to be found, in the form the plugin writes zones: with the
// final dot. Names without one - a TLD, the root - stand for themselves.
func zoneOf(name string) string {
	bare := strings.TrimSuffix(name, ".")
	if bare == "" {
		return "."
	}
	zone, err := publicsuffix.EffectiveTLDPlusOne(bare)
	if err != nil {
		zone = bare
	}
	return zone + "."
}

// within says whether name is zone or below it. Both are in lower case, with
// the final dot.
func within(name, zone string) bool {
	if zone == "." || name == zone {
		return true
	}
	return strings.HasSuffix(name, zone) && name[len(name)-len(zone)-1] == '.'
}
