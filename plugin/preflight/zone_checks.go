package preflight

import (
	"iter"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// written yields the zones of s, and those of its plugins that it does not have itself,
// each with the finding of a mistake in it.
func (s *server) written() iter.Seq2[string, finding] {
	return func(yield func(string, finding) bool) {
		for _, z := range s.zones {
			if !yield(z, atBlock(s)) {
				return
			}
		}
		for i := range s.chain.Links {
			l := &s.chain.Links[i]
			for _, zones := range [...][]string{l.Zones, l.Fall, l.Except} {
				for _, z := range zones {
					if !slices.Contains(s.zones, z) && !yield(z, at(l.Directive)) {
						return
					}
				}
			}
		}
	}
}

// findImpossibleZones looks for zones that have no name that a client asks for.
func findImpossibleZones(_ *config, s *server) []finding {
	var all []finding
	for z, found := range s.written() {
		why, fix := spelling.Impossible(z)
		if why != "" && addressIn(strings.TrimSuffix(z, ".")) == "" { // else address-as-key
			found.args, found.fix = []any{listed(z), printable(why)}, printable(fix)
			all = append(all, found)
		}
	}
	return all
}

// findMisspeltZones looks for zones that were meant to be reverse ones, in the
// keys and in what plugins are for.
func findMisspeltZones(_ *config, s *server) []finding {
	var all []finding
	for z, found := range s.written() {
		if meant := spelling.Reverse(z); meant != "" {
			found.args = []any{listed(z), listed(meant)}
			all = append(all, found)
		}
	}
	return all
}
