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

// butRefused says which names of s a plugin refuses that is the last of the chain and has
// no zone for them, "" if there are none: all others that nothing answers get SERVFAIL.
func (s *server) butRefused() string {
	var refused []string
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "auto" || l.Read != nil {
			continue
		}
		for _, z := range chain.ZonesOf(l.Args(), s.zones) {
			if s.chain.Ask(chain.Question{Name: "nowhere." + strings.TrimPrefix(z, "."), Type: dns.TypeA}, nil).End == chain.Refused {
				refused = append(refused, z)
			}
		}
	}
	if len(refused) == 0 {
		return ""
	}
	return " other than those under " + listed(refused...)
}

// answersSome says what plugins of s answer that is not counted as an answer, "" if
// there is none.
func (s *server) answersSome() string {
	var some []string
	for _, kind := range [][2]string{
		{"any", "queries of type ANY"},
		{"local", "the names that local has, for example \"localhost.\""},
		{"chaos", "queries of class CH"},
		{"template", "queries of another class than IN"},
	} {
		if s.has(kind[0]) {
			some = append(some, kind[1])
		}
	}
	return strings.Join(some, " and ")
}

// extent returns the zones of which ordinary names fail, without those inside
// of others, and single names.
func (f *failure) extent() (under, single []string) {
	for z, sc := range f.zones {
		if impossible(z) && f.asked() {
			continue // nobody asks for these
		}
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

// span is the zones and names of which something fails.
func (f *failure) span() []string {
	under, single := f.extent()
	return append(under, single...)
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

// A vain is why no client gets the addresses of an entry of hosts, all empty if one may.
type vain struct {
	why    string
	fix    string
	points bool        // clients that ask for the name of its address get it all the same
	taker  *server     // the block that gets the name, nil if that is not why
	before *chain.Link // what answers there, or in its own block, before any hosts is asked
}

// Reasons for an entry to be of no use.
const (
	renamedBefore = "rewrite changes these names before hosts is asked"
	notHere       = "no such name comes to this block"
	innerStar     = "`*` stands for any label only as the first one"
	noName        = "clients ask for no such name"
)

// vainElsewhere reports whether an entry is of no use in the other blocks either that
// import its hosts. If PTR queries get its name in one of them, v says so.
func (c *config) vainElsewhere(s *server, l *chain.Link, name string, v *vain) bool {
	for _, other := range c.withHosts[place{l.File, l.Line}] {
		if o, ok := other.find("hosts"); ok && other != s {
			there := c.unused(other, o, name)
			if there.why == "" {
				return false
			}
			v.points = v.points || there.points
		}
	}
	return true
}

// repeated reports whether the block that gets the name of an entry may have it in a hosts
// of its own, so that the entry is there for PTR queries alone.
func (v vain) repeated(entry string) bool {
	if v.taker == nil || !v.points {
		return false
	}
	l, ok := v.taker.find("hosts")
	return ok && (len(l.Args()) > 0 && len(l.Entries()) == 0 || l.Has(strings.Replace(entry, "*.", "nowhere.", 1)))
}

// remedy says what to do with the line of name in a hosts, l.
func (v vain) remedy(l *chain.Link, name string) string {
	name = strings.Replace(name, "*.", "nowhere.", 1)
	fix := ""
	switch {
	case v.why == renamedBefore:
		return "list the new names in hosts, or limit the rule of rewrite to other names"
	case v.why == innerStar, v.why == noName:
		return "list the names themselves, with spaces between them"
	case v.why == notHere && !slices.ContainsFunc(l.Zones, func(z string) bool { return !chain.Reverse(z) }) && l.ForPTR() != "":
		return l.ForPTR()
	case v.taker != nil:
		fix = v.move(l, name)
	case v.before == nil && v.why != notHere:
		return "add their zone to those of hosts"
	}
	if v.before == nil {
		return fix
	}
	add := func(more string) { fix += strings.Repeat("; ", min(len(fix), 1)) + more }
	if v.before.Blocks() {
		add(fmt.Sprintf("write the plugin `file`, with a zone that has only an SOA record, in place of the template of %s: file answers NXDOMAIN too, but hosts is asked before it", lineOf(v.before.File, v.before.Line, l.File)))
		if v.taker == nil && !chain.Covered(l.Fall, name) {
			add("add the line `fallthrough` at the end of hosts")
		}
		return fix
	}
	how := ""
	if v.before.Name == "template" {
		how = ", by its zone or by `match` with `fallthrough`"
	}
	add(fmt.Sprintf("limit %s (%s) to other names%s: it is asked before any hosts, whichever stands first in the file", v.before.Name, lineOf(v.before.File, v.before.Line, l.File), how))
	if !v.points {
		add("or remove these names")
	}
	return fix
}

// move says how the block that gets the name of an entry gets its line.
func (v vain) move(l *chain.Link, name string) string {
	theirs, ok := v.taker.find("hosts")
	into := "a `hosts` with `fallthrough` in that block"
	switch {
	case ok && theirs.Has(name):
		return fmt.Sprintf("remove these names: the hosts of %s lists them too", lineOf(theirs.File, theirs.Line, l.File))
	case ok:
		into = "the hosts of " + lineOf(theirs.File, theirs.Line, l.File)
	}
	if v.points {
		return "write these names in " + into + " too, and keep the lines for the PTR queries"
	}
	return "write these names in " + into + ", and not here"
}
