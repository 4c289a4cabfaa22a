package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
	"github.com/seed-1b7246af/coredns-ede/plugin/domain"
)

const (
	maxActions  = 3
	wherePlaces = 3
	lastHour    = time.Hour
)

// report sums the tally up, with the n most frequent of everything.
func (t *tally) report(k Knowledge, n int) *figures.Report {
	r := &figures.Report{From: t.first, To: t.last, Named: t.outstanding()}
	rcodes, owners, lasts := make(labels), make(labels), make(labels)
	start, sum, rows := t.times.Cut(t.first, t.last)
	if sum != nil {
		r.Timeline = &figures.Timeline{Start: start.UTC(), WidthSeconds: t.times.Width.Seconds(), Counts: sum}
	}
	for no, c := range t.causes {
		if c.count == 0 && c.recoveries == 0 {
			continue
		}
		view := t.view(c, k)
		if no < len(rows) {
			view.Timeline = rows[no]
		}
		r.Causes = append(r.Causes, view)
		r.Failures += c.count
		r.Cached += c.cached
		owners.addAll(c.owners, c.count, view.Owner)
		lasts.addAll(c.lasts, c.count, view.Lasts)
		rcodes.addAll(c.rcodes, c.count, cmp.Or(c.rcodes.most(), figures.Unknown))
	}
	r.ByRCode, r.ByOwner, r.ByLasts, r.BySent = rcodes.shares(), owners.shares(), lasts.shares(), t.sent.shares()
	slices.SortFunc(r.Causes, func(a, b figures.Cause) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	r.Actions = t.actions(r.Causes, k)
	r.Zones, r.Upstreams = t.topOf(t.zones, n), t.topOf(t.upstream, n)
	r.Names, r.Clients = t.topOf(t.names, n), t.topOf(t.clients, n)
	for i, name := range r.Names.Items {
		r.Names.Items[i].Zone = domain.Of(name.Key)
	}
	r.Namespaces, r.Pods = t.topOf(t.spaces, n), t.topOf(t.pods, n)
	r.Instances, r.Known = t.topOf(t.failing, n), max(t.known, uint64(len(t.met)))
	r.New = t.fresh(n)
	r.Findings = t.found(n)
	r.Log = t.log()
	return r
}

func (t *tally) view(c *causeTally, k Knowledge) figures.Cause {
	v := figures.Cause{
		Cause: c.name, Count: c.count, Cached: c.cached, First: c.first, Last: c.last, State: t.state(c),
		Codes: c.codes.shares(), At: c.at.shares(), Upstreams: c.upstream.shares(wherePlaces), Zones: c.zones.shares(wherePlaces),
		Recoveries: c.recoveries, Longest: c.longest, Instances: c.instances(),
	}
	v.Title, _ = k.advice(c)
	if _, said := c.usual(); said != nil {
		v.Text = said.text
	}
	v.Owner, v.Lasts = k.facts(c)
	return v
}

// state goes by times; without any, nobody has seen it end.
func (t *tally) state(c *causeTally) string {
	switch {
	case c.over():
		return figures.Recovered
	case !c.last.IsZero() && t.last.Sub(c.last) > lastHour:
		return figures.Quiet
	default:
		return figures.Failing
	}
}

// outstanding are all names that stand out, the most frequent first.
func (t *tally) outstanding() []figures.Item {
	var all []figures.Item
	for _, e := range t.names.top(-1) {
		if e.standsOut() {
			all = append(all, figures.Item{Key: e.key, Zone: domain.Of(e.key), Count: e.count})
		}
	}
	return all
}

func (t *tally) topOf(h *heavy, n int) figures.Top {
	top := figures.Top{Bound: h.bound(), More: len(h.entries) > n || h.cut, Items: []figures.Item{}}
	for _, e := range h.top(n) {
		if !e.standsOut() {
			top.More = true
			continue
		}
		item := figures.Item{Key: e.key, Count: e.count, Over: e.over, Cached: e.cached, First: e.first, Last: e.last}
		if no, ok := e.mix.most(e.count); ok {
			item.Mostly = t.causes[no].name
		}
		top.Items = append(top.Items, item)
	}
	return top
}

// fresh lists what began in the last hour of the log. In a log that is no
// longer than that, all would be new, which tells nothing. A key that has had
// to share its place in a table, or a line without time, may have been there
// before, and is left out.
func (t *tally) fresh(n int) []figures.New {
	since := t.last.Add(-lastHour)
	if t.first.IsZero() || !t.first.Before(since) {
		return nil
	}
	var causes, rest []figures.New
	for _, c := range t.causes {
		if !c.undated && c.first.After(since) {
			causes = append(causes, figures.New{What: "cause", Key: c.name, Since: c.first, Count: c.count})
		}
	}
	for _, table := range []struct {
		what string
		*heavy
	}{{"upstream", t.upstream}, {"zone", t.zones}} {
		for _, e := range table.top(-1) {
			if e.over == 0 && !e.undated && e.first.After(since) {
				rest = append(rest, figures.New{What: table.what, Key: e.key, Since: e.first, Count: e.count})
			}
		}
	}
	for _, list := range [][]figures.New{causes, rest} {
		slices.SortStableFunc(list, func(a, b figures.New) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
		})
	}
	all := append(causes, rest...)
	return all[:min(len(all), n)]
}

