package corefiles

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// A trial is one Corefile, what was foretold of it, and what came.
type trial struct {
	corefile
	text     string
	warnings [][]preflight.Warning // by block
	outcomes map[question]outcome
	literal  map[question]bool // with another owner than the question, even without rewrite
	useless  map[[2]int]bool   // uses without which every answer is the same
	hidden   map[[2]int]bool   // those of them that give answers where they stand alone
}

// bornOut reports whether an answer shows what w says of block i.
func (t trial) bornOut(i int, w preflight.Warning) bool {
	switch kind := failures[w.Code]; {
	case kind != not:
		for q, out := range t.outcomes {
			how := t.how(out)
			if out.block == i && (how == kind || w.Code == "dead-end" && how == noZone) && scope(w, q) {
				return true
			}
		}
		return false
	case w.Code == "never-asked":
		_, keys := t.corefile.text("")
		line := keys[i] + 2
		for j, u := range t.blocks[i].uses {
			if line == w.Line {
				return t.useless[[2]int{i, j}] || u.mark != 0 && !t.marked(u.mark)
			}
			line += len(u.lines)
		}
		return false
	case w.Code == "hosts-entry-unused":
		for _, u := range t.blocks[i].uses {
			for _, e := range u.entries {
				if slices.Contains(w.Names, strings.TrimSuffix(e, ".")+".") && t.addressGiven(u, e) {
					return false
				}
			}
		}
		return true
	case w.Code == "rewrite-without-answer":
		return t.renamed(i)
	case w.Code == preflight.ForwardToSelf:
		return slices.Contains(t.circle(), i)
	case w.Code == "view-below-default":
		return !t.asked(i)
	case w.Code == "no-catch-all":
		return t.outcomes[question{"nothing-here.", dns.TypeA, clients[0]}].refused()
	}
	return false
}

// asking are the questions for an entry of hosts.
func asking(entry string) (questions []question) {
	name := strings.TrimSuffix(strings.Replace(entry, "*.", "wild.", 1), ".") + "."
	for _, client := range clients {
		questions = append(questions, question{name, dns.TypeA, client}, question{name, dns.TypeAAAA, client})
	}
	return questions
}

// entryUsed reports whether a question for an entry of u has its address, or a
// question for the address has the entry: all entries of u have the same addresses.
func (t trial) entryUsed(u use, entry string) bool {
	if t.addressGiven(u, entry) {
		return true
	}
	for q, out := range t.outcomes {
		if q.qtype == dns.TypePTR && out.mark == u.mark && slices.Contains(u.reverse, q.name) {
			return true
		}
	}
	return false
}

// addressGiven reports whether a question for an entry of u has its address. Where u has
// but one entry, rewrite may make it of any name.
func (t trial) addressGiven(u use, entry string) bool {
	asked := asking(entry)
	for q, out := range t.outcomes {
		if out.mark == u.mark && q.qtype != dns.TypePTR && (len(u.entries) == 1 || slices.Contains(asked, q)) {
			return true
		}
	}
	return false
}

// how is of which kind a failure is. rewrite writes the REFUSED of a plugin below it
// itself; acl, which refuses on purpose, does so too.
func (t trial) how(out outcome) failed {
	if out.rcode == dns.RcodeRefused && out.how == not && out.block >= 0 && t.has(out.block, "rewrite ") && !t.blocks[out.block].guarded() {
		return noZone
	}
	return out.how
}

// has reports whether block i has a plugin whose line begins so.
func (t trial) has(i int, line string) bool {
	return slices.ContainsFunc(t.blocks[i].uses, func(u use) bool { return strings.HasPrefix(u.lines[0], line) })
}

// marked reports whether any answer has the mark.
func (t trial) marked(mark int) bool {
	for _, out := range t.outcomes {
		if out.mark == mark {
			return true
		}
	}
	return false
}

func (t trial) renamed(i int) bool {
	for q, out := range t.outcomes {
		if out.block == i && out.renamed && !t.literal[q] {
			return true
		}
	}
	return false
}

// circle returns the blocks that got a question again and again.
func (t trial) circle() []int {
	blocks := make(map[int]bool)
	for _, out := range t.outcomes {
		maps.Copy(blocks, out.circle)
	}
	return slices.Sorted(maps.Keys(blocks))
}

func (t trial) asked(i int) bool {
	for _, out := range t.outcomes {
		if out.block == i {
			return true
		}
	}
	return false
}

func (t trial) viewed(i int) bool { return t.has(i, "view ") }

func (t trial) says(i int, is func(preflight.Warning) bool) bool {
	return slices.ContainsFunc(t.warnings[i], is)
}
