package sums

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

const (
	// plugin is what rows of sums have in place of "ede".
	plugin = "ede_hourly"
	// whole is the table whose one row is written when all others are.
	whole = "whole"
	// shape is the version of the tables: sums of another version are as none.
	shape = "2"
)

// An Hour is one hour of the store.
type Hour struct {
	Start time.Time
	Lines uint64
	// Roll names the rows of its sums, empty if there are none that are whole and of
	// these very lines.
	Roll string
}

// End is when the next hour begins.
func (h Hour) End() time.Time { return h.Start.Add(time.Hour) }

// within reports whether all of the hour is between since and until, where zero leaves an
// end open.
func (h Hour) within(since, until time.Time) bool {
	return !h.Start.Before(since) && (until.IsZero() || !h.End().After(until))
}

// rolled looks for sums all of whose rows are there, those of the most lines first: what
// was summed up again had got more of them.
func rolled(ctx context.Context, c *victorialogs.Client, since, until time.Time) (map[time.Time][]Hour, error) {
	all := make(map[time.Time][]Hour)
	if !since.IsZero() {
		since = since.Add(-Width * time.Second)
	}
	rows := victorialogs.All(`{plugin="`+plugin+`"}`, victorialogs.Between(since, until))
	err := c.Query(ctx, rows+" | stats by (roll) count() as have, max(rows) as want, max(hour) as hour, max(lines) as lines, max(shape) as shape", func(r victorialogs.Row) error {
		if start := r.Time("hour"); !start.IsZero() && r.Uint("have") == r.Uint("want") && r["shape"] == shape {
			all[start] = append(all[start], Hour{Start: start, Lines: r.Uint("lines"), Roll: r["roll"]})
		}
		return nil
	})
	for _, of := range all {
		slices.SortFunc(of, func(a, b Hour) int { return cmp.Compare(b.Lines, a.Lines) })
	}
	return all, err
}

// Hours are the whole hours between since and until that the store has lines of ede for,
// with the sums of these. Sums of lines that came later than the sums, sums some of whose
// rows are gone, and sums of another version are as none.
func Hours(ctx context.Context, c *victorialogs.Client, since, until time.Time) ([]Hour, error) {
	sums, err := rolled(ctx, c, since, until)
	if err != nil {
		return nil, err
	}
	var hours []Hour
	err = c.Query(ctx, of(Lines, victorialogs.Between(since, until))+" | stats by (_time:1h) count() as lines", func(r victorialogs.Row) error {
		h := Hour{Start: r.Time("_time"), Lines: r.Uint("lines")}
		for _, sum := range sums[h.Start] {
			if sum.Lines == h.Lines {
				h.Roll = sum.Roll
			}
		}
		if h.within(since, until) {
			hours = append(hours, h)
		}
		return nil
	})
	sortByTime(hours)
	return hours, err
}

func sortByTime(hours []Hour) {
	slices.SortFunc(hours, func(a, b Hour) int { return a.Start.Compare(b.Start) })
}

// Found are the hours whose sums stand for their lines.
type Found struct{ hours []Hour }

// Find looks for the sums of a time. To count the lines of all these hours takes the store
// far less than to count those of each, which is done if they are not as many as they were.
func Find(ctx context.Context, c *victorialogs.Client, since, until time.Time) (Found, error) {
	sums, err := rolled(ctx, c, since, until)
	if err != nil {
		return Found{}, err
	}
	var f Found
	var were, are uint64
	for _, hour := range sums {
		if hour[0].within(since, until) {
			f.hours = append(f.hours, hour[0])
			were += hour[0].Lines
		}
	}
	if len(f.hours) == 0 {
		return f, nil
	}
	sortByTime(f.hours)
	err = c.Query(ctx, of(Lines, f.spans())+" | stats count() as lines", func(r victorialogs.Row) error {
		are = r.Uint("lines")
		return nil
	})
	if err != nil || are == were {
		return f, err
	}
	hours, err := Hours(ctx, c, since, until)
	return Found{slices.DeleteFunc(hours, func(h Hour) bool { return h.Roll == "" })}, err
}

// spans is a filter for the time of the hours.
func (f Found) spans() string {
	var parts []string
	for i := 0; i < len(f.hours); i++ {
		first := f.hours[i]
		for i+1 < len(f.hours) && f.hours[i+1].Start.Equal(f.hours[i].End()) {
			i++
		}
		parts = append(parts, victorialogs.Between(first.Start, f.hours[i].End()))
	}
	return victorialogs.Any(parts...)
}

// mostParts bounds the filters of Rest.
const mostParts = 4

// Rest are filters for the time between since and until that no sums stand for, at least
// one. A store leaves out at once what lies outside a single stretch of time, but reads the
// head of each block for several, which is why they are apart.
func (f Found) Rest(since, until time.Time) []string {
	if len(f.hours) == 0 {
		return []string{victorialogs.Between(since, until)}
	}
	var parts []string
	for _, h := range f.hours {
		if since.IsZero() || since.Before(h.Start) {
			parts = append(parts, victorialogs.Between(since, h.Start))
		}
		since = h.End()
	}
	if until.IsZero() || since.Before(until) {
		parts = append(parts, victorialogs.Between(since, until))
	}
	switch {
	case len(parts) == 0: // all are summed up
		return []string{victorialogs.Between(until, until)}
	case len(parts) > mostParts:
		return []string{victorialogs.Any(parts...)}
	}
	return parts
}

// Rows is a query for the rows of a table, empty if there are none.
func (f Found) Rows(t Table) string {
	if len(f.hours) == 0 {
		return ""
	}
	rolls := make([]string, len(f.hours))
	for i, h := range f.hours {
		rolls[i] = h.Roll
	}
	first, last := f.hours[0].Start, f.hours[len(f.hours)-1].End()
	return victorialogs.All(t.streams(), victorialogs.Between(first.Add(-Width*time.Second), last),
		"roll:in("+strings.Join(rolls, ",")+")")
}

// Union adds the rows of a table to a query for the lines that no sums stand for, and
// sums up both with again.
func (f Found) Union(query string, t Table, pipes, again string) string {
	rows := f.Rows(t)
	if rows == "" || query == "" {
		return query
	}
	return query + " | union (" + rows + pipes + ")" + again
}
