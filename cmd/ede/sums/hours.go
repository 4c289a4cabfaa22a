package sums

import (
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

// Hours looks for the whole hours between since and until, where zero leaves an end open, that
// the store has lines of ede for, and for the sums of these. Sums of lines that came later
// than the sums, and sums some of whose rows are gone, are as none.
func Hours(ctx context.Context, c *victorialogs.Client, since, until time.Time) ([]Hour, error) {
	type sum struct {
		roll  string
		lines uint64
	}
	rolls := make(map[time.Time][]sum)
	early := since
	if !since.IsZero() {
		early = since.Add(-Width * time.Second)
	}
	rows := victorialogs.All(`{plugin="`+plugin+`"}`, victorialogs.Between(early, until))
	err := c.Query(ctx, rows+" | stats by (roll) count() as have, max(rows) as want, max(hour) as hour, max(lines) as lines", func(r victorialogs.Row) error {
		if start := r.Time("hour"); !start.IsZero() && r.Uint("have") == r.Uint("want") {
			rolls[start] = append(rolls[start], sum{r["roll"], r.Uint("lines")})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var hours []Hour
	err = c.Query(ctx, of(Lines, victorialogs.Between(since, until))+" | stats by (_time:1h) count() as lines", func(r victorialogs.Row) error {
		h := Hour{Start: r.Time("_time"), Lines: r.Uint("lines")}
		if h.Start.Before(since) || !until.IsZero() && h.End().After(until) {
			return nil
		}
		for _, s := range rolls[h.Start] {
			if s.lines == h.Lines {
				h.Roll = s.roll
			}
		}
		hours = append(hours, h)
		return nil
	})
	slices.SortFunc(hours, func(a, b Hour) int { return a.Start.Compare(b.Start) })
	return hours, err
}

// Found are the hours whose sums stand for their lines.
type Found struct{ hours []Hour }

// Find looks for the sums of a time.
func Find(ctx context.Context, c *victorialogs.Client, since, until time.Time) (Found, error) {
	hours, err := Hours(ctx, c, since, until)
	return Found{slices.DeleteFunc(hours, func(h Hour) bool { return h.Roll == "" })}, err
}

// Rest is a filter for the time between since and until that no sums stand for.
func (f Found) Rest(since, until time.Time) string {
	if len(f.hours) == 0 {
		return victorialogs.Between(since, until)
	}
	var parts []string
	for _, h := range f.hours {
		if since.IsZero() || since.Before(h.Start) {
			parts = append(parts, victorialogs.All(victorialogs.Between(since, h.Start)))
		}
		since = h.End()
	}
	if until.IsZero() || since.Before(until) {
		parts = append(parts, victorialogs.All(victorialogs.Between(since, until)))
	}
	if len(parts) == 0 {
		// All are summed up: nothing is left to read.
		return victorialogs.Between(until, until)
	}
	return victorialogs.Any(parts...)
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
	return victorialogs.All(`{plugin="`+plugin+`",table="`+t.Name+`"}`, victorialogs.Between(first.Add(-Width*time.Second), last),
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
