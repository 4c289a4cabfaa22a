package record

import (
	"bytes"
	"fmt"
	golog "log"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// sink is where CoreDNS's log goes during a test. Until it is opened it holds
// up whoever writes.
type sink struct {
	open chan struct{}
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

// lines returns what was written, without CoreDNS's own prefix.
func (s *sink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for line := range strings.Lines(s.buf.String()) {
		all = append(all, strings.TrimPrefix(strings.TrimSpace(line), "[INFO] plugin/ede: "))
	}
	return all
}

func stalled(t *testing.T) *sink {
	t.Helper()
	s := &sink{open: make(chan struct{})}
	before, flags := golog.Writer(), golog.Flags()
	golog.SetFlags(0)
	golog.SetOutput(s)
	t.Cleanup(func() { golog.SetOutput(before); golog.SetFlags(flags) })
	return s
}

func opened(t *testing.T) *sink {
	t.Helper()
	s := stalled(t)
	close(s.open)
	return s
}

func count(lines []string, word string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, word+" ") {
			n++
		}
	}
	return n
}

func value(t *testing.T, m prometheus.Metric) float64 {
	t.Helper()
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		t.Fatal(err)
	}
	return d.GetCounter().GetValue() + d.GetGauge().GetValue()
}

var refused = cause.Classify(&evidence.Evidence{
	Rcode: dns.RcodeServerFailure, At: "forward", Upstream: "192.0.2.53:53", Failure: evidence.Failure{Kind: evidence.ConnRefused},
})

// outage is a log with its table, and fails queries as the root plugin does.
type outage struct {
	table *incident.Table
	log   *Log
}

func newOutage(o Options) *outage {
	table := incident.New(incident.DefaultEntries, time.Now)
	return &outage{table, NewLog(o, table, time.Now)}
}

func (o *outage) fail(name, zone string) { o.failAs(refused, name, zone) }

func (o *outage) failAs(v *cause.Verdict, name, zone string) {
	q := dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
	id := incident.ID{Cause: v.Cause.ID, At: v.At, Upstream: v.Upstream, Zone: zone}
	count := o.table.Failed(&incident.Failure{Key: *o.key(name), ID: id, Verdict: v})
	f := &Failure{
		Time: time.Now(), Verdict: v, Rcode: dns.RcodeServerFailure, Question: q, Asked: q,
		Client: netip.MustParseAddrPort("198.51.100.7:40112"), Sent: SentYes, First: count == 1, Incident: id,
	}
	if o.log.Wants(f) {
		o.log.Write(f)
	}
}

func (o *outage) key(name string) *incident.Key {
	return &incident.Key{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

func TestAStalledSinkNeverHoldsUpAQueryAndWhatIsLostIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stalled(t)
		o := newOutage(Options{Mode: LogAll})
		before := value(t, LogDropped)
		o.log.Start()
		o.fail("first.example.org.", "example.org.")
		synctest.Wait() // the writer holds the first line
		const extra = 50
		for i := range queueLength + extra {
			o.fail(fmt.Sprintf("n%d.example.org.", i), "example.org.")
		}
		if got := value(t, LogDropped) - before; got != extra {
			t.Errorf("%v lines dropped, want %d", got, extra)
		}
		began := time.Now()
		o.log.Stop()
		if got := time.Since(began); got != time.Second {
			t.Errorf("a stop waited for the sink for %v", got)
		}
		close(s.open)
		synctest.Wait()
		if got := count(s.lines(), "rcode=SERVFAIL"); got != queueLength+1 {
			t.Errorf("%d lines, want %d", got, queueLength+1)
		}
	})
}

func TestAStalledSinkHoldsUpNoDiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stalled(t)
		o := newOutage(Options{Mode: LogAll})
		before := value(t, LogDropped)
		o.log.Start()
		o.fail("first.example.org.", "example.org.")
		synctest.Wait() // the writer holds the first line
		const extra = 7
		for range queueLength/8 + extra {
			o.log.Diagnosed(Diagnosis{Verdict: refused})
		}
		if got := value(t, LogDropped) - before; got != extra {
			t.Errorf("%v lines dropped, want %d", got, extra)
		}
		close(s.open)
		o.log.Stop()
		if got := count(s.lines(), "diagnosis"); got != queueLength/8 {
			t.Errorf("%d lines, want %d", got, queueLength/8)
		}
	})
}

