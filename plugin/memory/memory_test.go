package memory

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

const manyEntries = 10_000

// watch is a clock that goes on when it is told to.
type watch struct{ at time.Time }

func newWatch() *watch { return &watch{at: time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)} }

func (w *watch) now() time.Time { return w.at }

func (w *watch) pass(d time.Duration) { w.at = w.at.Add(d) }

func key(name string) *Key {
	return &Key{Block: 1, Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// timeout is a verdict that says the same of all names.
func timeout() *cause.Verdict {
	return cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Path: []string{"cache", "forward"}, Upstream: "192.0.2.53:53",
		Failure:   evidence.Failure{Kind: evidence.Timeout, Err: errors.New("read udp 192.0.2.1->192.0.2.53:53: i/o timeout")},
		Upstreams: []evidence.Upstream{{Addr: "192.0.2.53:53", Asked: true}}, UpstreamElapsed: 2 * time.Second,
	})
}

// said is the verdict on what an upstream says in these words, as Unbound does of each
// name.
func said(text string) *cause.Verdict {
	return cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true,
		Reply: evidence.Reply{Written: true, RecursionAvailable: true}, Options: []option.Option{{Code: 6, Text: text}, {Code: 22}},
	})
}

func hasPointer(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return false
	case reflect.Array:
		return hasPointer(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointer(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}

func TestWhatIsRememberedHasNoPointers(t *testing.T) {
	if hasPointer(reflect.TypeFor[entry]()) {
		t.Error("the collector has to look into each entry")
	}
	if !hasPointer(reflect.TypeFor[Key]()) || !hasPointer(reflect.TypeFor[struct{ a [2]*int }]()) {
		t.Error("a pointer is not seen")
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAQuestionTakesAtMost150OctetsAndItsOwnTextHasACapOfItsOwn(t *testing.T) {
	const entries, octets = 100_000, 150
	same := timeout()
	for name, tc := range map[string]struct {
		verdict func(name string) *cause.Verdict
		rounds  int
		limit   uint64
	}{
		"shared":                     {func(string) *cause.Verdict { return same }, 1, octets * entries},
		"shared, and many make room": {func(string) *cause.Verdict { return same }, 12, octets * entries},
		"that names the question":    {func(name string) *cause.Verdict { return said("validation failure <" + name + " A IN>") }, 1, octets * entries},
		"of its own":                 {func(name string) *cause.Verdict { return said("no signature by key " + strings.ToUpper(name)) }, 2, (octets + textsPerEntry) * entries},
		"of its own, as long as it gets": {func(name string) *cause.Verdict {
			return said(`{"j":"` + strings.ToUpper(name) + strings.Repeat("x", 900) + `"}`)
		}, 2, (octets + textsPerEntry) * entries},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch()
			before := heap()
			m := New(entries, w.now())
			for i := range tc.rounds * entries {
				name := fmt.Sprintf("n%d.example.org.", i)
				m.Note(key(name), tc.verdict(name), 1, w.now())
			}
			grown := heap() - before
			t.Logf("%d octets a question", grown/entries)
			if n := m.Len(); grown > tc.limit || n < entries*9/10 || n > entries {
				t.Errorf("%d octets for %d questions, limit %d", grown, n, tc.limit)
			}
			runtime.KeepAlive(m)
		})
	}
}

func TestTheEntriesAreBoundedWhateverIsConfigured(t *testing.T) {
	v := timeout()
	for _, entries := range []int{1, 1000, 1024, 5000} {
		w := newWatch()
		m := New(entries, w.now())
		for i := range 20 * max(entries, 1024) {
			m.Note(key(fmt.Sprintf("n%d.example.org.", i)), v, 1, w.now())
		}
		// CoreDNS's cache has 256 shards of at least four entries.
		if got := m.Len(); got > max(entries, 4*256) {
			t.Errorf("%d entries configured, %d held", entries, got)
		}
	}
}

// alike reports whether b is what is to be recalled of a.
func alike(a, b *cause.Verdict) bool {
	return a.Cause == b.Cause && a.Lasts == b.Lasts && a.Owner == b.Owner && a.Advice == b.Advice && slices.Equal(a.Statements, b.Statements) &&
		a.Since == b.Since && a.Own == b.Own && a.At == b.At && a.Upstream == b.Upstream && a.Zone == b.Zone && a.Cached == b.Cached &&
		a.Marks() == b.Marks() && a.Text() == b.Text() && a.FoundZone() == b.FoundZone() &&
		slices.Equal(a.Options(cause.FullWords, true, false), b.Options(cause.FullWords, true, false))
}

func TestWhatIsRecalledIsWhatWasNotedWhetherSharedOrNot(t *testing.T) {
	w := newWatch()
	changed := &evidence.Evidence{
		Rcode: dns.RcodeRefused, At: "forward", UpstreamAnswered: true, Upstream: "192.0.2.53:53", Reply: evidence.Reply{Written: true},
		Options: []option.Option{{Code: 7, Text: "expired"}}, Changed: evidence.Changed{Plugin: "rewrite", From: dns.RcodeServerFailure, To: dns.RcodeRefused},
	}
	verdicts := map[string]*cause.Verdict{
		"timeout": timeout(), "said": said("bad signature"), "structured": said(`{"c":["mailto:a@example.org"],"j":"no"}`), "changed": cause.Classify(changed),
		"diagnosed":            cause.Diagnosed(timeout(), "dnssec_signature_expired", []uint16{7, 6}, "expired", "expired at 192.0.2.1", "example.org."),
		"asked again":          cause.Relayed(timeout(), []option.Option{{Code: 9, Text: "no key"}}),
		"cached":               timeout().FromMemory(w.now()),
		"in diagnosis":         timeout().InDiagnosis(),
		"with nothing in them": said(""),
	}
	for _, c := range cause.All() {
		verdicts[c.ID] = cause.Diagnosed(timeout(), c.ID, nil, "", "", "")
	}
	m := New(manyEntries, w.now())
	for name, v := range verdicts {
		for i := range 3 {
			k := key(fmt.Sprintf("%d.example.org.", i))
			m.Note(k, v, 1, w.now())
			got, found, ok := m.Recall(k, w.now())
			if !ok || !found.Equal(w.now()) || !alike(v, got) || got.Trace() != nil {
				t.Errorf("%s, question %d: %+v, want %+v", name, i, got, v)
			}
			w.pass(renewAfter)
		}
	}
}

func TestAFailureIsRememberedForFiveMinutesAndNotLonger(t *testing.T) {
	// RFC 9520 section 3.2.
	w := newWatch()
	m := New(manyEntries, w.now())
	k := key("www.example.org.")
	m.Note(k, timeout(), 1, w.now())
	w.pass(maxAge)
	if v, _ := m.RecallCached(k, w.now()); v == nil {
		t.Error("forgotten too early")
	}
	w.pass(1)
	if v, _ := m.RecallCached(k, w.now()); v != nil || m.Len() != 0 {
		t.Errorf("remembered for more than five minutes, %d held", m.Len())
	}
}

func TestAVerdictOutOfTheCacheIsMadeOnceASecond(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	k, other := key("www.example.org."), key("www.example.net.")
	v := timeout()
	for _, k := range []*Key{key("a."), key("b."), k, other} {
		m.Note(k, v, 1, w.now())
	}
	first, _ := m.RecallCached(k, w.now())
	if again, _ := m.RecallCached(other, w.now()); again != first {
		t.Error("two questions that failed alike in one second have two verdicts")
	}
	if n := testing.AllocsPerRun(100, func() { m.RecallCached(k, w.now()) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	w.pass(2 * time.Second)
	m.Note(k, v, 1, w.now())
	if later, _ := m.RecallCached(k, w.now()); later == first || !strings.HasSuffix(later.Text(), "(cached, found 14:00:02Z)") {
		t.Errorf("%q", later.Text())
	}
}

// Half a digest that is another question's cannot be found by trying: it is put there.
func TestQuestionsInOnePlaceAreNotTakenForEachOther(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	k, other := key("www.example.org."), key("other.example.net.")
	m.Note(k, timeout(), 1, w.now())
	e, _ := m.questions.Get(k.digest().place)
	m.put(other, other.digest().place, e)
	if _, _, ok := m.Recall(other, w.now()); ok {
		t.Error("another question's verdict was recalled")
	}
	if v, _ := m.RecallCached(other, w.now()); v != nil {
		t.Error("another question's verdict was recalled for a failure from cache")
	}
	m.Succeeded(other, w.now(), func(Key, uint64) { t.Error("another question's incident has a good answer") })
	if _, _, ok := m.Recall(k, w.now()); !ok {
		t.Error("a success of another question forgot this one")
	}
	m.Note(other, timeout(), 1, w.now())
	if _, _, ok := m.Recall(other, w.now()); !ok {
		t.Error("the failure that came last is not remembered")
	}
}

func TestEveryPartOfAKeyCounts(t *testing.T) {
	w := newWatch()
	base := *key("www.example.org.")
	m := New(manyEntries, w.now())
	m.Note(&base, timeout(), 1, w.now())
	seen := map[digest]string{base.digest(): "base"}
	for name, change := range map[string]func(k *Key){
		"block":       func(k *Key) { k.Block = 2 },
		"high block":  func(k *Key) { k.Block |= 1 << 40 },
		"name":        func(k *Key) { k.Name = "ww.example.org." },
		"long name":   func(k *Key) { k.Name = strings.Repeat("x", 300) },
		"longer name": func(k *Key) { k.Name = strings.Repeat("x", 301) },
		"type":        func(k *Key) { k.Qtype = dns.TypeAAAA },
		"class":       func(k *Key) { k.Qclass = dns.ClassCHAOS },
		"DO":          func(k *Key) { k.DO = true },
		"CD":          func(k *Key) { k.CD = true },
		"refused":     func(k *Key) { k.Refused = true },
		"type, class": func(k *Key) { k.Qtype, k.Qclass = k.Qclass, k.Qtype+1 },
	} {
		k := base
		change(&k)
		if same := seen[k.digest()]; same != "" {
			t.Errorf("%s: the digest is that of %s", name, same)
		}
		seen[k.digest()] = name
		if _, _, ok := m.Recall(&k, w.now()); ok {
			t.Errorf("%s: recalled", name)
		}
	}
}

func TestASealedKeyIsTheSameQuestion(t *testing.T) {
	w := newWatch()
	open, sealed := *key("www.example.org."), *key("www.example.org.")
	open.DO, sealed.DO = true, true
	sealed.Seal()
	m := New(manyEntries, w.now())
	m.Note(&sealed, timeout(), 1, w.now())
	if _, _, ok := m.Recall(&open, w.now()); !ok {
		t.Error("what was noted under a sealed key is not recalled under an open one")
	}
	ended := 0
	sealed.DO = false
	sealed.Seal()
	m.Succeeded(&sealed, w.now(), func(Key, uint64) { ended++ })
	if ended != 1 {
		t.Errorf("a success of the same name ended %d failures, want that of the query with DO", ended)
	}
}

func TestTheDigestOfAQuestionTakesNoMemory(t *testing.T) {
	k := key("www.example.org.")
	if n := testing.AllocsPerRun(100, func() { k.digest() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAFailureThatIsKnownIsRememberedAnewOnlyWhenItChangesOrAges(t *testing.T) {
	for _, c := range []struct {
		name     string
		after    time.Duration
		text     string
		incident uint64
		anew     bool
	}{
		{"the same at once", renewAfter - time.Nanosecond, "x", 1, false},
		{"the same later", renewAfter, "x", 1, true},
		{"another text at once", time.Millisecond, "y", 1, true},
		{"another incident at once", time.Millisecond, "x", 2, true},
	} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, shared), func(t *testing.T) {
				w := newWatch()
				m := New(manyEntries, w.now())
				if shared {
					m.Note(key("a."), said("x"), 1, w.now())
				}
				k := key("www.example.org.")
				m.Note(k, said("x"), 1, w.now())
				w.pass(c.after)
				m.Note(k, said(c.text), c.incident, w.now())
				v, found, ok := m.Recall(k, w.now())
				if !ok || found.Equal(w.now()) != c.anew || !alike(v, said(c.text)) {
					t.Errorf("found %v, now %v, %+v", found, w.now(), v)
				}
				if d := k.digest(); shared {
					if e, _ := m.questions.Get(d.place); e.verdict&own != 0 && c.text == "x" {
						t.Error("the second question with this text has a copy of its own")
					}
				}
			})
		}
	}
}

func TestAQuestionCountsUnderTheIncidentThatItFailedForLast(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	k, v := key("www.example.org."), timeout()
	tooLong := said(strings.Repeat("x", 1<<20))
	if m.verdicts.keep(tooLong, k.Name, 0) != 0 {
		t.Fatal("no verdict is too long")
	}
	if before := m.Recount(k, 9, w.now()); before != 0 || m.Len() != 0 {
		t.Errorf("what is not remembered counted under %d", before)
	}
	for i, c := range []struct {
		count        func() uint64
		before, last uint64
	}{
		{func() uint64 { return m.Note(k, v, 1, w.now()) }, 0, 1},
		{func() uint64 { return m.Note(k, v, 1, w.now()) }, 0, 1},
		{func() uint64 { return m.Note(k, said("x"), 1, w.now()) }, 0, 1},
		{func() uint64 { return m.Note(k, said("x"), 2, w.now()) }, 1, 2},
		{func() uint64 { return m.Recount(k, 2, w.now()) }, 0, 2},
		{func() uint64 { return m.Recount(k, 3, w.now()) }, 2, 3},
		{func() uint64 { return m.Note(k, tooLong, 4, w.now()) }, 3, 4},
	} {
		if before := c.count(); before != c.before {
			t.Errorf("step %d: it counted under %d, want %d", i, before, c.before)
		}
		if e, _ := m.lookup(k.digest(), 0); e.incident != c.last {
			t.Errorf("step %d: it counts under %d, want %d", i, e.incident, c.last)
		}
	}
	if got, _, ok := m.Recall(k, w.now()); !ok || !alike(got, said("x")) {
		t.Errorf("%v, %+v is remembered", ok, got)
	}
}

func TestASuccessForgetsAllFormsAndTellsTheirIncidents(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	base := key("www.example.org.")
	if !m.Quiet() || m.MayHave(base) {
		t.Error("an empty memory is not quiet")
	}
	for f := range forms {
		k := base.in(f)
		m.Note(&k, timeout(), uint64(f), w.now())
	}
	var told []uint64
	m.Succeeded(base, w.now(), func(_ Key, incident uint64) { told = append(told, incident) })
	if len(told) != int(forms) || m.Len() != 0 {
		t.Errorf("incidents %v, %d questions left", told, m.Len())
	}
}

func TestASuccessIsHeardOfWhateverIsExpiredBetween(t *testing.T) {
	w := newWatch()
	m, v := New(manyEntries, w.now()), timeout()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				m.rest.Store(0)
				m.Expire(w.now())
			}
		}
	})
	for i := range 20_000 {
		k := key(fmt.Sprintf("n%d.example.org.", i))
		m.Note(k, v, 1, w.now())
		m.Succeeded(k, w.now(), func(Key, uint64) {})
		if _, _, ok := m.Recall(k, w.now()); ok {
			t.Errorf("%s resolved and is remembered as failing", k.Name)
			break
		}
	}
	close(stop)
	wg.Wait()
}

