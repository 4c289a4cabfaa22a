package incident

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// hour is a history with a clock that only the test moves.
type hour struct {
	*History
	now time.Time
}

func newHour() *hour {
	h := &hour{now: time.Date(2026, time.November, 23, 14, 0, 0, 0, time.UTC)}
	h.History = NewHistory(func() time.Time { return h.now })
	return h
}

func (h *hour) snapshot() *Snapshot {
	s := &Snapshot{Now: h.now}
	h.History.snapshot(s)
	return s
}

// detail is a timeout of name at an upstream.
func detail(name, upstream string) *Detail {
	c := cause.ByID("upstream_timeout")
	question := dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
	return &Detail{
		Block: 1, Rcode: dns.RcodeServerFailure, Question: question, Asked: question, Group: "example.org.",
		Verdict: (&cause.Verdict{
			Cause: c, At: "forward", Upstream: upstream,
			Statements: []cause.Statement{{Code: c.Code, Full: "no reply"}},
		}).WithTrace([]string{"SERVFAIL returned by forward"}),
	}
}

func TestNothingIsRecordedWithoutAHistory(t *testing.T) {
	var h *History
	h.Failed(detail("www.example.org.", "192.0.2.53:53"))
	h.Changed(Reloaded)
	h.end(Incident{})
	h.Succeeded(1, dns.Question{Name: "www.example.org."}, false)
	if !h.Quiet() || h.Why(1, "www.example.org.") != nil {
		t.Error("a nil history remembers")
	}
	if s := New(100, time.Now).Snapshot(); s.Failures != 0 || len(s.Recent) != 0 {
		t.Errorf("a table without a history shows %d failures", s.Failures)
	}
}

func TestRatesCountTheLastHourByCause(t *testing.T) {
	h := newHour()
	h.Failed(detail("a.example.org.", ""))
	h.now = h.now.Add(59 * time.Minute)
	for range 60 {
		h.Failed(detail("b.example.org.", ""))
	}
	s := h.snapshot()
	if len(s.Rates) != 1 || s.Rates[0].Cause != "upstream_timeout" || s.Rates[0].Total != 61 {
		t.Fatalf("rates %+v", s.Rates)
	}
	if got := s.PerSecond(); got != 60/30.0 {
		t.Errorf("%v failures per second, want 2", got)
	}
	h.now = h.now.Add(time.Minute)
	if got := h.snapshot().Rates[0].Total; got != 60 {
		t.Errorf("an hour after the first failure %d are counted, want 60", got)
	}
	h.now = h.now.Add(2 * time.Hour)
	if s := h.snapshot(); len(s.Rates) != 0 || len(s.Names) != 0 || s.Failures != 61 {
		t.Errorf("hours later: rates %v, names %v, %d in all", s.Rates, s.Names, s.Failures)
	}
}

func TestACauseOutsideOfTheCatalogIsCountedAsUnlisted(t *testing.T) {
	h := newHour()
	d := detail("www.example.org.", "")
	d.Verdict.Cause = &cause.Cause{ID: "invented"}
	h.Failed(d)
	if s := h.snapshot(); len(s.Rates) != 1 || s.Rates[0].Cause != unlisted {
		t.Errorf("rates %+v", s.Rates)
	}
}

func TestTheMostFrequentAreFoundAmongMoreThanAreHeld(t *testing.T) {
	h := newHour()
	for i := range 50 * topHeld {
		h.Failed(detail(fmt.Sprintf("random%d.example.org.", i), "192.0.2.53:53"))
		if i%4 == 0 {
			h.Failed(detail("WWW.example.org.", "192.0.2.54:53"))
		}
	}
	s := h.snapshot()
	if len(s.Names) != topListed || s.Names[0].Name != "www.example.org." {
		t.Fatalf("names %v", s.Names)
	}
	if top := s.Names[0]; top.Count-top.Over > 50*topHeld/4 || top.Count < 50*topHeld/4 {
		t.Errorf("%d is said to be too high by at most %d, and is %d", top.Count, top.Over, 50*topHeld/4)
	}
	if want := (Top{Name: "192.0.2.53:53", Count: 50 * topHeld}); s.Upstreams[0] != want {
		t.Errorf("upstreams %v", s.Upstreams)
	}
	for i := range h.tops.slots {
		if n := len(h.tops.slots[i].names); n > topHeld {
			t.Errorf("%d names are held, at most %d may be", n, topHeld)
		}
	}
}

func TestTheLastFailuresAreKeptAndNoMore(t *testing.T) {
	h := newHour()
	for i := range maxRecent + 50 {
		h.Failed(detail(fmt.Sprintf("host%d.example.org.", i), "192.0.2.53:53"))
	}
	s := h.snapshot()
	if len(s.Recent) != maxRecent {
		t.Fatalf("%d failures are shown, want %d", len(s.Recent), maxRecent)
	}
	if first, last := s.Recent[0].Name, s.Recent[maxRecent-1].Name; first != "host249.example.org." || last != "host50.example.org." {
		t.Errorf("from %s to %s", first, last)
	}
}