func TestAStopWritesWhatIsQueuedAndWhatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{Mode: LogSummary, Window: time.Minute})
		o.log.Start()
		for range 3 {
			o.fail("www.example.org.", "example.org.")
		}
		o.log.Diagnosed(Diagnosis{Verdict: refused, Question: dns.Question{Name: "www.example.org.", Qtype: dns.TypeA}, Text: "found"})
		time.Sleep(2 * time.Second)
		o.log.Stop()
		lines := s.lines()
		if len(lines) != 3 || count(lines, "rcode=SERVFAIL") != 1 || count(lines, "diagnosis") != 1 || count(lines, "summary") != 1 {
			t.Fatalf("%q", lines)
		}
		if want := "count=2 cached_count=0 names=1 window_seconds=2 top=www.example.org.:2"; !strings.Contains(lines[2], want) {
			t.Errorf("summary %q, want %q in it", lines[2], want)
		}
		if !strings.Contains(lines[0], "advice=") {
			t.Errorf("the first line of an incident has no advice: %q", lines[0])
		}
	})
}

// CoreDNS shuts plugins down before it waits for the queries under way.
func TestAQueryThatFailsAfterTheStopIsTold(t *testing.T) {
	for name, mode := range map[string]Mode{"all": LogAll, "default": LogDefault, "summary": LogSummary} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := opened(t)
				o := newOutage(Options{Mode: mode})
				o.log.Start()
				o.fail("early.example.org.", "example.org.")
				o.log.Stop()
				for range 3 {
					o.fail("late.example.org.", "example.org.")
				}
				if lines := s.lines(); len(lines) != 4 || count(lines, "rcode=SERVFAIL") != 4 {
					t.Errorf("%q, want a line for each of 4 failures", lines)
				}
				for range 2 * linesPerSecond {
					o.fail("late.example.org.", "example.org.")
				}
				want := linesPerSecond + 1
				if mode == LogAll {
					want = 4 + 2*linesPerSecond
				}
				if got := count(s.lines(), "rcode=SERVFAIL"); got > want || got < want-1 {
					t.Errorf("%d lines, want about %d", got, want)
				}
			})
		})
	}
}

func TestAStalledSinkHoldsUpNoQueryAfterTheStopEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stalled(t)
		o := newOutage(Options{Mode: LogAll})
		o.log.Start()
		o.fail("early.example.org.", "example.org.")
		o.log.Stop()
		began := time.Now()
		o.fail("late.example.org.", "example.org.")
		if got := time.Since(began); got != 0 {
			t.Errorf("a query waited for the sink for %v", got)
		}
		close(s.open)
		synctest.Wait()
		if got := count(s.lines(), "rcode=SERVFAIL"); got != 2 {
			t.Errorf("%d lines once the sink took them, want 2", got)
		}
	})
}

// Queries that failed around the turn of a second come in any order.
func TestTheRateHoldsAtTheTurnOfASecond(t *testing.T) {
	turn := time.Date(2026, 11, 20, 14, 0, 1, 0, time.UTC)
	var r rate
	lines := 0
	for range 50 {
		for _, at := range []time.Time{turn.Add(-time.Millisecond), turn} {
			if r.allow(at, 3) {
				lines++
			}
		}
	}
	if lines > 2*3 {
		t.Errorf("%d lines within two seconds, want at most 6", lines)
	}
	if !r.allow(turn.Add(-time.Hour), 3) {
		t.Error("no line after the clock was set back")
	}
}

func TestAnOutageTurnsLinesToSummariesAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{})
		suppressed := value(t, LogSuppressed)
		o.log.Start()
		defer o.log.Stop()
		const failures = 5000
		for i := range failures {
			o.fail(fmt.Sprintf("n%d.example.org.", i%50), "example.org.")
		}
		synctest.Wait()
		if got := len(s.lines()); got != linesPerSecond {
			t.Fatalf("%d lines in the first second, want %d", got, linesPerSecond)
		}
		if got := value(t, LogSuppressed) - suppressed; got != failures-linesPerSecond {
			t.Errorf("%v suppressed", got)
		}
		time.Sleep(5 * time.Second)
		o.fail("quiet.example.org.", "example.org.")
		synctest.Wait()
		if got := len(s.lines()); got != linesPerSecond {
			t.Errorf("%d lines before the window's end: it has to be summaries until then", got)
		}
		time.Sleep(defaultWindow)
		synctest.Wait()
		lines := s.lines()
		last := lines[len(lines)-1]
		if count(lines, "summary") != 1 || !strings.Contains(last, "count=4901 ") || strings.Contains(last, "quiet.example.org.:6") {
			t.Errorf("%d summaries; the last line is %q", count(lines, "summary"), last)
		}
		time.Sleep(defaultWindow) // the first window that fits the rate
		synctest.Wait()
		o.fail("www.example.org.", "example.org.")
		synctest.Wait()
		if got := s.lines(); count(got, "rcode=SERVFAIL") != linesPerSecond+1 {
			t.Errorf("lines did not come back: %d", count(got, "rcode=SERVFAIL"))
		}
	})
}

