package incident

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// watch is a clock that goes on when it is told to.
type watch struct {
	mu sync.Mutex
	at time.Time
}

func newWatch() *watch { return &watch{at: time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)} }

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watch) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// timeout is the verdict on a query for name, with texts of its own as Classify
// gives each query.
func timeout(name string) *cause.Verdict {
	q := dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
	return cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Path: []string{"cache", "forward"}, Upstream: "192.0.2.53:53", Question: q, Asked: q,
		Failure:   evidence.Failure{Kind: evidence.Timeout, Err: errors.New("read udp 192.0.2.1->192.0.2.53:53: i/o timeout")},
		Upstreams: []evidence.Upstream{{Addr: "192.0.2.53:53", Asked: true}}, UpstreamElapsed: 2 * time.Second,
	})
}

func key(name string) *Key {
	return &Key{Block: 1, Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

func failure(name, zone string) *Failure {
	v := timeout(name)
	return &Failure{Key: *key(name), ID: ID{Cause: v.Cause.ID, At: v.At, Upstream: v.Upstream, Zone: zone}, Verdict: v}
}

func TestAMillionNamesAndZonesStayWithinTheBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("a million names take some seconds")
	}
	w := newWatch()
	table := New(DefaultEntries, w.now)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	pattern := failure("www.example.org.", "")
	before := heap()
	for i := range 1_000_000 {
		zone := fmt.Sprintf("zone%d.example.", i%5000)
		name := fmt.Sprintf("n%d.%s", i, zone)
		f := *pattern
		f.Key.Name, f.ID.Zone, f.Verdict = name, zone, copied(pattern.Verdict)
		table.Failed(&f)
		table.Untold(&f.ID, name, false)
	}
	questions, incidents := table.Len()
	if questions > DefaultEntries || questions < DefaultEntries/2 || incidents != maxIncidents {
		t.Errorf("%d questions, %d incidents", questions, incidents)
	}
	const limit = 16 << 20
	if after := heap(); after > before+limit {
		t.Errorf("the heap grew by %d KiB, limit %d KiB", (after-before)>>10, limit>>10)
	} else {
		t.Logf("the heap grew by %d KiB", (int64(after)-int64(before))>>10)
	}
	runtime.KeepAlive(table)
}

// copied returns v in memory of its own, as for every query.
func copied(v *cause.Verdict) *cause.Verdict {
	c := *v
	c.Own, c.Upstream = strings.Clone(v.Own), strings.Clone(v.Upstream)
	c.Statements = slices.Clone(v.Statements)
	for i := range c.Statements {
		s := &c.Statements[i]
		s.Brief, s.Full = strings.Clone(s.Brief), strings.Clone(s.Full)
	}
	return &c
}

func TestAFailureIsRememberedForFiveMinutesAndNotLonger(t *testing.T) {
	// RFC 9520 section 3.2.
	w := newWatch()
	table := New(DefaultEntries, w.now)
	table.Failed(failure("www.example.org.", "example.org."))
	found := w.now()
	for _, step := range []time.Duration{time.Second, 4*time.Minute + 59*time.Second} {
		w.pass(step)
		f := failure("www.example.org.", "example.org.")
		f.Cached = true
		table.Failed(f)
		v, at, ok := table.Recall(key("www.example.org."))
		if !ok || !at.Equal(found) || v.Cause.ID != "upstream_timeout" {
			t.Fatalf("after %v: %v, found at %v", w.now().Sub(found), ok, at)
		}
		if v.Trace() != nil {
			t.Error("the trace of one query is remembered for others")
		}
	}
	w.pass(time.Nanosecond)
	if _, _, ok := table.Recall(key("www.example.org.")); ok {
		t.Error("remembered for more than five minutes: a cached failure made it young again")
	}
	if n, _ := table.Len(); n != 0 {
		t.Errorf("%d entries held after their time", n)
	}
}

