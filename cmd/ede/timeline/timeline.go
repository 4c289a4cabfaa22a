// Package timeline counts failures by time and cause.
package timeline

import "time"

// Buckets is the fixed length of every timeline: enough for a wide
// terminal, and few enough for one per cause.
const Buckets = 512

// A Timeline counts by time and cause in fixed memory. Its buckets start out a
// second wide, and double whenever the log turns out to be longer.
type Timeline struct {
	Width time.Duration // of a bucket
	start int64         // of bucket 0, in widths since 1970
	empty bool
	rows  [][]uint64 // by cause
}

// New returns a timeline of which nothing is counted.
func New() *Timeline { return &Timeline{Width: time.Second, empty: true} }

// Add counts n failures spread evenly over the window that ends at the given
// time: a summary tells of its whole window, and drawn as one peak at the end
// would make a comb of a steady failure.
func (t *Timeline) Add(cause int, at time.Time, window time.Duration, n uint64) {
	if at.IsZero() || n == 0 {
		return
	}
	if window <= 0 {
		last := t.bucket(at)
		t.row(cause)[last] += n
		return
	}
	// The window's end belongs to the next one.
	from, at := at.Add(-window), at.Add(-1)
	first, last := t.bucket(from), t.bucket(at)
	for first != t.bucket(from) { // a bucket made for the end may have moved the start
		first, last = t.bucket(from), t.bucket(at)
	}
	row, spread := t.row(cause), uint64(last-first+1)
	for i := first; i <= last; i++ {
		row[i] += n / spread
	}
	for i := range n % spread {
		row[first+int(i*spread/(n%spread))]++
	}
}

// row has the counts of a cause.
func (t *Timeline) row(cause int) []uint64 {
	for len(t.rows) <= cause {
		t.rows = append(t.rows, make([]uint64, Buckets))
	}
	return t.rows[cause]
}

// bucket returns the index for a time, after making room for it.
func (t *Timeline) bucket(at time.Time) int {
	k := Bucket(at, t.Width)
	if t.empty {
		t.start, t.empty = k-Buckets/2, false
	}
	for k < t.start || k >= t.start+Buckets {
		t.double()
		k = Bucket(at, t.Width)
	}
	return int(k - t.start)
}

// double halves the resolution about the middle, so that the timeline grows to
// both sides: lines of several files need not be in order.
func (t *Timeline) double() {
	even := t.start &^ 1
	shift := int(t.start - even)
	for c, old := range t.rows {
		row := make([]uint64, Buckets)
		for i, n := range old {
			row[Buckets/4+(i+shift)/2] += n
		}
		t.rows[c] = row
	}
	t.Width *= 2
	t.start = even/2 - Buckets/4
}

// Bucket is the number of the bucket of that width that a time falls into, 0 for that of 1970.
func Bucket(at time.Time, width time.Duration) int64 { return floorDiv(at.UnixNano(), int64(width)) }

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

// Cut returns the buckets that a span of time touches, as one row per cause
// and their sum, with the time at which the first of them starts.
func (t *Timeline) Cut(first, last time.Time) (start time.Time, sum []uint64, rows [][]uint64) {
	if t.empty || first.IsZero() {
		return time.Time{}, nil, nil
	}
	clamp := func(k int64) int { return int(min(max(k-t.start, 0), Buckets-1)) }
	lo := clamp(Bucket(first, t.Width))
	hi := clamp(Bucket(last, t.Width))
	sum = make([]uint64, hi-lo+1)
	for _, row := range t.rows {
		rows = append(rows, row[lo:hi+1])
		for i, n := range row[lo : hi+1] {
			sum[i] += n
		}
	}
	return time.Unix(0, (t.start+int64(lo))*int64(t.Width)), sum, rows
}

// Widen stretches a span of time to hold at; a zero time is no time.
func Widen(first, last *time.Time, at time.Time) {
	Earlier(first, at)
	Later(last, at)
}

// Earlier puts at in place of first if it was before it; a zero time is no time.
func Earlier(first *time.Time, at time.Time) {
	if !at.IsZero() && (first.IsZero() || at.Before(*first)) {
		*first = at
	}
}

// Later puts at in place of last if it was after it; a zero time is no time.
func Later(last *time.Time, at time.Time) {
	if at.After(*last) {
		*last = at
	}
}