func (t *tally) found(n int) []figures.Finding {
	var all []figures.Finding
	for _, f := range t.findings {
		all = append(all, figures.Finding{Cause: f.cause, Zone: f.zone, Result: f.result, Owner: f.owner, Text: f.text, Advice: f.advice, Times: f.count, Last: f.last})
	}
	// What is not known tells the least.
	order := func(f figures.Finding) int {
		if f.Result == figures.Undecided {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b figures.Finding) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(b.Times, a.Times), b.Last.Compare(a.Last), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Result, b.Result))
	})
	return all[:min(len(all), n)]
}

func (t *tally) log() figures.Log {
	l := figures.Log{
		Lines: t.lines, Ours: t.ours, Notices: t.notices, Answers: t.answers, Singles: t.singles, Summed: t.summed,
		Unnamed: t.unnamed, Undated: t.undated, Missed: t.missed, Passed: t.passed, Filtered: t.left, Reasons: map[string]uint64{},
	}
	for reason, n := range t.bad {
		if n > 0 {
			l.Malformed += n
			l.Reasons[logline.Malformed(reason).Error()] = n
		}
	}
	return l
}

// A finding is what a diagnosis found, once for each cause, zone and result.
type finding struct {
	cause, zone, result, owner, text, advice string
	count                                    uint64
	last                                     time.Time
	// ways are those of the failures that were diagnosed, each once, as known tells.
	ways  []found.Way
	known map[found.Way]struct{}
}

func (t *tally) diagnosis(r *logline.Record) {
	result := r.Get(logline.Result)
	if string(result) == figures.Resolves {
		t.passed++
		return
	}
	zone := r.Get(logline.Zone)
	if len(zone) == 0 {
		zone = r.Get(logline.QName)
	}
	f := t.finding(string(r.Get(logline.Cause)), string(zone), string(result))
	if f == nil {
		t.missed++
		return
	}
	f.count++
	f.owner, f.text, f.advice = string(r.Get(logline.Owner)), string(r.Get(logline.Text)), string(r.Get(logline.Advice))
	timeline.Later(&f.last, r.Time)
	way := func(field logline.Field) string { return string(r.Get(field)) }
	t.about(f, found.Way{Cause: way(logline.Refines), Instance: way(logline.Instance), Server: way(logline.Server), At: way(logline.At), Upstream: way(logline.Upstream)})
}

// about remembers which failures a finding is about.
func (t *tally) about(f *finding, w found.Way) {
	if w.Instance != "" {
		w.Server = ""
	}
	if _, known := f.known[w]; known || t.subjects >= maxSubjects {
		return
	}
	t.subjects++
	f.ways = append(f.ways, w)
	f.known[w] = struct{}{}
}

// finding returns the one of that cause, zone and result, nil if there are too
// many others.
func (t *tally) finding(cause, zone, result string) *finding {
	key := cause + " " + zone + " " + result
	if f := t.findings[key]; f != nil || len(t.findings) == maxFindings {
		return f
	}
	f := &finding{cause: cause, zone: zone, result: result, known: make(map[found.Way]struct{})}
	t.findings[key] = f
	return f
}