func TestNewIncidentsOfAnOutageAreAnnouncedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{Mode: LogSummary})
		o.log.Start()
		for i := range 1000 {
			o.fail("www.example.org.", fmt.Sprintf("zone%d.example.", i))
		}
		synctest.Wait()
		if got := len(s.lines()); got != firstPerSecond {
			t.Errorf("%d lines, want %d", got, firstPerSecond)
		}
		o.log.Stop()
		if got := count(s.lines(), "summary"); got == 0 || got > maxSummaries {
			t.Errorf("%d summaries, want 1 to %d", got, maxSummaries)
		}
	})
}

func TestMergedSummariesKeepEveryFailureAndEveryCause(t *testing.T) {
	for _, tc := range []struct {
		name                     string
		zones, causes, upstreams int
		lines, alone             int
	}{
		{"as many as lines", maxSummaries, 3, 3, maxSummaries, maxSummaries},
		{"one upstream and many zones", 512, 1, 1, maxSummaries, maxSummaries - 1},
		{"a few causes and upstreams", 512, 2, 3, maxSummaries, maxSummaries - 6},
		{"more upstreams than lines", 512, 7, 100, 7, 0},
		{"more causes than lines", 512, maxSummaries + 3, 1, maxSummaries + 3, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var all []incident.Summary
			want, causes := uint64(0), make(map[string]bool)
			for i := range tc.zones {
				id := incident.ID{Cause: fmt.Sprint("cause_", i%tc.causes), At: "forward", Upstream: fmt.Sprintf("192.0.2.%d:53", i%tc.upstreams), Zone: fmt.Sprintf("zone%d.example.", i)}
				all = append(all, incident.Summary{Incident: incident.Incident{ID: id}, Window: uint64(1000 - i), Names: 1})
				want += uint64(1000 - i)
				causes[id.Cause] = true
			}
			before := slices.Clone(all)
			got, sum, alone := merge(all, maxSummaries, summaryID, addSummary), uint64(0), 0
			for _, s := range got {
				sum += s.Window
				delete(causes, s.Cause)
				if s.Zone != incident.OtherZones {
					alone++
				}
			}
			if len(got) != tc.lines || alone != tc.alone {
				t.Errorf("%d lines, %d of them of one zone, want %d and %d", len(got), alone, tc.lines, tc.alone)
			}
			if sum != want || len(causes) != 0 {
				t.Errorf("%d failures, want %d; causes lost: %v", sum, want, causes)
			}
			for i := range all {
				if all[i].Window != before[i].Window || all[i].ID != before[i].ID {
					t.Fatalf("summary %d was changed", i)
				}
			}
		})
	}
}

func TestAThousandZonesThatResolveAgainAreAFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{Mode: LogSummary, Window: time.Hour})
		o.log.Start()
		const zones = 500
		for i := range zones {
			name := fmt.Sprintf("www.zone%d.example.", i)
			o.fail(name, fmt.Sprintf("zone%d.example.", i))
			o.fail(name, fmt.Sprintf("zone%d.example.", i))
		}
		time.Sleep(5 * time.Second)
		for i := range zones {
			o.table.Succeeded(o.key(fmt.Sprintf("www.zone%d.example.", i)))
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		lines := s.lines()
		counted := 0
		for _, line := range lines {
			if strings.HasPrefix(line, "recovered ") {
				counted += number(t, line, "count")
			}
		}
		if got := count(lines, "recovered"); got != maxRecovered || counted != 2*zones {
			t.Errorf("%d lines tell that %d failures are over, want %d and %d", got, counted, maxRecovered, 2*zones)
		}
		o.log.Stop()
		if counted := failuresIn(t, s.lines()); counted != 2*zones {
			t.Errorf("%d failures are counted, want %d", counted, 2*zones)
		}
	})
}

// number is the value of key on a line.
func number(t *testing.T, line, key string) int {
	t.Helper()
	_, rest, _ := strings.Cut(line, " "+key+"=")
	word, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Errorf("%s of %q: %v", key, line, err)
	}
	return n
}

// failuresIn adds up the lines of failures and the counts of summaries.
func failuresIn(t *testing.T, lines []string) (counted int) {
	t.Helper()
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "rcode="):
			counted++
		case strings.HasPrefix(line, "summary "):
			counted += number(t, line, "count")
		}
	}
	return counted
}

