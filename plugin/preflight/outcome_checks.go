package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// link is the plugin that a failure has to do with, "" if there is none.
func (f *failure) plugin(s *server) string {
	if f.link < 0 {
		return ""
	}
	return s.chain.Links[f.link].Name
}

func (f *failure) at(s *server, args ...any) finding {
	return at(s.chain.Links[f.link].Directive, args...)
}

// findDeadEnd looks for names that no plugin of the block has to do with.
var findDeadEnd = failing(
	func(_ *server, f *failure) bool { return f.how == unclaimed || f.how == refused },
	func(s *server, f *failure) finding {
		if f.how == refused {
			return f.refusal(s)
		}
		if !s.fate.answer {
			found := atBlock(s, "no plugin of this block answers anything, so all "+f.subject(s)+s.butRefused())
			if some := s.answersSome(); some != "" {
				found.args[0] = "no plugin of this block answers anything but " + some + ", so all other queries for " + f.subject(s) + s.butRefused()
			}
			if s.chain.Empty() {
				found.text = "%s get REFUSED"
			}
			found.fix = "add a plugin that answers, for example the line `forward . ADDRESS`"
			if !slices.Contains(s.zones, ".") {
				found.fix += ", or remove the block: an enclosing block, if there is one, then serves its names"
			}
			return found
		}
		var served []string
		for i := range s.chain.Links {
			served = append(served, s.chain.Links[i].Zones...)
		}
		slices.Sort(served)
		served = slices.Compact(served)
		found := atBlock(s, fmt.Sprintf("no plugin of this block answers %s, only those under %s; all other names", f.subject(s), listed(served...))+s.butRefused())
		if s.has("rewrite") {
			found.args[0] = fmt.Sprintf("no plugin of this block answers %s, where rewrite does not change the name; clients", f.subject(s))
		}
		return found
	},
)

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

// findFallthroughToNowhere looks for plugins that pass names on to nobody.
var findFallthroughToNowhere = failing(
	func(_ *server, f *failure) bool { return f.how == fellThrough },
	func(s *server, f *failure) finding {
		found := f.at(s, f.plugin(s), strings.TrimPrefix(f.subject(s), "the "))
		if name := f.plugin(s); name == "hosts" || name == "template" {
			found.fix = "add a plugin below it that answers them: " + s.chain.Endings(f.span(), s.zones) + " (without fallthrough they get SERVFAIL as well)"
		}
		return found
	},
)

// findOtherTypes looks for templates that answer some types, below which nobody
// answers the others. A template leaves other types to the plugins below,
// whatever fallthrough says.
var findOtherTypes = failing(
	func(_ *server, f *failure) bool { return f.how == otherType },
	func(s *server, f *failure) finding {
		found := f.at(s, f.subject(s))
		found.fix = "add " + s.chain.Endings(f.span(), s.zones)
		return found
	},
)

var findExcepted = failing(
	func(_ *server, f *failure) bool { return f.how == excepted },
	func(s *server, f *failure) finding { return f.at(s, f.plugin(s), f.subject(s)) },
)

// findHiding looks for a hosts or template that answers SERVFAIL for what it does
// not have, before what is below it is asked.
func findHiding(plugin string) func(*config, *server) []finding {
	return failing(
		func(s *server, f *failure) bool {
			return f.how == missed && f.plugin(s) == plugin && len(f.below) > 0
		},
		func(s *server, f *failure) finding {
			var hidden []string
			for _, i := range f.below {
				name := s.chain.Links[i].Name
				if !slices.Contains(hidden, name) {
					hidden = append(hidden, name)
				}
			}
			verb := " is not asked"
			if len(hidden) > 1 {
				verb = " are not asked"
			}
			found := f.at(s, f.subject(s), strings.Join(hidden, " and ")+verb)
			found.fix = s.chain.PassOn(f.link, f.span(), f.types(s.fate.types))
			return found
		},
	)
}

