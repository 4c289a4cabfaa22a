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

// A renaming is a name that clients ask for, what rewrite makes of it, and the name of
// the records that clients get.
type renaming struct{ from, to, owner string }

// say puts what happens to names into words, if the check's own do not fit. answers is
// true if the rule has an answer for them.
func (r renaming) say(f *finding, answers bool) {
	_, legal := dns.IsDomainName(r.owner)
	ignored := ": clients that compare the names ignore the answer"
	switch {
	case answers && !legal:
		f.text = "rewrite changes %[2]s to %[1]s, and with `answer name` the records have the name %[3]s, which is no domain name: clients get no answer at all"
	case answers && r.owner == r.to:
		f.text = "rewrite changes %[2]s to %[1]s, `answer name` does not match this name, and the records of the answer have the new name" + ignored
	case answers:
		f.text = "rewrite changes %[2]s to %[1]s, and with `answer name` the records have the name %[3]s" + ignored
	case !legal:
		f.text = "rewrite changes %[2]s to %[1]s, and the records of the answer have the name %[3]s, which is no domain name: clients get no answer at all"
	case r.owner != r.to:
		f.text = "rewrite changes %[2]s to %[1]s, and the records of the answer have the name %[3]s" + ignored
	}
	if f.text != "" && (!legal || r.owner != r.to) {
		f.args = append(f.args, listed(r.owner))
	}
	if answers {
		f.fix = "write `answer auto` in the rule in place of `answer name`"
	}
}

// renamings finds one for each rule of s that makes any, by link, and for each rule that
// makes a name that is none. What that costs is taken off steps; without enough of them s
// is not judged.
func (c *config) renamings(s *server, steps *int) (renamed, invalid map[int]renaming) {
	if !s.has("rewrite") {
		return nil, nil
	}
	renamed, invalid = make(map[int]renaming), make(map[int]renaming)
	zones, names := s.chain.Spoken(s.zones, maxZones)
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		for from, to := range l.Illegal(zones, names) {
			if *steps -= s.chain.Steps(); *steps < 0 {
				break
			}
			q := chain.Question{Name: from, Type: dns.TypeA}
			if out := s.chain.Ask(q, nil); out.End == chain.Invalid && out.At == i && c.comesTo(s, q) && !s.particular() {
				invalid[i] = renaming{from: from, to: to}
				break
			}
		}
		if l.HasAnswerNames() && s.chain.Continued(i) {
			continue
		}
		for from, to := range l.Renamed(zones, names) {
			if *steps -= 2 * s.chain.Steps(); *steps < 0 {
				s.skip(overSteps)
				return nil, nil
			}
			if from == to {
				continue
			}
			if asked, ok := c.renames(s, from, steps); ok {
				for _, j := range asked.OneWay() {
					if renamed[j].from == "" {
						renamed[j] = renaming{from, asked.Name, asked.Owner()}
					}
				}
				break
			}
		}
	}
	return renamed, invalid
}

// renames reports whether s may answer a question for an address of from with records
// of another name, and what rewrite made of the question.
func (c *config) renames(s *server, from string, steps *int) (asked chain.Question, ok bool) {
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		q := chain.Question{Name: from, Type: t}
		if !c.comesTo(s, q) {
			continue
		}
		out := s.chain.Ask(q, nil)
		if out.Asked.Owner() != from && c.mayHave(s, out, from, maxHops, steps) {
			return out.Asked, true
		}
	}
	return asked, false
}
