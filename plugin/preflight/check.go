package preflight

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"
)

// MaxWarnings is how many warnings Check returns at most.
const MaxWarnings = 64

// A Warning is a mistake that a Corefile gives away.
type Warning struct {
	Code    string // kebab-case name of the check
	File    string
	Line    int
	Text    string   // what happens to which names
	Fix     string   // what to change
	Reports []string // where people met or discussed it, as "coredns#2166"
}

// String returns the warning as one printable line, "Corefile:12: text: fix".
func (w Warning) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", printable(w.File), w.Line, w.Text, w.Fix)
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
}

// Check returns the mistakes in blocks, by file and line, at most
// MaxWarnings, those of the first blocks.
// order is dnsserver.Directives.
func Check(blocks []Block, order []string) []Warning { return Host{}.Check(blocks, order) }

// Check is Check on a known machine.
func (h Host) Check(blocks []Block, order []string) []Warning {
	c := newConfig(h, blocks[:min(len(blocks), MaxBlocks)], order)
	var all []Warning
	seen := make(map[string]bool)
	for _, s := range c.servers {
		for _, check := range checks {
			for _, f := range check.find(c, s) {
				if w := check.warning(s, f); !seen[w.String()] {
					seen[w.String()] = true // a snippet stands in several blocks
					all = append(all, w)
				}
			}
		}
		if len(all) > MaxWarnings {
			break
		}
	}
	slices.SortStableFunc(all, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return all[:min(len(all), MaxWarnings)]
}

// A finding is one place where a check's mistake stands.
type finding struct {
	file string
	line int
	args []any // of the check's text
}

func (d Directive) finding(args ...any) finding { return finding{d.File, d.Line, args} }
func (b Block) finding(args ...any) finding     { return finding{b.File, b.Line, args} }

// maxShown is how many runes of one token a warning repeats.
const maxShown = 80

// printable makes a token of the Corefile fit for a log line.
func printable(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		n++
		switch {
		case n > maxShown:
			return -1
		case unicode.IsPrint(r):
			return r
		}
		return '?'
	}, s)
	if n > maxShown {
		s += "..."
	}
	return s
}

// listed writes at most three tokens as `"a", "b", "c" and 4 more`.
func listed(tokens ...string) string {
	const most = 3
	quoted := make([]string, 0, most)
	for _, t := range tokens[:min(len(tokens), most)] {
		quoted = append(quoted, `"`+printable(t)+`"`)
	}
	s := strings.Join(quoted, ", ")
	if more := len(tokens) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