func TestALookForWhatIsTooOldIsFollowedByARest(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	for i := range 1000 {
		m.Note(key(fmt.Sprintf("n%d.example.org.", i)), timeout(), 1, w.now())
	}
	w.pass(maxAge)
	m.Expire(w.now())
	w.pass(time.Millisecond)
	if m.Expire(w.now()); m.Len() != 1000 {
		t.Error("it was looked for at once again")
	}
	w.pass(1000 * walkPerEntry)
	if m.Expire(w.now()); m.Len() != 0 || !m.Quiet() {
		t.Errorf("%d questions are held after their time, quiet %v", m.Len(), m.Quiet())
	}
}

func TestAReloadTakesOverUnchangedBlocksWithTheirTimes(t *testing.T) {
	w := newWatch()
	old := New(manyEntries, w.now())
	questions := map[string]*cause.Verdict{"a.": timeout(), "b.": timeout(), "c.": timeout(), "d.": said("d."), "e.": said("e.")}
	for name, v := range questions {
		old.Note(key(name), v, 7, w.now())
	}
	gone := *key("a.")
	gone.Block = 2
	old.Note(&gone, timeout(), 7, w.now())
	found := w.now()
	w.pass(time.Minute)
	m := New(manyEntries/2, w.now())
	m.Adopt(old, map[uint64]bool{1: true}, w.now())
	for name, v := range questions {
		got, at, ok := m.Recall(key(name), w.now())
		if !ok || !at.Equal(found) || !alike(got, v) {
			t.Errorf("%s: %v, found %v, %+v", name, ok, at, got)
		}
	}
	if _, _, ok := m.Recall(&gone, w.now()); ok {
		t.Error("a block that changed kept what is remembered")
	}
	heard := uint64(0)
	if m.Succeeded(key("a."), w.now(), func(_ Key, incident uint64) { heard = incident }); heard != 7 {
		t.Errorf("a success after a reload is told to incident %d", heard)
	}
	w.pass(4*time.Minute + 1)
	if _, _, ok := m.Recall(key("b."), w.now()); ok {
		t.Error("a reload made it young again")
	}
}

