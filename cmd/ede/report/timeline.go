package report

import "time"

// timelineBuckets is the fixed length of every timeline: enough for a wide
// terminal, and few enough for one per cause.
const timelineBuckets = 512

// timeline counts by time and cause in fixed memory. Its buckets start out a
// second wide, and double whenever the log turns out to be longer.
type timeline struct {
	width time.Duration
	start int64 // of bucket 0, in widths since 1970
	empty bool
	rows  [][]uint64 // by cause
}

func newTimeline() *timeline { return &timeline{width: time.Second, empty: true} }

// add counts n failures spread evenly over the window that ends at the given
// time: a summary tells of its whole window, and drawn as one peak at the end
// would make a comb of a steady failure.
func (t *timeline) add(cause int, at time.Time, window time.Duration, n uint64) {
	if at.IsZero() || n == 0 {
		return
	}
	from := at
	if window > 0 {
		// The window's end belongs to the next one.
		from, at = at.Add(-window), at.Add(-1)
	}
	first, last := t.bucket(from), t.bucket(at)
	for first != t.bucket(from) { // a bucket made for the end may have moved the start
		first, last = t.bucket(from), t.bucket(at)
	}
	for len(t.rows) <= cause {
		t.rows = append(t.rows, make([]uint64, timelineBuckets))
	}
	row, spread := t.rows[cause], uint64(last-first+1)
	for i := first; i <= last; i++ {
		row[i] += n / spread
	}
	for i := range n % spread {
		row[first+int(i*spread/(n%spread))]++
	}
}

// bucket returns the index for a time, after making room for it.
func (t *timeline) bucket(at time.Time) int {
	k := floorDiv(at.UnixNano(), int64(t.width))
	if t.empty {
		t.start, t.empty = k-timelineBuckets/2, false
	}
	for k < t.start || k >= t.start+timelineBuckets {
		t.double()
		k = floorDiv(at.UnixNano(), int64(t.width))
	}
	return int(k - t.start)
}

// double halves the resolution about the middle, so that the timeline grows to
// both sides: lines of several files need not be in order.
func (t *timeline) double() {
	even := t.start &^ 1
	shift := int(t.start - even)
	for c, old := range t.rows {
		row := make([]uint64, timelineBuckets)
		for i, n := range old {
			row[timelineBuckets/4+(i+shift)/2] += n
		}
		t.rows[c] = row
	}
	t.width *= 2
	t.start = even/2 - timelineBuckets/4
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

// cut returns the buckets that a span of time touches, as one row per cause
// and their sum, with the time at which the first of them starts.
func (t *timeline) cut(first, last time.Time) (start time.Time, sum []uint64, rows [][]uint64) {
	if t.empty || first.IsZero() {
		return time.Time{}, nil, nil
	}
	clamp := func(k int64) int { return int(min(max(k-t.start, 0), timelineBuckets-1)) }
	lo := clamp(floorDiv(first.UnixNano(), int64(t.width)))
	hi := clamp(floorDiv(last.UnixNano(), int64(t.width)))
	sum = make([]uint64, hi-lo+1)
	for _, row := range t.rows {
		rows = append(rows, row[lo:hi+1])
		for i, n := range row[lo : hi+1] {
			sum[i] += n
		}
	}
	return time.Unix(0, (t.start+int64(lo))*int64(t.width)), sum, rows
}

// widen stretches a span of time to hold at; a zero time is no time.
func widen(first, last, at time.Time) (time.Time, time.Time) {
	if at.IsZero() {
		return first, last
	}
	if first.IsZero() || at.Before(first) {
		first = at
	}
	if at.After(last) {
		last = at
	}
	return first, last
}