// findAlone looks for a hosts or template that fails what it does not have, and
// below which nobody answers it either.
func findAlone(plugin string) func(*config, *server) []finding {
	return failing(
		func(s *server, f *failure) bool {
			return f.how == missed && f.plugin(s) == plugin && len(f.below) == 0
		},
		func(s *server, f *failure) finding {
			found := f.at(s, f.subject(s))
			found.fix = s.chain.PassOn(f.link, f.span(), f.types(s.fate.types)) + "; and add below it " + s.chain.Endings(f.span(), s.zones)
			if s.chain.Links[f.link].Typed() {
				found.text = "no plugin below template answers %s: names that its `match` does not fit get SERVFAIL, where an empty answer is expected"
			}
			return found
		},
	)
}

// mayHave reports whether a link that out tells of may answer with records of the name, and
// none of from: one that answers or may answer, or one that passes on only the names that
// its data lacks. Of forwards to this process it follows as many as hops. What that costs is
// taken off steps.
func (c *config) mayHave(s *server, out chain.Outcome, from string, hops int, steps *int) bool {
	has := func(i int) bool {
		l := &s.chain.Links[i]
		return l.Records(out.Asked, from) && (l.Name != "forward" || c.mayBring(s, i, out.Asked, from, hops, steps))
	}
	some := out.End == chain.Answered && has(out.At)
	for _, p := range out.Passed {
		l := &s.chain.Links[p.Link]
		switch {
		case p.Why == chain.Perhaps && l.Unknown:
			return false
		case p.Why == chain.Perhaps, p.Why == chain.Fallthrough && l.Backed():
			some = some || has(p.Link)
		}
	}
	return some
}

// mayBring reports whether an upstream of the forward at link i may have such records of q.
func (c *config) mayBring(s *server, i int, q chain.Question, from string, hops int, steps *int) bool {
	forwards := c.forwardsOf(s) // they stand in a row
	f := forwards[i-forwards[0].link]
	return slices.ContainsFunc(f.targets, func(t target) bool {
		other := c.serverAt(t, q.Name)
		switch {
		case other == nil:
			return true // somebody else's
		case hops == 0 || *steps < 0:
			return false
		case other.opaque || other.has("view"):
			return true
		}
		*steps -= other.chain.Steps()
		out := other.chain.Ask(q.Sent(), nil)
		if renamed := out.Asked.Name != q.Name; renamed && !out.Asked.Restored() && out.Asked.Name == from {
			return false
		}
		return c.mayHave(other, out, from, hops-1, steps)
	})
}

// maxHops is how many forwards to this process are followed for an answer.
const maxHops = 4

// findOneWayRewrites looks for rules that change the name of the question, but
// not back in the answer.
func findOneWayRewrites(_ *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		if r, ok := s.fate.renamings[i]; ok {
			all = append(all, at(s.chain.Links[i].Directive, listed(r.to), listed(r.from)))
		}
	}
	return all
}

// A renaming is a name that clients ask for and the name that the records of the answer
// have.
type renaming struct{ from, to string }

// renamings finds one for each rule of s that makes any, by link. What that costs is
// taken off steps; without enough of them s is not judged.
func (c *config) renamings(s *server, steps *int) map[int]renaming {
	if !s.has("rewrite") {
		return nil
	}
	all := make(map[int]renaming)
	zones, names := c.spoken(s)
	for i := range s.chain.Links {
		for from, to := range s.chain.Links[i].Renamed(zones, names) {
			if *steps -= 2 * s.chain.Steps(); *steps < 0 {
				s.skip(overSteps)
				return nil
			}
			if from != to && c.renames(s, from, to, steps) {
				all[i] = renaming{from, to}
				break
			}
		}
	}
	return all
}

// renames reports whether s may answer a question for an address of from with records
// of to.
func (c *config) renames(s *server, from, to string, steps *int) bool {
	for _, t := range []uint16{dns.TypeA, dns.TypeAAAA} {
		q := chain.Question{Name: from, Type: t}
		if !c.comesTo(s, q) {
			continue
		}
		if out := s.chain.Ask(q, nil); out.Asked.Name == to && !out.Asked.Restored() && c.mayHave(s, out, from, maxHops, steps) {
			return true
		}
	}
	return false
}