func TestASuccessClearsTheQuestionForAllDOAndCD(t *testing.T) {
	table := New(DefaultEntries, newWatch().now)
	k := key("www.example.org.")
	variants := func(do func(k *Key)) {
		for flags := range 4 {
			k := *k
			k.DO, k.CD = flags&1 != 0, flags&2 != 0
			do(&k)
		}
	}
	variants(func(k *Key) { table.Remember(k, timeout(k.Name), "example.org.") })
	aaaa := *k
	aaaa.Qtype = dns.TypeAAAA
	table.Remember(&aaaa, timeout(k.Name), "example.org.")
	table.Succeeded(k)
	variants(func(k *Key) {
		if _, _, ok := table.Recall(k); ok {
			t.Errorf("DO %v, CD %v is remembered", k.DO, k.CD)
		}
	})
	if _, _, ok := table.Recall(&aaaa); !ok {
		t.Error("a good A answer forgot the failing AAAA")
	}
}

func TestAnIncidentIsOverOnceItsNamesResolveAgain(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	if !table.Quiet() {
		t.Error("an empty table is not quiet")
	}
	for range 3 {
		table.Failed(failure("www.example.org.", "example.org."))
		w.pass(time.Second)
	}
	if table.Quiet() {
		t.Error("quiet in an outage")
	}
	table.Succeeded(key("www.example.org."))
	if recovered, _ := table.Sweep(); len(recovered) != 0 {
		t.Error("over at once: a flapping upstream would fill the log")
	}
	w.pass(quietFor)
	recovered, forgotten := table.Sweep()
	if len(recovered) != 1 || len(forgotten) != 0 {
		t.Fatalf("%d recovered, %d forgotten", len(recovered), len(forgotten))
	}
	in := recovered[0]
	if in.Count != 3 || in.After() != 2*time.Second || !in.Over || !in.Recovered() || in.Untold != nil {
		t.Errorf("%+v", in)
	}
	if _, incidents := table.Len(); incidents != 0 || !table.Quiet() {
		t.Errorf("%d incidents left, quiet %v", incidents, table.Quiet())
	}
	if again := table.Failed(failure("www.example.org.", "example.org.")); again != 1 {
		t.Errorf("the next failure is number %d of its incident", again)
	}
}

func TestAnIncidentThatFailsAgainAfterAGoodAnswerGoesOn(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	table.Failed(failure("www.example.org.", "example.org."))
	w.pass(time.Second)
	table.Succeeded(key("www.example.org."))
	w.pass(time.Second)
	table.Failed(failure("api.example.org.", "example.org."))
	w.pass(quietFor)
	if recovered, _ := table.Sweep(); len(recovered) != 0 {
		t.Errorf("%+v is over", recovered[0])
	}
}

func TestAnIncidentWithoutAGoodAnswerIsForgottenAndWhatIsUntoldIsTold(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	f := failure("www.example.org.", "example.org.")
	table.Failed(f)
	table.Untold(&f.ID, f.Key.Name, true)
	w.pass(forgottenAfter - 1)
	if recovered, forgotten := table.Sweep(); len(recovered)+len(forgotten) != 0 {
		t.Error("forgotten too early")
	}
	w.pass(1)
	_, forgotten := table.Sweep()
	if len(forgotten) != 1 || forgotten[0].Untold == nil || forgotten[0].Untold.Window != 1 || forgotten[0].Untold.WindowCached != 1 {
		t.Fatalf("%+v", forgotten)
	}
	w.pass(time.Second)
	table.Sweep()
	if !table.Quiet() {
		t.Error("the question is not forgotten with its incident")
	}
}

func TestTheIncidentThatFailedTheLongestAgoMakesRoom(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for i := range maxIncidents {
		table.Failed(failure("www.example.org.", fmt.Sprint(i)))
		w.pass(time.Millisecond)
	}
	table.Failed(failure("www.example.org.", "0")) // now 1 is the oldest
	table.Failed(failure("www.example.org.", "new"))
	table.Failed(failure("www.example.org.", "newer"))
	var zones []string
	for _, in := range table.Incidents() {
		zones = append(zones, in.Zone)
	}
	if len(zones) != maxIncidents || !slices.Equal(zones[:3], []string{"newer", "new", "0"}) || zones[len(zones)-1] != "3" {
		t.Errorf("%d incidents, newest %v, oldest %s", len(zones), zones[:3], zones[len(zones)-1])
	}
	checkList(t, table)
}

// checkList checks that the list by last failure is whole in both directions.
func checkList(t *testing.T, table *Table) {
	t.Helper()
	var there, back []ID
	for in := table.newest; in != nil && len(there) <= maxIncidents; in = in.older {
		there = append(there, in.ID)
	}
	for in := table.oldest; in != nil && len(back) <= maxIncidents; in = in.newer {
		back = append(back, in.ID)
	}
	slices.Reverse(back)
	if !slices.Equal(there, back) || len(there) != len(table.incidents) {
		t.Errorf("%d from the newest, %d from the oldest, %d in the map", len(there), len(back), len(table.incidents))
	}
}

