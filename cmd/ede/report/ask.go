package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

const (
	// mostRows is how many keys of a table a store is asked for, the most frequent.
	mostRows = 1000
	// maxGroups bounds what is few by nature: causes with their upstreams, and the
	// like.
	maxGroups = 50000
	// bucketsAsked is what a timeline has that is filled in order of time.
	bucketsAsked = timeline.Buckets / 2
)

// A question is asked of a store; its answer goes into a tally row by row. Of a
// table the store gives the most frequent keys only.
type question struct {
	what  string
	query string
	take  func(victorialogs.Row)
	table *heavy
}

// byKey puts the causes of each key together, and finds the one that most of its
// failures have.
const byKey = " | stats by (key) sum(n) as n, sum(cached) as cached, min(first) as first, max(last) as last, row_max(n, cause, n) as most"

// questions are the first of those that a report is made of. What is asked of each
// name and client is no more than how many failures it has, as there are so many.
func (t *tally) questions(s *scope) []question {
	first := fmt.Sprintf(" | sort by (n desc) limit %d", mostRows)
	most := byKey + first
	names := s.each(func(part *scope) string {
		query := part.of(sums.Queries) + ` | stats by (qname) count() as n | format "<lc:qname>" as key`
		if part.summaries != "" {
			query += " | union (" + part.summaries + sums.TopNames + " | stats by (key) sum(told) as n)"
		}
		return query
	})
	clients := s.each(func(part *scope) string {
		return part.of(sums.Queries) + " client_ip:* | stats by (client_ip) count() as n | rename client_ip as key"
	})
	again := " | stats by (key) sum(n) as n"
	all := []question{
		{what: "lines", take: t.rollLines, query: s.sum(sums.Total, "")},
		{what: "instances", take: func(r victorialogs.Row) { t.known = r.Uint("instances") }, query: s.sum(sums.Seen, " | filter key:* | stats count() as instances")},
		{what: "causes", take: t.rollQueries, query: s.sum(sums.Cause, " | sort by (n desc)")},
		{what: "summaries", take: t.rollSummaries, query: s.sum(sums.Summary, " | sort by (n desc)")},
		{what: "summaries of more", take: func(r victorialogs.Row) { t.left.Undecided += r.Uint("n") }, query: on(s.above, " | stats sum(count) as n")},
		{what: "names in summaries of more", take: t.rollAbove, query: on(s.wanted, " | stats by (cause, rcode, ede, at, upstream, zone, key) sum(told) as n, sum(share) as cached,"+
			" min(_time) as first, max(_time) as last, max(window_seconds) as window | sort by (n desc)")},
		{what: "summaries that do not tell", take: func(r victorialogs.Row) { t.left.Undecided += r.Uint("n") }, query: on(s.unclear, " | stats sum(count) as n")},
		{what: "names in summaries", take: func(r victorialogs.Row) { t.named += r.Uint("n") }, query: s.sum(sums.Told, "")},
		{what: "zones", take: t.rollZone, query: s.sum(sums.Zone, most), table: t.zones},
		{what: "zones of each cause", take: t.rollPlace, query: s.sum(sums.Zone, fmt.Sprintf(" | fields key, cause, n | rename key as zone | sort by (n desc) partition by (cause) limit %d", maxPerCause))},
		{what: "names", take: t.rollName, query: s.found.Union(names, sums.Name, " | fields key, n", "") + again + first, table: t.names},
		{what: "clients", take: func(r victorialogs.Row) { t.clients.roll(r["key"], r.Uint("n")) }, query: s.found.Union(clients, sums.Client, " | fields key, n", "") + again + first, table: t.clients},
		{what: "namespaces of clients", take: func(r victorialogs.Row) { t.rollKey(t.spaces, r) }, query: s.sum(sums.Space, most), table: t.spaces},
		{what: "Pods of clients", take: func(r victorialogs.Row) { t.rollKey(t.pods, r) }, query: s.sum(sums.Pod, most), table: t.pods},
		{what: "instances that fail", take: func(r victorialogs.Row) { t.rollKey(t.failing, r) }, query: s.sum(sums.Instance, most), table: t.failing},
		{what: "instances in summaries of more", take: func(r victorialogs.Row) { t.rollKey(t.failing, r) }, query: on(s.wanted, " | stats by (instance, cause)"+
			" sum(told) as n, sum(share) as cached, min(_time) as first, max(_time) as last | rename instance as key"+byKey)},
		{what: "recoveries", take: t.rollRecovery, query: s.sum(sums.Recovery, "")},
		{what: "causes by instance", take: t.rollStand, query: s.sum(sums.Stand, ` | filter last:* | stats by (cause) count(key) as instances, count() if (over:="" or over:lt_field(last)) as open`)},
		{what: "diagnoses", take: t.rollDiagnosis, query: s.sum(sums.Diagnosis, " | sort by (n desc)")},
	}
	return slices.DeleteFunc(all, func(q question) bool { return q.query == "" })
}

// on is a query, empty if there is nothing to ask it of.
func on(filter, pipes string) string {
	if filter == "" {
		return ""
	}
	return filter + pipes
}

// maxDetailed bounds how many keys of a table a store is asked about.
const maxDetailed = 200