func TestTheMemoryBearsConcurrentUse(t *testing.T) {
	began := time.Now()
	m, old := New(1024, began), New(1024, began)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 3000 {
				k, now := key(fmt.Sprintf("n%d.example.org.", i%400)), began.Add(time.Duration(i)*100*time.Millisecond)
				v := said(fmt.Sprintf("reason %d", i%(50*(worker+1))))
				m.Note(k, v, 1, now)
				old.Note(k, v, 1, now)
				if got, _, ok := m.Recall(k, now); ok && got.Cause != v.Cause {
					t.Errorf("%+v", got)
				}
				m.RecallCached(k, now)
				m.Succeeded(k, now, func(Key, uint64) {})
			}
		})
	}
	wg.Go(func() {
		for i := range 30 {
			now := began.Add(time.Duration(i) * 10 * time.Second)
			m.Age(now)
			m.Expire(now)
			m.Adopt(old, map[uint64]bool{1: true}, now)
		}
	})
	wg.Wait()
	if n := m.Len(); n > 1024 {
		t.Errorf("%d questions", n)
	}
}

func BenchmarkNote(b *testing.B) {
	m, v, now := New(manyEntries, time.Now()), forAll(b, "192.0.2.53:53"), time.Now()
	for name, k := range map[string]func(i int) *Key{
		"again": func(int) *Key { return key("www.example.org.") },
		"anew":  func(i int) *Key { return key(fmt.Sprintf("n%d.example.org.", i)) },
	} {
		b.Run(name, func(b *testing.B) {
			keys := make([]*Key, 100_000)
			for i := range keys {
				keys[i] = k(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Note(keys[i%len(keys)], v, 1, now)
			}
		})
	}
}

func BenchmarkRecallCached(b *testing.B) {
	m, now := New(manyEntries, time.Now()), time.Now()
	k := key("www.example.org.")
	m.Note(k, timeout(), 1, now)
	b.ReportAllocs()
	for b.Loop() {
		m.RecallCached(k, now)
	}
}

// BenchmarkCollection is what the collector spends on a memory that is full.
func BenchmarkCollection(b *testing.B) {
	for _, entries := range []int{0, 1_000_000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			now, v := time.Now(), timeout()
			m := New(max(entries, 1), now)
			for i := range entries {
				m.Note(key(fmt.Sprintf("n%d.example.org.", i)), v, 1, now)
			}
			for b.Loop() {
				runtime.GC()
			}
			runtime.KeepAlive(m)
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	k := key("www.example.org.")
	for b.Loop() {
		k.digest()
	}
}
