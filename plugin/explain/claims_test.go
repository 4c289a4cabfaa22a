package explain

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// listening is a hearsay with a clock and a count of good answers of its own.
type listening struct {
	hearsay
	now   time.Time
	good  uint64
	reads int
}

func (l *listening) answered() uint64 { l.reads++; return l.good }

func (l *listening) tells(kind cause.Hearsay, name string) cause.Weight {
	return l.weigh(l.now, "192.0.2.53:53", kind, name, true, l.answered)
}

func newListening() *listening { return &listening{now: time.Unix(1764424800, 0), good: 4711} }

func TestOneZoneIsNoProof(t *testing.T) {
	l := newListening()
	for _, name := range []string{"www.example.org.", "example.org.", "mail.example.org.", `1\..example.org.`, `2\..example.org.`} {
		if w := l.tells(cause.OfReach, name); w.Itself() || w.Zones != 1 {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if w := l.tells(cause.OfDNSSEC, "www.example.net."); w.Itself() || w.Zones != 1 {
		t.Errorf("another kind of word: %+v", w)
	}
	if w := l.weigh(l.now, "192.0.2.54:53", cause.OfReach, "www.example.net.", true, l.answered); w.Itself() || w.Zones != 1 {
		t.Errorf("another upstream: %+v", w)
	}
}

// tellsOfMany tells of as many unrelated zones as convince, and returns the last weight.
func (l *listening) tellsOfMany() (w cause.Weight) {
	for i := range 5 {
		w = l.tells(cause.OfReach, fmt.Sprintf("www.example%d.org.", i))
	}
	return w
}

func TestUnrelatedZonesAreProofOnlyIfNothingElseIsAnswered(t *testing.T) {
	l := newListening()
	if w := l.tellsOfMany(); w.Itself() || w.Zones != 5 {
		t.Errorf("all at once: %+v", w)
	}
	l.now = l.now.Add(longEnough)
	if w := l.tells(cause.OfReach, "www.example1.org."); !w.Itself() || w.Zones != 5 {
		t.Errorf("nothing else is answered: %+v", w)
	}
	l.good++
	l.now = l.now.Add(afresh)
	if w := l.tells(cause.OfReach, "www.example1.org."); w.Itself() || w.Zones != 5 {
		t.Errorf("others are answered: %+v", w)
	}
}

// On a quiet server two broken zones in a row are no proof against who says so.
func TestFewZonesAreNoProof(t *testing.T) {
	l := newListening()
	l.tells(cause.OfReach, "www.example.org.")
	if w := l.tells(cause.OfReach, "www.example.net."); w.Itself() || w.Zones != 2 {
		t.Errorf("%+v", w)
	}
	if w := l.tells(cause.OfReach, "."); w.Itself() || w.Top != "." {
		t.Errorf("with the root: %+v", w)
	}
}

func TestAnAnswerBetweenZonesIsSeenAtOnce(t *testing.T) {
	l := newListening()
	l.tells(cause.OfReach, "www.example.org.")
	l.good++
	if w := l.tellsOfMany(); w.Itself() {
		t.Errorf("one was answered: %+v", w)
	}
}

// One that answers others is not convicted by a top-level domain that it cannot reach.
func TestATopLevelDomainIsNoProofWhereOthersAreAnswered(t *testing.T) {
	l := newListening()
	l.tells(cause.OfReach, "org.")
	l.good++
	l.now = l.now.Add(afresh)
	if w := l.tellsOfMany(); w.Itself() || w.Top != "org." {
		t.Errorf("%+v", w)
	}
}

// What was answered before the way out was lost is no proof against that for ever.
func TestAnOutageAfterGoodTimesIsSeenWithinAMinute(t *testing.T) {
	l := newListening()
	l.tells(cause.OfReach, "www.example.org.")
	l.good++
	l.tells(cause.OfReach, "www.example.net.")
	l.now = l.now.Add(claimed)
	l.tellsOfMany()
	l.now = l.now.Add(longEnough)
	if w := l.tells(cause.OfReach, "www.example1.org."); !w.Itself() {
		t.Errorf("nothing was answered since: %+v", w)
	}
	l.now = l.now.Add(claimed - longEnough)
	if w := l.tells(cause.OfReach, "www.example1.org."); w.Zones != 1 {
		t.Errorf("what is older than a minute still counts: %+v", w)
	}
}

func TestTheRootAndTopLevelDomainsTellOfTheUpstream(t *testing.T) {
	for _, tc := range []struct {
		kind cause.Hearsay
		name string
		is   bool
	}{
		{cause.OfReach, ".", true}, {cause.OfDNSSEC, ".", true}, {cause.OfReach, "org.", true},
		{cause.OfDNSSEC, "org.", false}, {cause.OfReach, "db.", false}, {cause.OfReach, "example.org.", false},
	} {
		l := newListening()
		l.tells(tc.kind, tc.name)
		if w := l.tells(tc.kind, "www.example.net."); (w.Top != "") != tc.is {
			t.Errorf("%d of %s: %+v", tc.kind, tc.name, w)
		}
	}
}

// Who does not count what is answered cannot know that nothing is.
func TestWithoutACountOfAnswersNobodyIsConvicted(t *testing.T) {
	l := newListening()
	for i := range 5 {
		if w := l.weigh(l.now, "192.0.2.53:53", cause.OfReach, fmt.Sprintf("www.example%d.org.", i), true, nil); w.Itself() || w.Zones != i+1 {
			t.Errorf("%+v", w)
		}
	}
}

func TestWhatIsRememberedOfUpstreamsIsBounded(t *testing.T) {
	l := newListening()
	for i := range 10 * maxClaimed {
		if w := l.tells(cause.OfReach, fmt.Sprintf("www.example%d.org.", i)); w.Zones > maxClaimed {
			t.Fatalf("%d zones", w.Zones)
		}
	}
	for i := range 10 * maxClaimants {
		l.weigh(l.now, fmt.Sprintf("192.0.2.%d:53", i), cause.OfReach, "www.example.org.", true, l.answered)
		if n := len(l.claimants); n > maxClaimants {
			t.Fatalf("%d upstreams", n)
		}
	}
}

// The count of answers is read seldom: it is the count of all metrics.
func TestAnswersAreCountedSeldom(t *testing.T) {
	l := newListening()
	for i := range 1000 {
		l.tells(cause.OfReach, fmt.Sprintf("www.example%d.org.", i))
		l.weigh(l.now, "192.0.2.53:53", cause.OfReach, fmt.Sprintf("www.example%d.org.", i), false, l.answered)
	}
	if most := maxClaimed + 1; l.reads > most {
		t.Errorf("%d reads for 1000 failures within no time, want at most %d", l.reads, most)
	}
	l.good++
	for range 1000 {
		l.now = l.now.Add(time.Millisecond)
		l.tells(cause.OfReach, "www.example1.org.")
	}
	if most := maxClaimed + 3; l.reads > most {
		t.Errorf("%d reads, want at most %d", l.reads, most)
	}
}
