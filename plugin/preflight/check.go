// Package preflight finds the mistakes that a Corefile reveals before the
// first query: chains that end without an answer, plugins that are never asked,
// keys that are no zones, forwarding to oneself.
//
// It reads the directives and the order in which CoreDNS puts them into a chain.
// It starts no plugin and asks no server, so it can run on a Corefile of another
// machine; what it may look at on this one is in Host.
//
// A warning that is wrong costs more than one that is missing: an operator who
// saw one false alarm stops reading. So a plugin that this package does not
// know is assumed to answer everything, a view is assumed to do whatever avoids a
// warning, and a host name in place of an address causes none. What remains is what
// somebody once reported as "CoreDNS returns SERVFAIL".
package preflight

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// Block and Directive are what corefile.Parse reads.
type (
	Block     = corefile.Block
	Directive = corefile.Directive
	Variable  = corefile.Variable
)

// ZoneFiles is chain.ZoneFiles.
func ZoneFiles(dir string) ([]string, error) { return chain.ZoneFiles(dir) }

// ReadFile is chain.ReadFile.
func ReadFile(path string) ([]byte, error) { return chain.ReadFile(path) }

// Parse is corefile.Parse.
func Parse(file string, r io.Reader, order []string) ([]Block, error) {
	return corefile.Parse(file, r, order)
}

// MaxWarnings is how many warnings Check returns at most.
const MaxWarnings = 64

// A Warning is a mistake that a Corefile reveals.
type Warning struct {
	Code    string // kebab-case name of the check
	File    string
	Line    int
	Text    string   // what happens to which names, to a client
	Fix     string   // what to change
	Reports []string // where people met or discussed it, for example "coredns#2166"

	// Zones are the zones of which names fail, Names single names; empty where the
	// mistake is none of a name. Types are the types that fail, or all fail but
	// ButTypes; both are empty if all do.
	Zones, Names, Types, ButTypes []string

	// Ignored is true if the ede of the block says so.
	Ignored bool
}

// String returns the warning as one printable line, "Corefile:12: text: fix [code]".
func (w Warning) String() string {
	return fmt.Sprintf("%s:%d: %s: %s [%s]", Printable(w.File), w.Line, w.Text, w.Fix, w.Code)
}

// A Host is what Check may know about the machine beyond the Corefile. The zero
// value stands for any machine.
type Host struct {
	// Port replaces 53 where a key names neither port nor transport
	// (dnsserver.Port, the flag -dns.port).
	Port string
	// Addrs returns the machine's own addresses, as net.InterfaceAddrs does.
	// Without it only loopback addresses are known to be local.
	Addrs func() ([]net.Addr, error)
	// ReadFile reads what forward and hosts are given as a file, as ReadFile does.
	// Without it such files are not looked at.
	ReadFile func(path string) ([]byte, error)
	// ZoneFiles returns the names of the files in and below a directory, as ZoneFiles
	// does. Without it what auto has is not known.
	ZoneFiles func(dir string) ([]string, error)
}

// Check returns the mistakes in blocks, by file and line, at most
// MaxWarnings, those of the first blocks.
// order is dnsserver.Directives.
func Check(blocks []Block, order []string) []Warning { return Host{}.Check(blocks, order) }