// TestAnOutageOfFiftyThousandASecond drives the default log at that rate, over
// several causes, upstreams and many zones.
func TestAnOutageOfFiftyThousandASecond(t *testing.T) {
	const (
		perSecond = 50000
		seconds   = 12
		lineLimit = 20
	)
	var ids []*cause.Cause
	for _, id := range []string{"upstream_unreachable", "upstream_timeout", "upstream_servfail", "upstream_closed", "no_healthy_upstream", "acl_block"} {
		ids = append(ids, cause.ByID(id))
	}
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{})
		dropped := value(t, LogDropped)
		o.log.Start()
		perSecondLines := make([]int, 0, seconds+2)
		written := 0
		tick := func() {
			time.Sleep(time.Second / 10)
			synctest.Wait()
		}
		for n := range perSecond * seconds {
			v := *refused
			v.Cause = ids[n%len(ids)]
			v.Upstream = fmt.Sprintf("192.0.2.%d:53", n%3)
			zone := fmt.Sprintf("zone%d.example.", n%400)
			o.failAs(&v, "www."+zone, zone)
			if (n+1)%(perSecond/10) == 0 {
				tick()
			}
			if (n+1)%perSecond == 0 {
				lines := len(s.lines())
				perSecondLines = append(perSecondLines, lines-written)
				written = lines
			}
		}
		o.log.Stop()
		lines := s.lines()
		t.Logf("lines in each second: %v, %d at the end", perSecondLines, len(lines)-written)
		if perSecondLines[0] > linesPerSecond+firstPerSecond {
			t.Errorf("%d lines in the first second", perSecondLines[0])
		}
		for i, n := range append(perSecondLines[1:], len(lines)-written) {
			if n >= lineLimit {
				t.Errorf("%d lines in second %d", n, i+2)
			}
		}
		if counted := failuresIn(t, lines); counted != perSecond*seconds {
			t.Errorf("%d failures are counted, want %d", counted, perSecond*seconds)
		}
		if got := value(t, LogDropped) - dropped; got != 0 {
			t.Errorf("%v lines dropped", got)
		}
		for _, c := range ids {
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "summary cause="+c.ID+" ") }) {
				t.Errorf("%s is in no summary", c.ID)
			}
		}
	})
}

func TestAfterAReloadTheNextLogTellsWhatTheLastQueriesWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{})
		o.log.Start()
		for range 500 {
			o.fail("www.example.org.", "example.org.")
		}
		next := NewLog(Options{}, incident.New(incident.DefaultEntries, time.Now), time.Now)
		next.Continue(o.log, o.table)
		next.Start()
		o.log.Stop()
		o.fail("www.example.org.", "example.org.") // a query that the old instance still had
		o.log = next
		before := len(s.lines())
		o.fail("www.example.org.", "example.org.")
		synctest.Wait()
		if got := len(s.lines()); got != before {
			t.Errorf("%d lines in an outage that goes on", got-before)
		}
		next.Stop()
		if counted := failuresIn(t, s.lines()); counted != 502 {
			t.Errorf("%d failures are counted, want 502", counted)
		}
	})
}

func TestARecoveryHasALineAndSoHasWhatWasNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{Mode: LogSummary, Window: time.Hour})
		o.log.Start()
		for range 9 {
			o.fail("www.example.org.", "example.org.")
		}
		time.Sleep(time.Second)
		o.table.Succeeded(o.key("www.example.org."))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		lines := s.lines()
		if len(lines) != 3 || count(lines, "summary") != 1 {
			t.Fatalf("%q", lines)
		}
		if want := "recovered cause=upstream_unreachable at=forward upstream=192.0.2.53:53 zone=example.org. after_seconds=0 count=9"; lines[2] != want {
			t.Errorf("%q, want %q", lines[2], want)
		}
		o.log.Stop()
		if got := value(t, Incidents); got != 0 {
			t.Errorf("%v incidents after the recovery", got)
		}
	})
}

func TestLogOffWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t)
		o := newOutage(Options{Mode: LogOff})
		o.log.Start()
		o.fail("www.example.org.", "example.org.")
		o.log.Diagnosed(Diagnosis{Verdict: refused})
		o.table.Succeeded(o.key("www.example.org."))
		time.Sleep(time.Minute)
		o.log.Stop()
		if got := s.lines(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestConcurrentFailuresAreLoggedOnceEach(t *testing.T) {
	s := opened(t)
	o := newOutage(Options{Mode: LogAll})
	o.log.Start()
	var wg sync.WaitGroup
	const workers, each = 8, 50
	for i := range workers {
		wg.Go(func() {
			for j := range each {
				o.fail(fmt.Sprintf("n%d-%d.example.org.", i, j), "example.org.")
			}
		})
	}
	wg.Wait()
	o.log.Stop()
	if got := count(s.lines(), "rcode=SERVFAIL"); got != workers*each {
		t.Errorf("%d lines, want %d", got, workers*each)
	}
}