func TestAFailureIsForgottenAfterAnHour(t *testing.T) {
	h := newHour()
	h.Failed(detail("old.example.org.", "192.0.2.53:53"))
	h.now = h.now.Add(kept - time.Second)
	h.Failed(detail("new.example.org.", "192.0.2.53:53"))
	if s := h.snapshot(); len(s.Recent) != 2 {
		t.Fatalf("%d failures are shown, want 2", len(s.Recent))
	}
	h.now = h.now.Add(time.Second)
	if s := h.snapshot(); len(s.Recent) != 1 || s.Recent[0].Name != "new.example.org." {
		t.Errorf("%+v", s.Recent)
	}
	if old := h.recent.ring[0]; old.d.Question.Name != "" {
		t.Errorf("%s is still held", old.d.Question.Name)
	}
}

func TestWhatIsKeptOfAFailureIsBoundedAndHarmless(t *testing.T) {
	const hostile = "a\n\u202eb\x1b[31m<script>"
	long := strings.Repeat(hostile, 1000)
	d := detail(long, long)
	d.Error, d.Client, d.Server, d.Group, d.Protocol = long, long, long, long, long
	d.Verdict.At, d.Verdict.Zone, d.Verdict.Own, d.Verdict.Advice = long, long, long, long
	d.Verdict.Statements[0].Full, d.Verdict.Statements[0].Brief = long, long
	d.Verdict = d.Verdict.WithTrace(slices.Repeat([]string{long}, 101))
	ofQuery := d.Verdict
	h := newHour()
	h.Failed(d)
	if kept := h.recent.ring[0].d; len(kept.Error) > maxText || len(kept.Verdict.Trace()) > maxTrace || len(kept.Verdict.Trace()[1]) > maxText || len(kept.Question.Name) > maxName {
		t.Errorf("kept %d octets of error, %d facts", len(kept.Error), len(kept.Verdict.Trace()))
	}
	if len(ofQuery.Trace()) != 101 || ofQuery.At != long {
		t.Error("the verdict of the query was cut as well")
	}
	r := h.snapshot().Recent[0]
	for _, text := range append([]string{r.Name, r.Asked, r.At, r.Upstream, r.Zone, r.Client, r.Server, r.Protocol, r.Text, r.Error, r.Advice}, r.Trace...) {
		if len(text) > maxText || strings.ContainsAny(text, "\n\u202e\x1b") {
			t.Errorf("%d octets: %.80q", len(text), text)
		}
	}
}

func TestIncidentsThatAreOverAreKeptForAnHour(t *testing.T) {
	h := newHour()
	table := New(100, func() time.Time { return h.now })
	table.Keep(h.History)
	for i := range maxEnded + 20 {
		table.Failed(&Failure{ID: ID{Cause: "upstream_timeout", Zone: fmt.Sprintf("zone%d.example.", i)}, Verdict: detail("", "").Verdict})
	}
	h.now = h.now.Add(forgottenAfter)
	table.Sweep()
	s := table.Snapshot()
	if len(s.Open) != 0 || len(s.Ended) != maxEnded {
		t.Fatalf("%d open, %d ended", len(s.Open), len(s.Ended))
	}
	if in := s.Ended[0]; !in.Over || in.Recovered() {
		t.Errorf("%+v", in)
	}
	// At a reload two tables hold the same incident, and both sweep.
	endings := h.endings
	h.end(s.Ended[0])
	if h.endings != endings {
		t.Error("one incident ended twice")
	}
	h.now = h.now.Add(time.Hour)
	if s := table.Snapshot(); len(s.Ended) != 0 {
		t.Errorf("%d are still shown after an hour", len(s.Ended))
	}
}

func TestHistoryIsSafeForConcurrentUse(t *testing.T) {
	h := NewHistory(time.Now)
	table := New(100, time.Now)
	table.Keep(h)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 200 {
				name := fmt.Sprintf("host%d.example.org.", i%7)
				d := detail(name, "192.0.2.53:53")
				d.Upstreams = []evidence.Upstream{{Addr: "192.0.2.53:53", Down: i%2 == worker%2}}
				h.Failed(d)
				h.Succeeded(1, d.Question, false)
				_ = h.Why(1, name)
				_ = table.Snapshot()
			}
		})
	}
	all.Wait()
}

func BenchmarkHistoryFailed(b *testing.B) {
	h := NewHistory(time.Now)
	details := make([]Detail, 64)
	for i := range details {
		details[i] = *detail(fmt.Sprintf("host%d.example.org.", i), "192.0.2.53:53")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := details[i%len(details)]
		h.Failed(&d)
	}
}
