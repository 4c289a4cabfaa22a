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
	inCircle   = "a circle of blocks that forward to each other"
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

// failures are the checks whose warnings foretell a failure: a SERVFAIL, or, of a
// dead end, a REFUSED too.
var failures = map[string]failed{
	"dead-end": noNext, "fallthrough-to-nowhere": noNext, "template-for-some-types": noNext, "except-to-nowhere": noNext,
	"hosts-without-fallthrough": missed, "hosts-alone": missed, "template-without-fallthrough": missed, "template-alone": missed,
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

// failures counts the kinds of failures of a block; each counts as foretold if
// all its questions are. A block for all names that refuses those without a zone file
// is an authoritative server.
func (tl *tally) failures(t trial, i int) {
	for _, kind := range []failed{noNext, missed, noZone} {
		if kind == noZone && slices.Contains(t.blocks[i].zones, ".") {
			continue
		}
		var lost []string
		n := 0
		for q, out := range t.outcomes {
			if out.block != i || t.how(out) != kind {
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

func (tl *tally) others(t trial, i int) {
	if t.renamed(i) {
		tl.count(t, otherOwner, t.says(i, func(w preflight.Warning) bool { return w.Code == "rewrite-without-answer" }), "")
	}
	if in := t.circle(); slices.Index(in, i) == 0 {
		tl.count(t, inCircle, slices.ContainsFunc(in, func(j int) bool {
			return t.says(j, func(w preflight.Warning) bool { return w.Code == preflight.ForwardToSelf })
		}), "")
	}
	if t.viewed(i) && !t.asked(i) && !t.blocks[i].guarded() {
		tl.count(t, lateView, t.says(i, func(w preflight.Warning) bool { return w.Code == "view-below-default" }), "")
	}
}

func (tl *tally) count(t trial, kind string, foretold bool, what string) {
	tl.happened[kind]++
	if foretold {
		tl.foretold[kind]++
		return
	}
	tl.unforetold = append(tl.unforetold, fmt.Sprintf("%s: %s\n%s", kind, what, t.text))
}
