package sums

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// maxRows bounds a table of an hour: above it the lines themselves are as good.
const maxRows = 100_000

// Errors of an hour that is left as it is.
var (
	ErrMany  = fmt.Errorf("a table of it has more than %d rows: its lines stay what is read", maxRows)
	ErrMoved = errors.New("lines came while it was summed up")
)

// streams are the stream fields of sums: what a question reads has blocks of its own.
var streams = []string{"plugin", "table", "roll"}

// Roll sums up an hour from one store into another, which is the same but for a cluster, and
// returns how many rows it has made. An hour that is cut short leaves rows that nobody reads.
func Roll(ctx context.Context, from, to *victorialogs.Client, h Hour) (rows int, err error) {
	when := victorialogs.Between(h.Start, h.Start.Add(time.Hour))
	common := map[string]string{"plugin": plugin, "roll": h.Start.UTC().Format("2006-01-02T15-") + rand.Text()[:10]}
	at := h.Start.UTC().Format(time.RFC3339Nano)
	for _, t := range kept {
		n, query := 0, of(t.Of, when)+t.Make
		if t.Also != "" {
			query += of(Summaries, when) + t.Also
		}
		err := to.Insert(ctx, streams, func(add func(victorialogs.Row) error) error {
			return from.Query(ctx, query, func(r victorialogs.Row) error {
				if n++; n > maxRows {
					return ErrMany
				}
				if r["_time"] == "" {
					r["_time"] = at
				}
				maps.Copy(r, common)
				r["table"], r["_msg"] = t.Name, t.Name
				if t.Parted {
					r["table"] += partOf(r["key"])
				}
				return add(r)
			})
		})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", t.Name, err)
		}
		rows += n
	}
	moved := true
	err = from.Query(ctx, of(Lines, when)+" | stats count() as lines", func(r victorialogs.Row) error {
		moved = r.Uint("lines") != h.Lines
		return nil
	})
	if err == nil && moved {
		err = ErrMoved
	}
	if err != nil {
		return 0, err
	}
	rows++
	last := victorialogs.Row{"_time": at, "_msg": whole, "table": whole, "shape": shape, "hour": at,
		"rows": strconv.Itoa(rows), "lines": strconv.FormatUint(h.Lines, 10)}
	maps.Copy(last, common)
	return rows, to.Insert(ctx, streams, func(add func(victorialogs.Row) error) error { return add(last) })
}
