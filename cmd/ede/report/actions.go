package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
)

// actions are the pieces of advice that would end most of what fails now. What
// has passed comes last however much it was. Where a diagnosis has found out why the
// names of a zone fail, these count under what it found.
func (t *tally) actions(causes []figures.Cause, k Knowledge) []figures.Action {
	var all []*figures.Action
	of := make(map[string]*figures.Action)
	told := make(map[*figures.Action]bool) // what a diagnosis says
	for _, v := range causes {
		if v.Count == 0 {
			continue
		}
		c := t.causes[t.causeNo[v.Cause]]
		a := &figures.Action{Cause: v.Cause, Title: v.Title, Owner: v.Owner, State: v.State, Count: v.Count, Instances: v.Instances, Last: v.Last, Example: k.example(c)}
		_, a.Advice = k.advice(c)
		places := v.Zones
		if len(v.Upstreams) > 0 && v.Owner != "zone" {
			places = v.Upstreams
		}
		for _, p := range places {
			a.Where = append(a.Where, p.Value)
		}
		all, of[v.Cause] = append(all, a), a
	}
	failed := slices.Clone(all)
	for _, f := range t.decided() {
		found := of[f.cause]
		if found == nil {
			found = &figures.Action{Cause: f.cause, State: figures.Quiet, Last: f.last}
			if k.Advice != nil {
				found.Title, _ = k.Advice(f.cause, 0, "")
			}
		}
		for _, a := range failed {
			if a.Cause != f.cause && k.refinable(a.Cause) {
				take(found, a, t.causes[t.causeNo[a.Cause]].in(f.zone))
			}
		}
		if found.Count == 0 {
			continue
		}
		if of[f.cause] == nil {
			all, of[f.cause] = append(all, found), found
		}
		if !told[found] {
			told[found] = true
			found.Advice, found.Owner = cmp.Or(f.advice, found.Advice), cmp.Or(f.owner, found.Owner)
			found.Example = cmp.Or(f.text, found.Example)
		}
		if f.owner == "zone" && len(found.Where) < wherePlaces && !slices.Contains(found.Where, f.zone) {
			found.Where = append(found.Where, f.zone)
		}
	}
	for _, f := range t.open() {
		if a := of[f.cause]; a != nil && !told[a] && f.advice != "" {
			told[a], a.Advice = true, f.advice
		}
	}
	return ranked(all)
}

func ranked(all []*figures.Action) []figures.Action {
	all = slices.DeleteFunc(all, func(a *figures.Action) bool { return a.Advice == "" || a.Count == 0 })
	order := map[string]int{figures.Failing: 0, figures.Quiet: 1, figures.Recovered: 2}
	slices.SortStableFunc(all, func(a, b *figures.Action) int {
		return cmp.Or(cmp.Compare(order[a.State], order[b.State]), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	var first []figures.Action
	for _, a := range all[:min(len(all), maxActions)] {
		first = append(first, *a)
	}
	return first
}

// take moves n failures from b to a, as a diagnosis has put them down to its cause.
func take(a, b *figures.Action, n uint64) {
	n = min(n, b.Count)
	if n == 0 {
		return
	}
	b.Count -= n
	a.Count += n
	if b.State == figures.Failing || a.Count == n {
		a.State = b.State
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	a.Instances = max(a.Instances, b.Instances)
}

// in is how many failures of c were in zone, or in a zone around it or below.
func (c *causeTally) in(zone string) (n uint64) {
	for _, e := range c.zones.top(-1) {
		if e.key == zone || strings.HasSuffix(e.key, "."+zone) || strings.HasSuffix(zone, "."+e.key) {
			n += e.count - e.over
		}
	}
	return n
}

// decided are the diagnoses that found who is at fault, open those that did not, the
// most frequent first.
func (t *tally) decided() []*finding {
	return t.sorted(func(f *finding) bool { return f.result != figures.Undecided })
}
func (t *tally) open() []*finding {
	return t.sorted(func(f *finding) bool { return f.result == figures.Undecided })
}

func (t *tally) sorted(wanted func(*finding) bool) []*finding {
	var all []*finding
	for _, f := range t.findings {
		if wanted(f) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *finding) int {
		return cmp.Or(cmp.Compare(b.count, a.count), b.last.Compare(a.last), cmp.Compare(a.zone, b.zone), cmp.Compare(a.cause, b.cause))
	})
	return all
}
