package page

import (
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

func TestTheScaleEndsAtARoundNumberThatIsNotBelowTheRate(t *testing.T) {
	for rate, want := range map[float64]float64{0: 0.1, 0.1: 0.1, 0.11: 0.2, 0.2: 0.2, 0.3: 0.5, 0.6: 1, 1: 1, 1.01: 2, 9.5: 10, 10.2: 20, 4999: 5000, 123456: 200000} {
		if got := niceCeiling(rate); got < rate || got-want > 1e-9*want || want-got > 1e-9*want {
			t.Errorf("%v ends at %v, want %v", rate, got, want)
		}
	}
}

func TestBarsStandOnEachOtherInsideTheChart(t *testing.T) {
	c := chartOf(outage().table.Snapshot())
	bottoms := make(map[int]int)
	for _, s := range c.Series {
		for _, b := range s.Bars {
			bottom, ok := bottoms[b.X]
			if !ok {
				bottom = c.Height
			}
			// Rounding up to one unit may let a bar begin a unit lower.
			if gap := bottom - (b.Y + b.Height); gap < -2 || gap > 2 {
				t.Errorf("%s at %d ends at %d, the one below at %d", s.Title, b.X, b.Y+b.Height, bottom)
			}
			if b.Y < 0 || b.Height < 1 || b.X < 0 || b.X+b.Width > c.Width {
				t.Errorf("%+v is outside of the chart", b)
			}
			bottoms[b.X] = b.Y
		}
	}
	if len(bottoms) == 0 || len(c.Times) != 5 {
		t.Errorf("%d bars, %d times", len(bottoms), len(c.Times))
	}
}

func TestMoreCausesThanColoursAreDrawnTogether(t *testing.T) {
	s := newStage()
	for i, c := range cause.All() {
		for range 40 - min(i, 39) {
			s.fail(query{cause: c.ID, name: "www.example.org.", at: "forward"})
		}
	}
	c := chartOf(s.table.Snapshot())
	if len(c.Series) != seriesShown+1 {
		t.Fatalf("%d series", len(c.Series))
	}
	if rest := c.Series[seriesShown]; rest.Cause != "" || rest.Class != "c7" || rest.Title != "all other causes" {
		t.Errorf("the rest is %s %s %q", rest.Class, rest.Cause, rest.Title)
	}
	total, classes := uint64(0), make(map[string]bool)
	for _, one := range c.Series {
		total += one.Total
		classes[one.Class] = true
	}
	if len(classes) != len(c.Series) {
		t.Errorf("%d colours for %d series", len(classes), len(c.Series))
	}
	if shown := s.table.Snapshot(); total != shown.Failures {
		t.Errorf("%d are drawn, %d failed", total, shown.Failures)
	}
}

func TestTheBucketThatHasNotEndedIsNoRecovery(t *testing.T) {
	s := newStage()
	for range 70 {
		s.fail(query{cause: "upstream_timeout", name: "www.example.org.", at: "forward"})
		s.wait(time.Second / 2)
	}
	bars := chartOf(s.table.Snapshot()).Series[0].Bars
	if full, last := bars[len(bars)-2], bars[len(bars)-1]; full.Height != last.Height || last.X != (incident.RateBuckets-1)*barWidth {
		t.Errorf("the same rate is drawn %d and then %d high", full.Height, last.Height)
	}
}

func TestNumbersAndTimesAreForPeople(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1\u00a0000", 1234567: "1\u00a0234\u00a0567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 40 * time.Millisecond: "40 ms", 2040 * time.Millisecond: "2 s", 4500 * time.Millisecond: "4.5 s",
		12 * time.Second: "12 s", 60 * time.Second: "1 min", 70 * time.Second: "1 min 10 s", 100 * time.Second: "1 min 40 s", 59 * time.Minute: "59 min",
		90 * time.Minute: "1 h 30 min", 72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
