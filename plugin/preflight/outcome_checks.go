package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// failing looks for the failures of a block for which is reports true, and lets
// tell say what it finds.
func failing(is func(*server, *failure) bool, tell func(*server, *failure) finding) func(*config, *server) []finding {
	return func(_ *config, s *server) []finding {
		if len(s.fate.failures) == 0 || s.particular() {
			return nil // the view may let in only what is answered
		}
		var all []finding
		for _, f := range s.fate.failures {
			if !is(s, f) {
				continue
			}
			found := tell(s, f)
			found.zones, found.names = f.extent()
			failed, good := f.kinds(s.fate.types)
			if found.butTypes = typeNames(good); len(good) == 0 {
				found.types = typeNames(failed)
			}
			all = append(all, found)
		}
		return all
	}
}

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
	func(_ *server, f *failure) bool { return f.how == unclaimed },
	func(s *server, f *failure) finding {
		if !s.fate.answer {
			found := atBlock(s, "no plugin of this block answers anything, so all "+f.subject(s))
			if s.chain.Empty() {
				found.text = "%s get REFUSED"
			}
			found.fix = "add a plugin that answers, for example the line `forward . ADDRESS`, or remove the block: an enclosing block then serves its names"
			return found
		}
		var served []string
		for i := range s.chain.Links {
			served = append(served, s.chain.Links[i].Zones...)
		}
		slices.Sort(served)
		served = slices.Compact(served)
		found := atBlock(s, fmt.Sprintf("no plugin of this block answers %s, only those under %s; all other names", f.subject(s), listed(served...)))
		if s.has("rewrite") {
			found.args[0] = fmt.Sprintf("no plugin of this block answers %s, where rewrite does not change the name; clients", f.subject(s))
		}
		return found
	},
)

// findFallthroughToNowhere looks for plugins that pass names on to nobody.
var findFallthroughToNowhere = failing(
	func(_ *server, f *failure) bool { return f.how == fellThrough },
	func(s *server, f *failure) finding {
		found := f.at(s, f.plugin(s), strings.TrimPrefix(f.subject(s), "the "))
		switch f.plugin(s) {
		case "hosts":
			found.fix = "add a plugin below it that answers them: `forward . ADDRESS`, or, to answer NXDOMAIN, `file` with a zone that has only an SOA record (without fallthrough they get SERVFAIL as well)"
		case "template":
			found.fix = "add a plugin below it that answers them: `forward . ADDRESS`, or, to answer NXDOMAIN, `template ANY ANY` with `rcode NXDOMAIN` as the last template (without fallthrough they get SERVFAIL as well)"
		}
		return found
	},
)

// findOtherTypes looks for templates that answer some types, below which nobody
// answers the others. A template leaves other types to the plugins below,
// whatever fallthrough says.
var findOtherTypes = failing(
	func(_ *server, f *failure) bool { return f.how == otherType },
	func(s *server, f *failure) finding { return f.at(s, f.subject(s)) },
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
			return f.at(s, f.subject(s), strings.Join(hidden, " and ")+verb)
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
		func(s *server, f *failure) finding { return f.at(s, f.subject(s)) },
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
	return len(f.targets) == 0 || slices.ContainsFunc(f.targets, func(t target) bool {
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
		if out.Asked.Name != q.Name && out.Asked.Owner() == from {
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
			found := at(s.chain.Links[i].Directive, listed(r.to), listed(r.from))
			r.say(&found, s.chain.Links[i].HasAnswerNames())
			all = append(all, found)
		}
	}
	return all
}

// findInvalidNames looks for rules that make of a name what is none.
func findInvalidNames(_ *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		if r, ok := s.fate.invalid[i]; ok {
			found := at(s.chain.Links[i].Directive, listed(r.to), listed(r.from))
			if rule := s.chain.Links[i].Repaired(r.from); rule != "" {
				found.fix = "write the rule as `" + Printable(rule) + "`"
			}
			found.names = []string{r.from}
			all = append(all, found)
		}
	}
	return all
}

func findIdleLoop(_ *config, s *server) []finding {
	l, ok := s.find("loop")
	if !ok || s.any(func(l *chain.Link) bool { return l.Forwards() || l.Unknown }) {
		return nil
	}
	return []finding{at(l.Directive)}
}
