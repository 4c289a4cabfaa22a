package report

import (
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// rolled is what a store has summed up about the instances of a cause: on how
// many it failed, and on how many of those no recovery came after that.
type rolled struct{ instances, open uint64 }

// rollLines takes how many lines there are of each kind, whatever they say.
func (t *tally) rollLines(r victorialogs.Row) {
	t.lines = r.Uint("lines")
	t.ours = t.lines
	t.answers = r.Uint("answers")
	known := t.answers + r.Uint("singles") + r.Uint("summaries") + r.Uint("drops") + r.Uint("recoveries") + r.Uint("diagnoses")
	t.notices = t.lines - min(t.lines, known)
	// A summary of drops has no cause, no name and no client that could be wanted.
	if n := r.Uint("dropped"); n > 0 && len(t.filter.Causes)+len(t.filter.Zones)+len(t.filter.Clients) == 0 {
		t.sent.add([]byte("dropped"), n)
	}
	t.left.Failures = r.Uint("singles") + r.Uint("summed")
}

// rollQueries takes failures with lines of their own that are alike in all that
// is few.
func (t *tally) rollQueries(r victorialogs.Row) {
	n := r.Uint("n")
	var cached uint64
	if r["cached"] == "true" {
		cached = n
	}
	c := t.rollFailures(r, n, cached)
	t.singles += n
	c.rcodes.add([]byte(r["rcode"]), n)
	c.owners.add([]byte(r["owner"]), n)
	c.lasts.add([]byte(r["lasts"]), n)
	t.sent.add([]byte(r["sent"]), n)
	said, advice := r.Row("said"), []byte(r.Row("advised")["advice"])
	if codes, first, ok := logline.Codes(r["ede"]); ok {
		c.codes.add([]byte(codes), n)
		c.rollSaying(first, n, r["rcode"], said["text"], said.Time("_time"))
		if s := c.said[first]; s != nil {
			keepLast(&s.advice, advice)
		}
	}
	keepLast(&c.advice, advice)
}

// rollSummaries takes summaries that are alike.
func (t *tally) rollSummaries(r victorialogs.Row) {
	n := r.Uint("n")
	c := t.rollFailures(r, n, r.Uint("cached"))
	t.summed += n
	if codes, first, ok := logline.Codes(r["ede"]); ok {
		// It is the incident's own: all of the window had this rcode and code.
		c.rcodes.add([]byte(r["rcode"]), n)
		c.codes.add([]byte(codes), n)
		c.rollSaying(first, n, r["rcode"], "", time.Time{})
	}
}

// rollAbove takes what summaries of many names tell of one that is wanted.
func (t *tally) rollAbove(r victorialogs.Row) {
	n := r.Uint("n")
	t.rollSummaries(r)
	t.named += n
	t.left.Undecided -= min(t.left.Undecided, n)
	no := t.cause([]byte(r["cause"]))
	// A summary does not tell of each name how much came from cache.
	t.rollName(r)
	if e := t.names.find(r["key"]); e != nil {
		e.span(r.Time("first"), r.Time("last"), n, 0, no)
	}
	if zone := r["zone"]; zone != "" && zone[0] != '(' {
		t.zones.roll(zone, n).span(r.Time("first"), r.Time("last"), n, r.Uint("cached"), no)
	}
	t.rollPlace(r)
}

// rollFailures adds what is the same, for failures with a line and without.
func (t *tally) rollFailures(r victorialogs.Row, n, cached uint64) *causeTally {
	first, last := r.Time("first"), r.Time("last")
	no := t.cause([]byte(r["cause"]))
	c := t.causes[no]
	c.count += n
	c.cached += cached
	for _, at := range []time.Time{first.Add(-seconds(r["window"])), last} {
		timeline.Widen(&c.first, &c.last, at)
		timeline.Widen(&t.first, &t.last, at)
	}
	c.at.add([]byte(r["at"]), n)
	if up := r["upstream"]; up != "" {
		t.upstream.roll(up, n).span(first, last, n, cached, no)
		c.upstream.roll(up, n)
	}
	return c
}

// rollSaying keeps what was said first.
func (c *causeTally) rollSaying(code uint16, n uint64, rcode, text string, at time.Time) {
	s := c.said[code]
	if s == nil {
		if len(c.said) == maxLabels {
			return
		}
		s = &saying{text: text, at: at}
		c.said[code] = s
	}
	s.count += n
	if rcode == "REFUSED" {
		s.refused += n
	}
	if text != "" && (s.text == "" || at.Before(s.at)) {
		s.text, s.at = text, at
	}
}

// rollKey takes the failures of one key of a table, with the cause that most of
// them have. The entry is valid until the next.
func (t *tally) rollKey(table *heavy, r victorialogs.Row) *entry {
	e := table.roll(r["key"], r.Uint("n"))
	t.describe(e, r)
	return e
}

// describe takes all but how many failures there are.
func (t *tally) describe(e *entry, r victorialogs.Row) {
	most := r.Row("most")
	e.span(r.Time("first"), r.Time("last"), most.Uint("n"), r.Uint("cached"), t.cause([]byte(most["cause"])))
}

func (t *tally) rollZone(r victorialogs.Row) {
	if zone := r["key"]; zone != "" && zone[0] != '(' {
		t.rollKey(t.zones, r)
	}
}

// rollPlace takes one of the zones that a cause has hit most.
func (t *tally) rollPlace(r victorialogs.Row) {
	if zone := r["zone"]; zone != "" && zone[0] != '(' {
		t.causes[t.cause([]byte(r["cause"]))].zones.roll(zone, r.Uint("n"))
	}
}

func (t *tally) rollName(r victorialogs.Row) { t.names.roll(r["key"], r.Uint("n")) }

// rollBucket takes the failures of one cause in one stretch of time: the lines
// that fall into it, or the summaries, some of whose windows have begun in the
// stretch before.
func (t *tally) rollBucket(r victorialogs.Row) {
	no := t.cause([]byte(r["cause"]))
	at, sum, window := r.Time("_time"), r.Uint("summed"), seconds(r["window"])
	t.times.Add(no, at, 0, r.Uint("lines"))
	if window <= t.times.Width {
		before := r.Uint("begun") / 2
		t.times.Add(no, at.Add(-1), 0, before)
		t.times.Add(no, at, 0, sum-min(sum, before))
		return
	}
	from, to := r.Time("first").Add(-window), r.Time("last")
	t.times.Add(no, to, to.Sub(from), sum)
}

func (t *tally) rollRecovery(r victorialogs.Row) {
	c := t.causes[t.cause([]byte(r["cause"]))]
	c.recoveries += r.Uint("n")
	c.longest = max(c.longest, seconds(r["longest"]).Seconds())
}

func (t *tally) rollStand(r victorialogs.Row) {
	if no, ok := t.causeNo[r["cause"]]; ok {
		t.causes[no].rolled = &rolled{r.Uint("instances"), r.Uint("open")}
	}
}

func (t *tally) rollDiagnosis(r victorialogs.Row) {
	n := r.Uint("n")
	if r["result"] == figures.Resolves {
		t.passed += n
		return
	}
	f := t.finding(r["cause"], r["zone"], r["result"])
	if f == nil {
		t.missed += n
		return
	}
	f.count += n
	said := r.Row("said")
	if at := said.Time("_time"); f.last.IsZero() || at.After(f.last) {
		f.last, f.owner, f.text, f.advice = at, said["owner"], said["text"], said["advice"]
	}
	for _, place := range r.List("places") {
		server, instance, _ := strings.Cut(place, " ")
		t.about(f, found.Way{Cause: r["refines"], Instance: instance, Server: server, At: r["at"], Upstream: r["upstream"]})
	}
}

// rollWays takes the failures in a zone that went to one upstream.
func (t *tally) rollWays(r victorialogs.Row) {
	for _, place := range r.List("places") {
		n, place, _ := strings.Cut(place, " ")
		server, instance, _ := strings.Cut(place, " ")
		t.ways.Way([]byte(r["cause"]), []byte(instance), []byte(server), []byte(r["at"]), []byte(r["upstream"])).Add([]byte(r["key"]), victorialogs.Uint(n))
	}
}

// roll adds what a store has summed up for a key. A store's tables come most
// frequent first: what does not fit any more is left out, and nil returned, where keys of a
// stream of lines have to share places.
func (h *heavy) roll(key string, n uint64) *entry {
	if len(h.entries) == cap(h.entries) && h.find(key) == nil {
		return nil
	}
	return h.add([]byte(key), n)
}

// span is see for lines that came between two times.
func (e *entry) span(first, last time.Time, n, cached uint64, cause int) {
	e.see(first, 0, 0, cause)
	e.see(last, n, cached, cause)
}

func seconds(text string) time.Duration {
	d, err := time.ParseDuration(text + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}