// details asks what else there is to know of the names and clients that fail most.
func (t *tally) details(s *scope, n int) []question {
	describe := func(table *heavy) func(victorialogs.Row) {
		return func(r victorialogs.Row) {
			if e := table.find(r["key"]); e != nil {
				t.describe(e, r)
			}
		}
	}
	var all []question
	last := sums.PerCause + byKey
	if names := keysOf(t.names.top(min(n, maxDetailed))); len(names) > 0 {
		named := victorialogs.In("key", names)
		query := s.each(func(part *scope) string {
			query := part.queries + " qname:~" + victorialogs.Quote("(?i)^("+anyOf(names)+")$") + part.clients + " | stats by (qname, cause)" + sums.Each + ` | format "<lc:qname>" as key`
			if part.summaries != "" {
				query += " | union (" + part.summaries + sums.TopNames + " | filter " + named + " | stats by (key, cause) sum(told) as n, min(_time) as first, max(_time) as last)"
			}
			return query
		})
		all = append(all, question{what: "the names that fail most", take: describe(t.names), query: s.found.Union(query, sums.Name.Only(names), " "+named+sums.Unpack, "") + last})
	}
	if clients := keysOf(t.clients.top(min(n, maxDetailed))); len(clients) > 0 {
		query := s.each(func(part *scope) string {
			return part.queries + " " + victorialogs.In("client_ip", clients) + part.clients + " | stats by (client_ip, cause)" + sums.Each + " | rename client_ip as key"
		})
		named := " " + victorialogs.In("key", clients)
		all = append(all, question{what: "the clients that fail most", take: describe(t.clients), query: s.found.Union(query, sums.Client, named+sums.Unpack, "") + last})
	}
	if zones := t.foundIn(); len(zones) > 0 {
		in := func(field string) string {
			return " " + victorialogs.Any(below(field, zones), victorialogs.In(field, above(zones)))
		}
		query := s.each(func(part *scope) string {
			return on(part.of(sums.Failures), in("zone")+" "+victorialogs.In("cause", sums.Refinable())+sums.Ways)
		})
		all = append(all, question{what: "what diagnoses explain", take: t.rollWays,
			query: s.found.Union(query, sums.Way.Within(zones), in("key")+sums.UnpackWays, "") + sums.WaysAgain + fmt.Sprintf(" | sort by (n desc) limit %d", found.MaxZones) + sums.PackWays})
	}
	return all
}

// foundIn lists the zones of which a diagnosis tells something.
func (t *tally) foundIn() (zones []string) {
	for _, f := range t.findings {
		if !slices.Contains(zones, f.zone) {
			zones = append(zones, f.zone)
		}
	}
	slices.Sort(zones)
	return zones
}

func keysOf(entries []*entry) []string {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return keys
}

// anyOf is a regular expression for one of names.
func anyOf(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return strings.Join(quoted, "|")
}

// timeline asks for the failures by time, once it is known from when to when. Sums are too
// coarse for a short time: then lines are asked for all of it.
func (t *tally) timeline(s *scope) []question {
	if t.first.IsZero() {
		return nil
	}
	t.times.Width = bucket(t.first, t.last)
	width := int(t.times.Width / time.Second)
	if width < sums.Width {
		plain := scopeOf(&t.filter, sums.Found{})
		s = &plain
	}
	order := " | sort by (_time)"
	lines := s.each(func(part *scope) string { return part.of(sums.Queries) + sums.ByTime(width) })
	windows := s.each(func(part *scope) string { return on(part.summaries, sums.WindowsByTime(width, "count")) })
	all := []question{
		{what: "timeline", take: t.rollBucket, query: lines + order},
		{what: "timeline of summaries", take: t.rollBucket, query: on(windows, order)},
		{what: "timeline of summaries of more", take: t.rollBucket, query: on(s.wanted, sums.WindowsByTime(width, "told")+order)},
		{what: "timeline of hours", take: t.rollBucket, query: on(s.found.Rows(sums.Times), sums.TimesAgain(width)+order)},
		{what: "timeline of summaries of hours", take: t.rollBucket, query: on(s.found.Rows(sums.Windows), sums.WindowsAgain(width)+order)},
	}
	return slices.DeleteFunc(all, func(q question) bool { return q.query == "" })
}

// bucket is how wide the buckets of a timeline are that begins and ends then: as
// wide as they would have become, had it been filled from logs.
func bucket(first, last time.Time) time.Duration {
	width := time.Second
	for timeline.Bucket(last, width) >= timeline.Bucket(first, width)+bucketsAsked {
		width *= 2
	}
	return width
}

var errGroups = errors.New("the answer has more different values than a report holds: ask for less with --since, --zone or --cause")

// ask puts one question.
func (t *tally) ask(ctx context.Context, store *victorialogs.Client, q question) error {
	rows := 0
	err := store.Query(ctx, q.query, func(r victorialogs.Row) error {
		if rows++; rows > maxGroups {
			return errGroups
		}
		q.take(r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("asked for %s: %w", q.what, err)
	}
	if q.table != nil && rows == mostRows {
		q.table.cut = true
	}
	return nil
}