func TestAReloadKeepsUnchangedBlocksAndAllIncidents(t *testing.T) {
	w := newWatch()
	old := New(DefaultEntries, w.now)
	old.Failed(failure("www.example.org.", "example.org."))
	w.pass(time.Second)
	gone := failure("www.example.net.", "example.net.")
	gone.Key.Block = 2
	old.Failed(gone)

	table := New(DefaultEntries, w.now)
	w.pass(time.Second)
	table.Failed(failure("www.example.com.", "example.com."))
	table.Adopt(old, map[uint64]bool{1: true})
	if _, _, ok := table.Recall(key("www.example.org.")); !ok {
		t.Error("an unchanged block lost what is remembered")
	}
	if _, _, ok := table.Recall(&gone.Key); ok {
		t.Error("a changed block kept what is remembered")
	}
	var zones []string
	for _, in := range table.Incidents() {
		zones = append(zones, in.Zone)
	}
	if want := []string{"example.com.", "example.net.", "example.org."}; !slices.Equal(zones, want) {
		t.Errorf("incidents %v, want %v", zones, want)
	}
	checkList(t, table)
	if in := table.Failed(failure("api.example.org.", "example.org.")); in != 2 {
		t.Errorf("number %d of its incident: a reload in an outage begins all over", in)
	}
	checkList(t, table)
	table.Succeeded(key("www.example.org."))
	if _, _, ok := table.Recall(key("www.example.org.")); ok {
		t.Error("a success is not heard after a reload")
	}

	full := New(DefaultEntries, w.now)
	for i := range maxIncidents {
		full.Failed(failure("www.example.org.", fmt.Sprint(i)))
	}
	full.Adopt(old, nil)
	checkList(t, full)
	if _, n := full.Len(); n != maxIncidents {
		t.Errorf("%d incidents after a reload", n)
	}
}

