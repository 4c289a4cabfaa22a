package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// subject says in words which questions a failure has.
func (f *failure) subject(s *server) string {
	under, single := f.extent()
	var parts []string
	if len(under) > 0 {
		parts = append(parts, "names under "+listed(under...))
	}
	if len(single) > 0 {
		noun := "the name "
		if len(single) > 1 {
			noun = "the names "
		}
		parts = append(parts, noun+listed(single...))
	}
	return strings.Join(parts, " and ") + f.ofTypes(s.fate.types)
}

// extent returns the zones of which ordinary names fail, without those inside
// of others, and single names.
func (f *failure) extent() (under, single []string) {
	for z, sc := range f.zones {
		if sc.ordinary {
			under = append(under, z)
		} else {
			single = append(single, z)
		}
	}
	slices.SortFunc(under, func(a, b string) int {
		if n := dns.CountLabel(a) - dns.CountLabel(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	var widest []string
	for _, z := range under {
		if !chain.Covered(widest, z) {
			widest = append(widest, z)
		}
	}
	single = slices.DeleteFunc(single, func(name string) bool { return chain.Covered(widest, name) })
	slices.Sort(single)
	return widest, single
}

// types are those that fail, out of all that were asked; nil if all do, or in
// reverse zones alone.
func (f *failure) types(all []uint16) []uint16 {
	var failed []uint16
	for _, sc := range f.zones {
		for _, t := range sc.failed {
			if t != dns.TypePTR && !slices.Contains(failed, t) {
				failed = append(failed, t)
			}
		}
	}
	if len(failed) == len(all) {
		return nil
	}
	slices.SortFunc(failed, func(a, b uint16) int { return slices.Index(all, a) - slices.Index(all, b) })
	return failed
}

// kinds returns the types that fail, or those that do not if all others do. The
// last of all stands for those that no plugin speaks of.
func (f *failure) kinds(all []uint16) (failed, good []uint16) {
	failed = f.types(all)
	if len(failed) == 0 || !slices.Contains(failed, all[len(all)-1]) {
		return failed, nil
	}
	for _, t := range all {
		if !slices.Contains(failed, t) {
			good = append(good, t)
		}
	}
	return failed, good
}

func (f *failure) ofTypes(all []uint16) string {
	switch failed, good := f.kinds(all); {
	case len(failed) == 0:
		return ""
	case len(good) == 0:
		return " of type " + strings.Join(typeNames(failed), ", ")
	default:
		return fmt.Sprintf(" of types other than %s (for example %s)", strings.Join(typeNames(good), ", "), strings.Join(typeNames(failed), ", "))
	}
}

func typeNames(types []uint16) []string {
	var names []string
	for _, t := range types {
		names = append(names, dns.TypeToString[t])
	}
	return names
}

// refusal tells of names that the last plugin has no zone for.
func (f *failure) refusal(s *server) finding {
	has := s.chain.Links[f.link].Served()
	zones := "only the zones " + listed(has...)
	switch len(has) {
	case 0:
		zones = "no zone"
	case 1:
		zones = "only the zone " + listed(has...)
	}
	found := f.at(s, f.subject(s), f.plugin(s), zones)
	found.text = "%s get REFUSED: %s is the last plugin of this block and has %s"
	if s.has("rewrite") {
		found.text += ", as rewrite changes the names"
	}
	found.fix = "give the plugin the zones of the block, or the block only the zones that its plugins have, or add the line `forward . ADDRESS`"
	return found
}
