package report

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

const (
	// mostRows is how many keys of a table a store is asked for, the most frequent.
	mostRows = 1000
	// maxGroups bounds what is few by nature: causes with their upstreams, and the
	// like.
	maxGroups = 50000
	// bucketsAsked is what a timeline has that is filled in order of time.
	bucketsAsked = timelineBuckets / 2
)

// A question is asked of a store; its answer goes into a tally row by row. Of a
// table the store gives the most frequent keys only.
type question struct {
	what  string
	query string
	take  func(victorialogs.Row)
	table *heavy
}

// count sums up failures, with lines of their own and in summaries: a line with a
// count stands for so many, one without for one.
const count = ` count() as lines, count(count) as told, sum(count) as summed, count() if (cached:="true") as hits, sum(cached_count) as sums,` +
	` min(_time) as first, max(_time) as last` +
	` | math lines - told + (summed default 0) as n, hits + (sums default 0) as cached`

// byKey puts the causes of each key together, and finds the one that most of its
// failures have.
const byKey = " | stats by (key) sum(n) as n, sum(cached) as cached, min(first) as first, max(last) as last, row_max(n, cause, n) as most"

// topNames takes apart the names in summaries, "www.example.org.:180 ...".
const topNames = ` top:* | split " " from top as pair | unroll (pair) | extract_regexp "^(?P<key>.+):(?P<told>[0-9]+)$" from pair`