func TestSummariesCountWhatIsUntoldTheGreatestFirst(t *testing.T) {
	table := New(DefaultEntries, newWatch().now)
	for i, zone := range []string{"few.example.", "many.example."} {
		f := failure("www.example.org.", zone)
		table.Failed(f)
		for n := range 10 + 90*i {
			table.Untold(&f.ID, fmt.Sprintf("n%d.%s", n%3, zone), n%2 == 0)
		}
	}
	got := table.Summaries()
	if len(got) != 2 || got[0].Zone != "many.example." || got[0].Window != 100 || got[0].WindowCached != 50 || got[0].Names != 3 {
		t.Fatalf("%+v", got)
	}
	if want := (NameCount{Name: "n0.many.example.", Count: 34}); got[0].Top[0] != want {
		t.Errorf("top %+v, want %+v", got[0].Top[0], want)
	}
	if again := table.Summaries(); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

func TestWhatIsUntoldOfAnIncidentThatMadeRoomIsTold(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	const flood = 3 * maxIncidents
	for i := range flood {
		f := failure("www.example.org.", fmt.Sprintf("z%d.example.", i))
		table.Failed(f)
		table.Untold(&f.ID, f.Key.Name, i%2 == 0)
		w.pass(time.Second)
	}
	// One more, whose incident made room between the two calls.
	table.Untold(&failure("www.example.org.", "z0.example.").ID, "www.example.org.", true)
	var counted, cached uint64
	var others []Summary
	for _, s := range table.Summaries() {
		counted, cached = counted+s.Window, cached+s.WindowCached
		if s.Zone == OtherZones {
			others = append(others, s)
		}
	}
	if counted != flood+1 || cached != flood/2+1 {
		t.Errorf("%d failures are counted, %d of them cached, want %d and %d", counted, cached, flood+1, flood/2+1)
	}
	if len(others) != 1 || others[0].Window != flood-maxIncidents+1 || others[0].Cause != "upstream_timeout" || others[0].At != "forward" || others[0].Upstream != "" {
		t.Errorf("displaced incidents: %+v", others)
	}
	if again := table.Summaries(); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

func TestARefusalDoesNotTakeThePlaceOfASERVFAIL(t *testing.T) {
	table := New(DefaultEntries, newWatch().now)
	k := key("www.example.org.")
	refusal := *k
	refusal.Refused = true
	table.Remember(k, timeout("www.example.org."), "example.org.")
	if _, _, ok := table.Recall(&refusal); ok {
		t.Error("a SERVFAIL is taken for the cause of a REFUSED")
	}
	table.Remember(&refusal, timeout("www.example.org."), "example.org.")
	table.Succeeded(k)
	for _, k := range []*Key{k, &refusal} {
		if _, _, ok := table.Recall(k); ok {
			t.Errorf("a success leaves %+v", k)
		}
	}
}

func TestTheNumberOfNamesIsEstimatedWithinFivePercent(t *testing.T) {
	for _, n := range []int{0, 1, 2, 10, 100, 1000, 4000} {
		var w window
		for i := range n {
			for range 2 {
				w.add(fmt.Sprintf("host-%d.Example.org.", i), false)
			}
		}
		if got := w.names(); got < n-max(n/20, 0) || got > n+max(n/20, 0) {
			t.Errorf("%d names are estimated at %d", n, got)
		}
	}
	var w window
	for i := range 200_000 {
		w.add(fmt.Sprintf("n%d.example.org.", i), false)
	}
	if got := w.names(); got < 10_000 || got > 200_000 {
		t.Errorf("200000 names are estimated at %d: not a lower bound", got)
	}
}

func TestANameThatFailsOftenIsFoundAmongManyThatDoNot(t *testing.T) {
	var w window
	for i := range 10_000 {
		w.add(fmt.Sprintf("n%d.example.org.", i), false)
		if i%5 == 0 {
			w.add("busy.example.org.", false)
		}
	}
	if len(w.top) != topNames {
		t.Errorf("%d names counted", len(w.top))
	}
	at := slices.IndexFunc(w.top, func(n NameCount) bool { return n.Name == "busy.example.org." })
	if at < 0 || w.top[at].Count < 2000 || w.top[at].AtLeast() > 2000 {
		t.Fatalf("top %+v", w.top)
	}
	for _, n := range w.top {
		if n.Name != "busy.example.org." && n.AtLeast() > 1 {
			t.Errorf("%s failed once, and at least %d times is claimed", n.Name, n.AtLeast())
		}
	}
}

func TestNamesAreGroupedByRegisteredDomain(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.org.":               "example.org.",
		"www.example.co.uk.":             "example.co.uk.",
		"example.org.":                   "example.org.",
		"org.":                           ".",
		".":                              ".",
		"host.":                          ".",
		"pod.default.svc.cluster.local.": "local.",
		"www.example.corp.":              "corp.",
		"printer.lan.":                   "lan.",
		"lan.":                           ".",
		"1.2.0.192.in-addr.arpa.":        "192.in-addr.arpa.",
		"www.user.github.io.":            "user.github.io.",
	} {
		if got := ZoneOf(name, "."); got != want {
			t.Errorf("%s is grouped under %q, want %q", name, got, want)
		}
	}
}

func TestTheTableBearsConcurrentUse(t *testing.T) {
	w := newWatch()
	table, old := New(1024, w.now), New(1024, w.now)
	var wg sync.WaitGroup
	const rounds = 300
	for worker := range 4 {
		wg.Go(func() {
			for i := range rounds {
				name := fmt.Sprintf("n%d.example.org.", i%40)
				f := failure(name, fmt.Sprint(worker, i))
				table.Failed(f)
				table.Untold(&f.ID, name, false)
				table.Recall(&f.Key)
				old.Failed(f)
				table.Succeeded(&f.Key)
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			w.pass(time.Second)
			table.Sweep()
			table.Summaries()
			table.Incidents()
			table.Snapshot()
			table.Adopt(old, map[uint64]bool{1: true})
		}
	})
	wg.Wait()
	checkList(t, table)
	if questions, incidents := table.Len(); questions > 1024 || incidents > maxIncidents {
		t.Errorf("%d questions, %d incidents", questions, incidents)
	}
}

func BenchmarkFailed(b *testing.B) {
	table := New(DefaultEntries, time.Now)
	f := failure("www.example.org.", "example.org.")
	b.ReportAllocs()
	for b.Loop() {
		table.Failed(f)
	}
}

// BenchmarkSucceeded is what a success costs while something else fails.
func BenchmarkSucceeded(b *testing.B) {
	table := New(DefaultEntries, time.Now)
	table.Failed(failure("www.example.org.", "example.org."))
	k := key("www.example.net.")
	b.ReportAllocs()
	for b.Loop() {
		if !table.Quiet() {
			table.Succeeded(k)
		}
	}
}

func TestAnIncidentThatARefreshOfTheCacheBeganIsOverWhenItsNameResolves(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	f := failure("www.example.org.", "example.org.")
	table.Remember(&f.Key, f.Verdict, f.ID.Zone)
	f.Cached = true
	table.Failed(f)
	w.pass(time.Second)
	table.Succeeded(&f.Key)
	w.pass(quietFor)
	if recovered, _ := table.Sweep(); len(recovered) != 1 {
		t.Errorf("%d incidents are over, want 1", len(recovered))
	}
}

// servfail is the failure of name that the upstream answers without a reason.
func servfail(name string) *Failure {
	q := dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
	v := cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Path: []string{"forward"}, Upstream: "192.0.2.53:53", Question: q, Asked: q,
		UpstreamAnswered: true, Reply: evidence.Reply{Written: true, RecursionAvailable: true},
	})
	return &Failure{Key: *key(name), ID: IDOf(v, dns.RcodeServerFailure, "example.org."), Verdict: v}
}

