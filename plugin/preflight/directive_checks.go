package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/directive"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// maxSlips is how many different names that CoreDNS does not have are looked at.
const maxSlips = 256

// slip is the directive that name may be a misspelling of, "" if there is none. In a Corefile what is beyond maxSlips is taken for none.
func (c *config) slip(name string) string {
	near, met := c.slips[name]
	if !met && len(c.slips) < maxSlips && !slices.Contains(directive.External, name) {
		near = spelling.Nearest(name, c.order)
		c.slips[name] = near
	}
	return near
}

// known reports whether the build has the plugin.
func (c *config) known(name string) bool { return len(c.order) == 0 || c.built[name] }

func (c *config) setOrder(order []string) {
	c.order, c.built = order, make(map[string]bool, len(order))
	for _, name := range order {
		c.built[name] = true
	}
}

// findUnknownDirectives shows one token of a block that cannot be a plugin: those below it
// follow from it.
func findUnknownDirectives(c *config, s *server) []finding {
	if found, ok := s.cutOff(); ok {
		return []finding{found}
	}
	var all []finding
	misread := false
	for i := range s.Directives {
		d := &s.Directives[i]
		if c.known(d.Name) || directive.Successors[d.Name] != "" {
			if found, certain := notClosed(d); certain && !misread && len(all) < MaxWarnings {
				all = append(all, found)
				misread = true
			}
			continue
		}
		if fix := c.unfit(s.Block, i); fix != "" {
			if !misread && len(all) < MaxWarnings {
				all = append(all, s.misplaced(i, fix))
			}
			misread = true
			continue
		}
		if near := c.slip(d.Name); near != "" && len(all) < MaxWarnings {
			found := at(d, listed(d.Name))
			found.fix = "write `" + near + "`"
			all = append(all, found)
		}
	}
	return all
}

// unfit returns what to do about directive i of b if it cannot be a plugin.
func (c *config) unfit(b *Block, i int) string {
	d := &b.Directives[i]
	if i == 0 && len(b.Keys) > 0 {
		if fix := directive.UnfitKey(b.Keys[0]); fix != "" {
			return fix
		}
	}
	if !strings.ContainsAny(d.Name, "{}/;.") && c.slip(d.Name) != "" {
		return ""
	}
	if fix := directive.Unfit(d.Name, i == 0); fix != "" {
		return fix
	}
	if !slices.Contains(directive.External, d.Name) && len(d.Lines) > 1 && directive.IsBlock(d.Lines[1:], func(name string) bool { return c.built[name] }) {
		return directive.NotClosed
	}
	return ""
}

// notClosed finds a plugin that has others between its braces. It is certain if no plugin
// has such a line.
func notClosed(d *Directive) (found finding, certain bool) {
	first, certain := directive.Swallowed(d.Tokens, chain.Known)
	if first == 0 || !chain.Known(d.Name) {
		return finding{}, false
	}
	t := d.Tokens[first]
	line := lineOf(cmp.Or(t.File, d.File), t.Line, d.File)
	found = at(d, d.Name, listed(t.Text), line)
	found.text = "the braces of %[1]s are not closed: CoreDNS reads %[2]s in %[3]s as a line of %[1]s, and what follows too"
	found.fix = "write `}` above " + line
	found.misread = true
	return found, certain
}

// misplaced says of directive i, which cannot be a plugin, where the brace is missing that
// makes it one, if that is why. Else fix is what to do.
func (s *server) misplaced(i int, fix string) finding {
	d := &s.Directives[i]
	found := at(d, listed(d.Name))
	found.fix, found.misread = fix, true
	if !directive.IsName(d.Name) {
		found.text = "%s cannot be the name of a plugin: CoreDNS does not start"
	}
	if i == 0 && fix == directive.UnfitKey(s.Keys[0]) {
		found = atBlock(s, listed(s.Keys[0]))
		found.text = "%s is read as the zone of a block: CoreDNS does not start"
		found.fix, found.misread = fix, true
		return found
	}
	if above := &s.Directives[max(i-1, 0)]; above != d && above.File == d.File && len(above.Lines) == 1 && directive.Opens(above.Name, d.Name) {
		opens := at(above, above.Name, listed(d.Name), d.Line)
		opens.text = "%s has no `{`: %s in line %d is read as a plugin: CoreDNS does not start"
		opens.fix, opens.misread = "write `{` at the end of this line", true
		return opens
	}
	if !strings.Contains(fix, directive.NotClosed) {
		return found
	}
	for j := range s.Directives[:i] {
		if swallows, _ := notClosed(&s.Directives[j]); swallows.misread && s.Directives[j].File == d.File {
			return swallows
		}
	}
	if fix == directive.NotClosed && len(d.Lines) > 1 && d.File == s.File {
		open := atBlock(s, listed(s.Keys...), listed(d.Name), d.Line)
		open.text = "the block of %s is not closed: %s in line %d, where another block begins, is read as a plugin: CoreDNS does not start"
		open.fix, open.misread = fmt.Sprintf("write `}` above line %d", d.Line), true
		return open
	}
	return found
}

