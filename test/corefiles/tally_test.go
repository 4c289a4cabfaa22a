package corefiles

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// A tally counts warnings by check, and what came of the Corefiles by kind.
type tally struct {
	corefiles, questions int
	warned, right        map[string]int
	happened, foretold   map[string]int
	wrong, unforetold    []string
}

func newTally() *tally {
	return &tally{warned: map[string]int{}, right: map[string]int{}, happened: map[string]int{}, foretold: map[string]int{}}
}

// Kinds of what happens, one a block and kind, or a plugin.
const (
	neverAsked = "a plugin that is hidden by others"
	lostEntry  = "a line of hosts that is in no answer"
	otherOwner = "an answer whose records have another name than the question"
	lateView   = "a view that gets no question"
)

// scope reports whether a warning says that q fails.
func scope(w preflight.Warning, q question) bool {
	in := slices.Contains(w.Names, q.name)
	for _, z := range w.Zones {
		in = in || dns.IsSubDomain(z, q.name)
	}
	t := dns.TypeToString[q.qtype]
	return in && (len(w.Types) == 0 || slices.Contains(w.Types, t)) && !slices.Contains(w.ButTypes, t)
}

// failures are the checks whose warnings foretell a SERVFAIL.
var failures = map[string]failed{
	"dead-end": noNext, "fallthrough-to-nowhere": noNext, "template-for-some-types": noNext, "except-to-nowhere": noNext,
	"hosts-without-fallthrough": missed, "hosts-alone": missed, "template-without-fallthrough": missed, "template-alone": missed,
}

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

func (tl *tally) add(t trial) {
	tl.corefiles++
	tl.questions += len(t.outcomes)
	for i := range t.blocks {
		tl.failures(t, i)
		tl.uses(t, i)
		tl.others(t, i)
		for _, w := range t.warnings[i] {
			if w.Code == "minimal-above-etcd" {
				continue // it is of an etcd that is out of reach
			}
			tl.warned[w.Code]++
			if t.bornOut(i, w) {
				tl.right[w.Code]++
			} else {
				tl.wrong = append(tl.wrong, fmt.Sprintf("%s: %s\n%s", w.Code, w, t.text))
			}
		}
	}
}

// failures counts the kinds of SERVFAIL of a block; each counts as foretold if
// all its questions are.
func (tl *tally) failures(t trial, i int) {
	for _, kind := range []failed{noNext, missed} {
		var lost []string
		n := 0
		for q, out := range t.outcomes {
			if out.block != i || out.how != kind {
				continue
			}
			n++
			if !slices.ContainsFunc(t.warnings[i], func(w preflight.Warning) bool { return failures[w.Code] != not && scope(w, q) }) {
				lost = append(lost, q.String())
			}
		}
		if n > 0 {
			slices.Sort(lost)
			tl.count(t, string(kind), len(lost) == 0, strings.Join(lost[:min(len(lost), 5)], ", "))
		}
	}
}

// uses counts the plugins of a block that are of no use, and the entries.
func (tl *tally) uses(t trial, i int) {
	for j, u := range t.blocks[i].uses {
		if t.useless[[2]int{i, j}] {
			if !t.hidden[[2]int{i, j}] {
				continue
			}
			name, _, _ := strings.Cut(u.lines[0], " ")
			tl.count(t, neverAsked, t.says(i, func(w preflight.Warning) bool {
				return w.Code == "view-below-default" || w.Code == "hosts-entry-unused" && name == "hosts" ||
					strings.Contains(w.Text, name) && (w.Code == "never-asked" || failures[w.Code] == missed)
			}), fmt.Sprintf("block %d, %s", i, u.lines[0]))
			continue
		}
		for _, e := range u.entries {
			if t.entryUsed(u, e) {
				continue
			}
			fqdn := strings.TrimSuffix(e, ".") + "."
			tl.count(t, lostEntry, t.says(i, func(w preflight.Warning) bool {
				return w.Code == "hosts-entry-unused" && slices.Contains(w.Names, fqdn) || w.Code == "view-below-default" ||
					failures[w.Code] != not && slices.ContainsFunc(asking(e), func(q question) bool { return scope(w, q) })
			}), e)
		}
	}
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
	questions := asking(entry)
	for _, name := range u.reverse {
		for _, client := range clients {
			questions = append(questions, question{name, dns.TypePTR, client})
		}
	}
	return slices.ContainsFunc(questions, func(q question) bool { return t.outcomes[q].mark == u.mark })
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

func (tl *tally) others(t trial, i int) {
	if t.renamed(i) {
		tl.count(t, otherOwner, t.says(i, func(w preflight.Warning) bool { return w.Code == "rewrite-without-answer" }), "")
	}
	if t.viewed(i) && !t.asked(i) && !t.blocks[i].guarded() {
		tl.count(t, lateView, t.says(i, func(w preflight.Warning) bool { return w.Code == "view-below-default" }), "")
	}
}

func (t trial) renamed(i int) bool {
	for q, out := range t.outcomes {
		if out.block == i && out.renamed && !t.literal[q] {
			return true
		}
	}
	return false
}

func (t trial) asked(i int) bool {
	for _, out := range t.outcomes {
		if out.block == i {
			return true
		}
	}
	return false
}

func (t trial) viewed(i int) bool {
	return slices.ContainsFunc(t.blocks[i].uses, func(u use) bool { return strings.HasPrefix(u.lines[0], "view ") })
}

func (t trial) says(i int, is func(preflight.Warning) bool) bool {
	return slices.ContainsFunc(t.warnings[i], is)
}

func (tl *tally) count(t trial, kind string, foretold bool, what string) {
	tl.happened[kind]++
	if foretold {
		tl.foretold[kind]++
		return
	}
	tl.unforetold = append(tl.unforetold, fmt.Sprintf("%s: %s\n%s", kind, what, t.text))
}

// bornOut reports whether an answer shows what w says of block i.
func (t trial) bornOut(i int, w preflight.Warning) bool {
	switch kind := failures[w.Code]; {
	case kind != not:
		for q, out := range t.outcomes {
			if out.block == i && out.how == kind && scope(w, q) {
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
				if slices.Contains(w.Names, strings.TrimSuffix(e, ".")+".") && t.entryUsed(u, e) {
					return false
				}
			}
		}
		return true
	case w.Code == "rewrite-without-answer":
		return t.renamed(i)
	case w.Code == "view-below-default":
		return !t.asked(i)
	case w.Code == "no-catch-all":
		return t.outcomes[question{"nothing-here.", dns.TypeA, clients[0]}].refused()
	}
	return false
}