// questions are the first of those that a report is made of. What is asked of each
// name and client is no more than how many failures it has, as there are so many.
func (t *tally) questions(s *scope) []question {
	first := fmt.Sprintf(" | sort by (n desc) limit %d", mostRows)
	table := func(field string) string {
		return " " + field + ":* | stats by (" + field + ", cause)" + count + " | rename " + field + " as key" + byKey + first
	}
	names := s.queries + s.clients + ` | stats by (qname) count() as n | format "<lc:qname>" as key`
	if s.summaries != "" {
		names += " | union (" + s.summaries + topNames + " | stats by (key) sum(told) as n)"
	}
	names += " | stats by (key) sum(n) as n" + first
	all := []question{
		{what: "lines", take: t.rollLines, query: s.all + " | stats count() as lines, count() if (" + isQuery + ") as singles, count() if " + isSummary + " as summaries," +
			" count() if (" + isRecovery + ") as recoveries, count() if (" + isDiagnosis + ") as diagnoses, count() if " + isAnswer + " as answers, sum(count) if " + isSummary + " as summed"},
		{what: "instances", take: func(r victorialogs.Row) { t.known = r.Uint("instances") },
			query: victorialogs.Any(s.instances, s.all) + " | stats count_uniq(instance) as instances"},
		{what: "causes", take: t.rollQueries, query: s.queries + s.clients + " | stats by (cause, rcode, owner, lasts, ede, at, upstream, cached, sent)" +
			" count() as n, min(_time) as first, max(_time) as last, row_min(_time, _time, text) as said, row_max(_time, advice) if (advice:*) as advised | sort by (n desc)"},
		{what: "summaries", take: t.rollSummaries, query: on(s.summaries, " | stats by (cause, at, upstream) sum(count) as n, sum(cached_count) as cached,"+
			" min(_time) as first, max(_time) as last, max(window_seconds) as window | sort by (n desc)")},
		{what: "summaries of more", take: func(r victorialogs.Row) { t.left.Undecided += r.Uint("n") }, query: on(s.above, " | stats sum(count) as n")},
		{what: "names in summaries of more", take: t.rollAbove, query: on(s.wanted, " | stats by (cause, at, upstream, zone, key) sum(told) as n, sum(share) as cached,"+
			" min(_time) as first, max(_time) as last, max(window_seconds) as window | sort by (n desc)")},
		{what: "summaries that do not tell", take: func(r victorialogs.Row) { t.left.Undecided += r.Uint("n") }, query: on(s.unclear, " | stats sum(count) as n")},
		{what: "names in summaries", take: func(r victorialogs.Row) { t.named += r.Uint("n") }, query: on(s.summaries, topNames+" | stats sum(told) as n")},
		{what: "zones", take: t.rollZone, query: s.failures(table("zone")), table: t.zones},
		{what: "zones of each cause", take: t.rollPlace, query: s.failures(fmt.Sprintf(" zone:* | stats by (zone, cause) count() as lines, count(count) as told, sum(count) as summed"+
			" | math lines - told + (summed default 0) as n | sort by (n desc) partition by (cause) limit %d", maxPerCause))},
		{what: "names", take: t.rollName, query: names, table: t.names},
		{what: "clients", take: func(r victorialogs.Row) { t.clients.roll(r["key"], r.Uint("n")) }, query: s.queries + s.clients +
			" client_ip:* | stats by (client_ip) count() as n | rename client_ip as key" + first, table: t.clients},
		{what: "namespaces of clients", take: func(r victorialogs.Row) { t.rollKey(t.spaces, r) }, query: s.queries + s.clients +
			" client_namespace:* | stats by (client_namespace, cause)" + count + " | rename client_namespace as key" + byKey + first, table: t.spaces},
		{what: "Pods of clients", take: func(r victorialogs.Row) { t.rollKey(t.pods, r) }, query: s.queries + s.clients +
			` client_namespace:* | stats by (client_namespace, client_pod, cause)` + count + ` | format "<client_namespace>/<client_pod>" as key` + byKey + first, table: t.pods},
		{what: "instances that fail", take: func(r victorialogs.Row) { t.rollKey(t.failing, r) }, query: s.failures(table("instance")), table: t.failing},
		{what: "instances in summaries of more", take: func(r victorialogs.Row) { t.rollKey(t.failing, r) }, query: on(s.wanted, " | stats by (instance, cause)"+
			" sum(told) as n, sum(share) as cached, min(_time) as first, max(_time) as last | rename instance as key"+byKey)},
		{what: "recoveries", take: t.rollRecovery, query: on(s.recovered, " | stats by (cause) count() as n, max(after_seconds) as longest")},
		{what: "causes by instance", take: t.rollStand, query: s.failures("", s.recovered, s.holding) + " | stats by (cause, instance) max(_time) if (" + isQuery + " or " + isSummary + ") as last," +
			" max(_time) if (" + isRecovery + ") as over | filter last:* | stats by (cause) count(instance) as instances, count() if (over:=\"\" or over:lt_field(last)) as open"},
		{what: "diagnoses", take: t.rollDiagnosis, query: on(s.diagnoses, " | stats by (cause, zone, result) count() as n, row_max(_time, _time, owner, text, advice, qname) as said | sort by (n desc)")},
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
	each := ` count() as n, count() if (cached:="true") as cached, min(_time) as first, max(_time) as last`
	describe := func(table *heavy) func(victorialogs.Row) {
		return func(r victorialogs.Row) {
			if e := table.index[r["key"]]; e != nil {
				t.describe(e, r)
			}
		}
	}
	var all []question
	if names := keysOf(t.names.top(min(n, maxDetailed))); len(names) > 0 {
		query := s.queries + " qname:~" + victorialogs.Quote("(?i)^("+anyOf(names)+")$") + s.clients + " | stats by (qname, cause)" + each + ` | format "<lc:qname>" as key`
		if s.summaries != "" {
			query += " | union (" + s.summaries + topNames + " | filter " + victorialogs.In("key", names) + " | stats by (key, cause) sum(told) as n, min(_time) as first, max(_time) as last)"
		}
		all = append(all, question{what: "the names that fail most", take: describe(t.names), query: query +
			" | stats by (key, cause) sum(n) as n, sum(cached) as cached, min(first) as first, max(last) as last" + byKey})
	}
	if clients := keysOf(t.clients.top(min(n, maxDetailed))); len(clients) > 0 {
		all = append(all, question{what: "the clients that fail most", take: describe(t.clients), query: s.queries + " " + victorialogs.In("client_ip", clients) + s.clients +
			" | stats by (client_ip, cause)" + each + " | rename client_ip as key" + byKey})
	}
	return all
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

// timeline asks for the failures by time, once it is known from when to when.
func (t *tally) timeline(s *scope) []question {
	if t.first.IsZero() {
		return nil
	}
	t.times.width = bucket(t.first, t.last)
	by := fmt.Sprintf(" | stats by (_time:%.0fs, cause)", t.times.width.Seconds())
	summaries := func(field string) string {
		return fmt.Sprintf(" | math _time %% %d as into, window_seconds * 1000000000 as covers", t.times.width) + by + " sum(" + field + ") as summed," +
			" sum(" + field + ") if (into:lt_field(covers)) as begun, min(_time) as first, max(_time) as last, max(window_seconds) as window | sort by (_time)"
	}
	all := []question{
		{what: "timeline", take: t.rollBucket, query: s.queries + s.clients + by + " count() as lines | sort by (_time)"},
		{what: "timeline of summaries", take: t.rollBucket, query: on(s.summaries, summaries("count"))},
		{what: "timeline of summaries of more", take: t.rollBucket, query: on(s.wanted, summaries("told"))},
	}
	return slices.DeleteFunc(all, func(q question) bool { return q.query == "" })
}

// bucket is how wide the buckets of a timeline are that begins and ends then: as
// wide as they would have become, had it been filled from logs.
func bucket(first, last time.Time) time.Duration {
	width := time.Second
	for floorDiv(last.UnixNano(), int64(width)) >= floorDiv(first.UnixNano(), int64(width))+bucketsAsked {
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
		return fmt.Errorf("%s: %w", q.what, err)
	}
	if q.table != nil && rows == mostRows {
		q.table.cut = true
	}
	return nil
}
