package timeline

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func total(counts []uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func TestTimelineLosesNothingHoweverLongTheLogAndInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, span := range []time.Duration{time.Second, time.Hour, 24 * time.Hour, 20 * 365 * 24 * time.Hour} {
		tl := New()
		var want uint64
		first, last := noon, noon
		for range 500 {
			at := noon.Add(time.Duration(rng.Int64N(int64(2*span))) - span)
			n := rng.Uint64N(100)
			window := time.Duration(rng.Int64N(int64(20 * time.Second)))
			tl.Add(rng.IntN(3), at, window, n)
			want += n
			Earlier(&first, at.Add(-window))
			Later(&last, at)
		}
		_, sum, rows := tl.Cut(first, last)
		if total(sum) != want {
			t.Errorf("span %v: %d of %d are left", span, total(sum), want)
		}
		if len(sum) > Buckets || len(rows) != 3 || len(sum) < 2 {
			t.Errorf("span %v: %d buckets, %d rows", span, len(sum), len(rows))
		}
	}
}

func TestTimelineKeepsTheTimeOfWhatItCountedWhenItsBucketsDouble(t *testing.T) {
	tl := New()
	tl.Add(0, noon, 0, 5)
	tl.Add(0, noon.Add(3*time.Hour), 0, 7)
	start, sum, _ := tl.Cut(noon, noon.Add(3*time.Hour))
	if noon.Before(start) || noon.Sub(start) >= tl.Width || sum[0] != 5 || sum[len(sum)-1] != 7 {
		t.Errorf("start %v width %v counts %v", start, tl.Width, sum)
	}
}

func TestSummaryIsSpreadOverItsWindow(t *testing.T) {
	tl := New()
	tl.Add(0, noon.Add(10*time.Second), 10*time.Second, 25)
	_, sum, _ := tl.Cut(noon, noon.Add(9*time.Second))
	if want := []uint64{3, 2, 3, 2, 3, 2, 3, 2, 3, 2}; !slices.Equal(sum, want) {
		t.Errorf("got %v, want %v", sum, want)
	}
}

func TestTimelineWithoutTimesIsNone(t *testing.T) {
	tl := New()
	tl.Add(0, time.Time{}, 0, 5)
	if _, sum, _ := tl.Cut(time.Time{}, time.Time{}); sum != nil {
		t.Errorf("got %v", sum)
	}
}