// ends reports whether the one incident of table is told to be over now.
func ends(table *Table, w *watch) bool {
	w.pass(quietFor)
	recovered, _ := table.Sweep()
	return len(recovered) == 1
}

// Of queries that fail at once the earlier one may be counted last.
func TestAnIncidentNeverEndsBeforeItBegan(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	earlier, later := servfail("a.example.org."), servfail("b.example.org.")
	earlier.Time, later.Time = w.now().Add(-10*time.Millisecond), w.now()
	table.Failed(later)
	table.Failed(earlier)
	if in := table.Incidents()[0]; in.After() < 0 || !in.Last.Equal(later.Time) {
		t.Errorf("it lasted %v, until %v", in.After(), in.Last)
	}
}

func TestAnIncidentIsOverOnceAllOfItsNamesResolve(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for _, name := range []string{"a.example.org.", "b.example.org."} {
		table.Failed(servfail(name))
	}
	w.pass(time.Second)
	table.Succeeded(key("b.example.org."))
	if ends(table, w) {
		t.Fatal("over, though a name still fails")
	}
	after := New(DefaultEntries, w.now)
	after.Adopt(table, map[uint64]bool{1: true})
	if ends(after, w) {
		t.Fatal("over after a reload")
	}
	after.Succeeded(key("a.example.org."))
	if !ends(after, w) {
		t.Error("not over, though both resolve")
	}
}

func TestAnAnswerOfTheUpstreamEndsItsSilence(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for _, name := range []string{"a.example.org.", "b.example.org."} {
		table.Failed(failure(name, "example.org."))
	}
	w.pass(time.Second)
	table.Succeeded(key("b.example.org."))
	if !ends(table, w) {
		t.Error("not over, though the upstream answers")
	}
}

func TestAnIncidentOfMoreNamesThanAreFollowedIsForgotten(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for i := range 2 * maxOpen {
		table.Failed(servfail(fmt.Sprintf("n%d.example.org.", i)))
	}
	w.pass(time.Second)
	for i := range maxOpen {
		table.Succeeded(key(fmt.Sprintf("n%d.example.org.", i)))
	}
	if in := table.Incidents()[0]; len(in.open.questions) > maxOpen || ends(table, w) {
		t.Errorf("%d questions are followed", len(in.open.questions))
	}
	w.pass(forgottenAfter)
	if table.Sweep(); len(table.Incidents()) != 0 {
		t.Error("it is kept")
	}
}

func TestAnAnswerWithoutValidationEndsNoIncidentOfIt(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	table.Failed(servfail("www.example.org."))
	w.pass(time.Second)
	k := key("www.example.org.")
	k.CD = true
	table.Succeeded(k)
	if _, _, ok := table.Recall(key("www.example.org.")); !ok || ends(table, w) {
		t.Errorf("remembered: %v", ok)
	}
	table.Succeeded(key("www.example.org."))
	if !ends(table, w) {
		t.Error("not over")
	}
}