// findRepeated shows the later use: one of an import, which may be changed where the rest
// cannot, if only one of them is.
func findRepeated(_ *config, s *server) []finding {
	var all []finding
	imported := false // twice, which is one mistake
	for i := range s.Directives {
		d := &s.Directives[i]
		if directive.Doubled(d.Tokens) && !imported {
			imported = true
			found := at(d, d.Name)
			found.text = "this line of %s is imported twice, and CoreDNS reads both as one line, with more arguments than are meant"
			found.fix = "import it once"
			all = append(all, found)
		}
		if !directive.Once(d.Name) {
			continue
		}
		first := slices.IndexFunc(s.Directives, func(other Directive) bool { return other.Name == d.Name })
		if other := &s.Directives[max(first, 0)]; first < i && len(all) < MaxWarnings && !(imported && other.File == d.File && other.Line == d.Line) {
			all = append(all, at(d, d.Name, lineOf(other.File, other.Line, d.File)))
		}
	}
	return all
}

// repeats reports whether CoreDNS does not start because s has the plugin of link i twice.
func (s *server) repeats(i int) bool {
	links := s.chain.Links
	same := func(j int) bool { return j >= 0 && j < len(links) && links[j].Name == links[i].Name }
	return directive.Once(links[i].Name) && (same(i-1) || same(i+1))
}

func findRemoved(c *config, s *server) []finding {
	var all []finding
	for _, d := range s.Directives {
		if fix := directive.Successors[d.Name]; fix != "" && !c.known(d.Name) {
			found := at(&d, "the plugin "+d.Name)
			found.fix = fix
			all = append(all, found)
		}
		if len(d.Lines) < 2 {
			continue
		}
		for option, fix := range directive.Removed[d.Name] {
			if hasOption(d, option) {
				found := at(&d, fmt.Sprintf("the property %s of %s", option, d.Name))
				found.fix = fix
				all = append(all, found)
			}
		}
	}
	return all
}

// hasOption reports whether a line of d begins with the words of option.
func hasOption(d Directive, option string) bool {
	words := strings.Fields(option)
	return slices.ContainsFunc(d.Lines[min(1, len(d.Lines)):], func(line []string) bool {
		return len(line) >= len(words) && slices.Equal(line[:len(words)], words)
	})
}

// MaxExternal is how many plugins External returns at most.
const MaxExternal = 64

// External returns the first use of each plugin in blocks that is neither CoreDNS's own nor
// a misspelling of one, nor what cannot be a plugin, at most MaxExternal. The checks assume that it answers everything
// that no other plugin answers. order is dnsserver.Directives.
func External(blocks []Block, order []string) []Directive {
	c := &config{slips: make(map[string]string)}
	c.setOrder(order)
	met := make(map[string]bool)
	var all []Directive
	for b := range blocks {
		for i, d := range blocks[b].Directives {
			if len(all) == MaxExternal {
				return all
			}
			if c.known(d.Name) || met[d.Name] {
				continue
			}
			met[d.Name] = true
			if directive.Successors[d.Name] == "" && c.unfit(&blocks[b], i) == "" && c.slip(d.Name) == "" {
				all = append(all, d)
			}
		}
	}
	return all
}

// passOn says how the link of f passes on what fails.
func (f *failure) passOn(s *server) string {
	l := &s.chain.Links[f.link]
	for _, m := range l.Misread(maxMisread) {
		meant := spelling.Property(m.Words, chain.HostsProperties)
		if l.Name == "hosts" && strings.HasPrefix(meant, "fallthrough") {
			return fmt.Sprintf("write `%s` in %s, where CoreDNS passes over %s without a word", Printable(meant), lineOf(m.File, m.Line, l.File), listed(strings.Join(m.Words, " ")))
		}
	}
	return s.chain.PassOn(f.link, f.span(), f.types(s.fate.types))
}
