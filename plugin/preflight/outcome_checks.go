package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// findUnjudged says it once of all blocks that are too much together.
func findUnjudged(c *config, s *server) []finding {
	switch {
	case !s.opaque:
		return nil
	case s.size != overSteps && s.size != overKeys:
		return []finding{atBlock(s, "this block is", s.size)}
	case c.unjudged[s.size]:
		return nil
	}
	c.unjudged[s.size] = true
	blocks := 0
	for _, other := range c.servers {
		if other.size == s.size {
			blocks++
		}
	}
	if blocks == 1 {
		return []finding{atBlock(s, "this block is", s.size)}
	}
	return []finding{atBlock(s, fmt.Sprintf("this block and %d below it are", blocks-1), s.size)}
}

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
	func(s *server, f *failure) bool {
		return f.how == unclaimed && !s.any(addressed) || f.how == refused
	},
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
	if under, single := f.extent(); len(under) == 0 && len(single) == 1 {
		found.text = strings.Replace(found.text, "get", "gets", 1)
	}
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

// asked reports whether a client may ask for what fails: not in an impossible zone.
func (f *failure) asked() bool {
	for z := range f.zones {
		if !impossible(z) {
			return true
		}
	}
	return false
}

var findExcepted = failing(
	func(_ *server, f *failure) bool { return f.how == excepted && f.asked() },
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
			found.fix = f.passOn(s)
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
			found.fix = f.passOn(s) + "; and add below it " + s.chain.Endings(f.span(), s.zones)
			if s.chain.Links[f.link].Typed() {
				found.text = "no plugin below template answers %s: names that its `match` does not fit get SERVFAIL, where an empty answer is expected"
			}
			return found
		},
	)
}

// A told is a warning, and the blocks that import what it is of.
type told struct {
	Warning
	in []*server
}

func (t told) warning() Warning {
	var keys []string
	for _, s := range t.in {
		keys = append(keys, s.Keys...)
	}
	switch {
	case len(t.in) == 0 || t.Code == "unset-variable":
	case len(t.in) == 1:
		t.Text += fmt.Sprintf(" (in the block of %s)", listed(keys...))
	default:
		t.Text += fmt.Sprintf(" (in %d blocks, of %s)", len(t.in), listed(keys...))
	}
	return t.Warning
}

// findSwallowedErrors: etcd writes its SERVFAIL and returns the error with
// rcode 0; minimal holds the message back and drops it because of the error
// (plugin/minimal/minimal.go, ServeDNS).
func findSwallowedErrors(c *config, s *server) []finding {
	minimal, etcd := slices.Index(c.order, "minimal"), slices.Index(c.order, "etcd")
	l, ok := s.find("minimal")
	if minimal < 0 || etcd < minimal || !ok || !s.has("etcd") {
		return nil
	}
	return []finding{at(l.Directive)}
}

// impossible reports whether clients ask for no name in zone.
func impossible(zone string) bool {
	why, _ := spelling.Impossible(zone)
	return why != ""
}