// Check is Check on a known machine.
func (h Host) Check(blocks []Block, order []string) []Warning {
	c := newConfig(h, blocks[:min(len(blocks), corefile.MaxBlocks)], order)
	var all []told
	seen := make(map[string]int) // places in all of what was found
	// Files with a block that CoreDNS reads otherwise than it is meant, and those of which
	// that was told.
	misread, said := make(map[string]bool), make(map[string]bool)
	for _, s := range c.servers {
		_, cut := s.cutOff()
		misread[s.File] = misread[s.File] || cut
	}
	for _, s := range c.servers {
		unknown := findUnknownDirectives(c, s)
		if slices.ContainsFunc(unknown, func(f finding) bool { return f.misread }) {
			if _, cut := s.cutOff(); cut && said[s.File] {
				continue // for want of the brace above
			}
			misread[s.File], said[s.File] = true, true
		}
		for _, check := range checks {
			findings := unknown
			if check.code != unknownDirective {
				if misread[s.File] {
					continue // what else is found follows from it
				}
				findings = check.find(c, s)
			}
			for _, f := range findings {
				w := check.warning(s, f)
				id := fmt.Sprint(w, w.Ignored)
				i, met := seen[id] // what is imported stands in several blocks
				if !met {
					i = len(all)
					seen[id], all = i, append(all, told{Warning: w})
				}
				if !f.misread && (f.file != s.File || f.line < s.Line) {
					all[i].in = append(all[i].in, s)
				}
			}
		}
		if len(all) > MaxWarnings {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b told) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var warnings []Warning
	for _, t := range all[:min(len(all), MaxWarnings)] {
		warnings = append(warnings, t.warning())
	}
	return warnings
}

// A finding is one place where a check's mistake stands.
type finding struct {
	file string
	line int
	args []any  // of the check's text
	text string // in place of the check's, if it has one of its own
	fix  string // in place of the check's, if it has one of its own
	// misread is true if braces or commas are not where they are meant to be.
	misread bool

	zones, names, types, butTypes []string

	certain bool // whatever the directory of auto has
}

func at(d *Directive, args ...any) finding { return finding{file: d.File, line: d.Line, args: args} }

func atBlock(s *server, args ...any) finding {
	return finding{file: s.File, line: s.Line, args: args}
}

// lineOf names a line of a file to somebody who reads of another line, in the file from.
func lineOf(file string, line int, from string) string {
	if file == from {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("line %d of %s", line, Printable(file))
}

// maxShown is how many runes of one token a warning repeats.
const maxShown = 80

// Printable makes a token of the Corefile fit for a log line.
func Printable(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxShown {
			return chain.Printable(s[:i]) + "..."
		}
	}
	return chain.Printable(s)
}

// listed writes at most three tokens as `"a", "b", "c" and 4 more`.
func listed(tokens ...string) string {
	const most = 3
	quoted := make([]string, 0, most)
	for _, t := range tokens[:min(len(tokens), most)] {
		quoted = append(quoted, `"`+Printable(t)+`"`)
	}
	s := strings.Join(quoted, ", ")
	if more := len(tokens) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// ForwardToSelf is the Code of a warning that queries forwarded from a block
// come back to it. It stands at the line of the forward.
const ForwardToSelf = "forward-to-self"

// NeverAsked is the Code of a warning that other plugins answer all that could reach
// a plugin. It stands at the line of that plugin.
const NeverAsked = "never-asked"

// unknownDirective is the code of what is no plugin. CoreDNS does not start with it.
const unknownDirective = "unknown-directive"

// A check is one kind of mistake.
type check struct {
	code    string
	text    string // format for the arguments of a finding
	fix     string
	reports []string
	find    func(*config, *server) []finding
}

func (c check) warning(s *server, f finding) Warning {
	text := fmt.Sprintf(cmp.Or(f.text, c.text), f.args...)
	if s.folder && !f.certain && slices.ContainsFunc(chainChecks, func(other check) bool { return other.code == c.code }) {
		text += " (as the directory of auto is now)"
	}
	return Warning{
		Code: c.code, File: f.file, Line: f.line, Text: text, Fix: cmp.Or(f.fix, c.fix), Reports: slices.Clone(c.reports),
		Zones: f.zones, Names: f.names, Types: f.types, ButTypes: f.butTypes, Ignored: s.ignores(c.code),
	}
}

// ignores reports whether the block's ede has an ignore with code.
func (s *server) ignores(code string) bool {
	for _, d := range s.Directives {
		if d.Name != "ede" {
			continue
		}
		for _, line := range d.Lines {
			if len(line) > 1 && line[0] == "ignore" && slices.Contains(line[1:], code) {
				return true
			}
		}
	}
	return false
}
