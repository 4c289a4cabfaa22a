package report

import (
	"cmp"
	"slices"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
)

// An action is one in the making. Gone is what diagnoses have taken from its failures, and
// come what they have put down to it, by upstream and by zone.
type action struct {
	figures.Action
	cause      *causeTally // nil if nothing failed with it
	byUpstream bool        // where it fails is told by upstreams, not by zones
	gone       map[string]uint64
	came       []string // where it failed that came
	told       bool     // what a diagnosis says
}

// actions are the pieces of advice that would end most of what fails now. What
// has passed comes last however much it was. Where a diagnosis has found out why
// failures failed, these count under what it found.
func (t *tally) actions(causes []figures.Cause, k Knowledge) []figures.Action {
	var all []*action
	of := make(map[string]*action)
	for _, v := range causes {
		if v.Count == 0 {
			continue
		}
		c := t.causes[t.causeNo[v.Cause]]
		a := &action{cause: c, byUpstream: len(v.Upstreams) > 0 && v.Owner != "zone", gone: make(map[string]uint64), Action: figures.Action{
			Cause: v.Cause, Title: v.Title, Owner: v.Owner, State: v.State, Count: v.Count, Instances: v.Instances, Last: v.Last, Example: k.example(c)}}
		_, a.Advice = k.advice(c)
		all, of[v.Cause] = append(all, a), a
	}
	failures := t.ways.Clone()
	for _, f := range t.decided() {
		to := of[f.cause]
		if to == nil {
			to = &action{Action: figures.Action{Cause: f.cause, State: figures.Quiet, Last: f.last}}
			if k.Advice != nil {
				to.Title, _ = k.Advice(f.cause, 0, "")
			}
		}
		refinable := func(cause string) bool { return cause != f.cause && k.refinable(cause) && of[cause] != nil }
		taken := failures.Take(f.ways, f.zone, refinable, t.namesBelow)
		var came uint64
		on := make(map[string]bool)
		for _, part := range taken {
			n := to.take(of[part.Cause], part)
			if n == 0 {
				continue
			}
			came += n
			if part.Instance != "" {
				on[part.Instance] = true
			}
			where := f.zone
			if f.owner != "zone" && part.Upstream != "" {
				where = part.Upstream
			}
			if len(to.came) < wherePlaces && !slices.Contains(to.came, where) {
				to.came = append(to.came, where)
			}
		}
		if to.Count == 0 {
			continue
		}
		to.Instances = max(to.Instances, uint64(len(on)))
		if of[f.cause] == nil {
			all, of[f.cause] = append(all, to), to
		}
		// Of failures that have the cause themselves the lines tell more than a diagnosis of others.
		if !to.told && (2*came > to.Count || to.Advice == "") {
			to.told = true
			to.Advice, to.Owner = cmp.Or(f.advice, to.Advice), cmp.Or(f.owner, to.Owner)
			to.Example = cmp.Or(f.text, to.Example)
		}
	}
	for _, f := range t.open() {
		// What one upstream was seen to do is no advice on the others.
		if a := of[f.cause]; a != nil && !a.told && f.advice != "" && (a.Advice == "" || 2*t.explained(failures, f, a.Cause) > a.Count) {
			a.told, a.Advice = true, f.advice
		}
	}
	for _, a := range all {
		a.Where = a.where()
	}
	return ranked(all)
}
func ranked(all []*action) []figures.Action {
	all = slices.DeleteFunc(all, func(a *action) bool { return a.Advice == "" || a.Count == 0 })
	order := map[string]int{figures.Failing: 0, figures.Quiet: 1, figures.Recovered: 2}
	slices.SortStableFunc(all, func(a, b *action) int {
		return cmp.Or(cmp.Compare(order[a.State], order[b.State]), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	var first []figures.Action
	for _, a := range all[:min(len(all), maxActions)] {
		first = append(first, a.Action)
	}
	return first
}

// take moves failures from b to a, as a diagnosis has put them down to its cause, and
// returns how many.
func (a *action) take(b *action, part found.Taken) uint64 {
	n := min(part.Count, b.Count)
	if n == 0 {
		return 0
	}
	b.Count -= n
	b.gone[b.placeOf(part)] += n
	a.Count += n
	if b.State == figures.Failing || a.Count == n {
		a.State = b.State
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	return n
}

func (a *action) placeOf(part found.Taken) string {
	if a.byUpstream {
		return part.Upstream
	}
	return part.Zone
}

// where lists the places that fail most and have not gone, and those that came.
func (a *action) where() (places []string) {
	if a.cause != nil {
		table := a.cause.zones
		if a.byUpstream {
			table = a.cause.upstream
		}
		for _, e := range table.top(-1) {
			if gone := a.gone[e.key]; len(places) < wherePlaces && (gone == 0 || gone < e.count) {
				places = append(places, e.key)
			}
		}
	}
	for _, place := range a.came {
		if len(places) < wherePlaces && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// explained is how many of the failures with a cause a diagnosis is about.
func (t *tally) explained(failures *found.Failures, f *finding, cause string) (n uint64) {
	for _, part := range failures.Clone().Take(f.ways, f.zone, func(other string) bool { return other == cause }, t.namesBelow) {
		n += part.Count
	}
	return n
}

// namesBelow is how many failures with a cause had names in a zone, for sure.
func (t *tally) namesBelow(cause, zone string) (n uint64) {
	no, ok := t.causeNo[cause]
	if !ok {
		return 0
	}
	for i := range t.names.entries {
		e := &t.names.entries[i]
		if within(e.key, zone) {
			n += min(e.mix.of(no), e.count-e.over)
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
		return cmp.Or(cmp.Compare(b.count, a.count), b.last.Compare(a.last), cmp.Compare(a.zone, b.zone), cmp.Compare(a.cause, b.cause), cmp.Compare(a.result, b.result))
	})
	return all
}
