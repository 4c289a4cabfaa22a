package remarks

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// clock is one that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.Date(2026, 11, 20, 14, 2, 11, 0, time.UTC)} }

func question(n int) Question {
	return Question{Block: 1, Name: fmt.Sprintf("host%d.example.org.", n), Qtype: 1, Qclass: 1, Rcode: 2}
}

func TestWhatWasSaidIsRememberedForItsTime(t *testing.T) {
	c := newClock()
	m := New(100, c.now)
	if !m.Quiet() {
		t.Error("a new memory holds something")
	}
	said := Said{By: "192.0.2.53:53", At: c.t, Options: []option.Option{{Code: 9, Text: "no DNSKEY"}, {Code: 22}}}
	m.Put(question(1), said, time.Minute)
	got, ok := m.Get(question(1))
	if !ok || got.By != said.By || !got.At.Equal(said.At) || !reflect.DeepEqual(got.Options, said.Options) {
		t.Errorf("got %+v, %v, want %+v", got, ok, said)
	}
	for name, other := range map[string]func(*Question){
		"another block": func(q *Question) { q.Block = 2 }, "another name": func(q *Question) { q.Name = "example.org." },
		"another type": func(q *Question) { q.Qtype = 28 }, "another class": func(q *Question) { q.Qclass = 3 },
		"with DO": func(q *Question) { q.DO = true }, "with CD": func(q *Question) { q.CD = true }, "REFUSED": func(q *Question) { q.Rcode = 5 },
	} {
		q := question(1)
		other(&q)
		if _, ok := m.Get(q); ok {
			t.Errorf("%s is taken for the same question", name)
		}
	}
	c.t = c.t.Add(time.Minute)
	if _, ok := m.Get(question(1)); ok {
		t.Error("it is remembered beyond its time")
	}
}

func TestWhatIsForgottenIsGone(t *testing.T) {
	c := newClock()
	m := New(100, c.now)
	m.Put(question(1), Said{At: c.t}, time.Minute)
	m.Put(question(2), Said{At: c.t}, time.Minute)
	m.Forget(question(1))
	if _, ok := m.Get(question(1)); ok {
		t.Error("it is there")
	}
	m.Put(question(2), Said{At: c.t}, 0)
	if !m.Quiet() || m.Len() != 0 {
		t.Errorf("%d questions are held, quiet %v", m.Len(), m.Quiet())
	}
	var none *Memory
	if _, ok := none.Get(question(1)); ok || !none.Quiet() || none.Len() != 0 {
		t.Error("no memory remembers")
	}
}

func TestWhatIsNewerStandsInPlaceOfTheOlder(t *testing.T) {
	c := newClock()
	m := New(4, c.now) // two questions a generation
	m.Put(question(1), Said{At: c.t, Options: []option.Option{{Code: 6}}}, time.Minute)
	m.Put(question(2), Said{At: c.t}, time.Minute)
	m.Put(question(3), Said{At: c.t}, time.Minute) // the first two are old now
	m.Put(question(1), Said{At: c.t, Options: []option.Option{{Code: 9}}}, time.Minute)
	if got, ok := m.Get(question(1)); !ok || got.Options[0].Code != 9 {
		t.Errorf("got %+v, %v", got, ok)
	}
	if m.Len() != 3 {
		t.Errorf("%d questions are held, want 3", m.Len())
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	const entries = 1000
	c := newClock()
	m := New(entries, c.now)
	long := Said{By: strings.Repeat("b", 1000), At: c.t}
	for code := range uint16(8) {
		long.Options = append(long.Options, option.Option{Code: code, Text: strings.Repeat("long ", 100)})
	}
	for n := range 20 * entries {
		m.Put(question(n), Said{At: c.t, Options: []option.Option{{Code: 6, Text: "short"}}}, time.Hour)
		if n%3 == 0 {
			m.Put(question(n), long, time.Hour)
		}
		if m.Len() > entries {
			t.Fatalf("%d questions are held, want at most %d", m.Len(), entries)
		}
	}
	if got, ok := m.Get(question(20*entries - 1)); !ok || got.Options[0].Code != 6 && got.Options[0].Code != 0 {
		t.Errorf("the last one is %+v, %v", got, ok)
	}
	if octets := len(m.young.octets) + len(m.old.octets); octets > entries*octetsEach {
		t.Errorf("%d octets are held, want at most %d", octets, entries*octetsEach)
	}
	got := saidOf(long.octets(), c.t)
	text := 0
	for _, o := range got.Options {
		text += len(o.Text)
	}
	if text > option.MaxText || len(got.Options) != 8 || len(got.By) > maxSource || len(long.octets()) > maxSaid {
		t.Errorf("%d octets of text, %d options, an address of %d", text, len(got.Options), len(got.By))
	}
}

func TestAQuestionTakesAtMost150OctetsOfHeapAndItsText(t *testing.T) {
	const entries = 20000
	var before, after runtime.MemStats
	m := New(entries, time.Now)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range entries / 2 {
		m.Put(question(n), Said{}, time.Hour)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)) / (entries / 2); each > 150 {
		t.Errorf("%.0f octets a question", each)
	}
	runtime.KeepAlive(m)
}

func TestARecordHasNoPointers(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[record](), reflect.TypeFor[key]()} {
		if pointers(typ) {
			t.Errorf("%v has pointers", typ)
		}
	}
}

func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return pointers(t.Elem())
	}
	return t.Kind() > reflect.Complex128
}

func TestAMemoryIsUsedFromManySides(t *testing.T) {
	m := New(100, time.Now)
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for i := range 500 {
				q := question(i % (40 + n))
				m.Put(q, Said{At: time.Now(), Options: []option.Option{{Code: uint16(i), Text: "text"}}}, time.Minute)
				if said, ok := m.Get(q); ok && said.Options[0].Text != "text" {
					t.Errorf("got %+v", said)
				}
				if i%7 == 0 {
					m.Forget(q)
				}
			}
		})
	}
	wait.Wait()
}

// FuzzSaid has texts and codes as upstreams may send them come out as they are kept.
func FuzzSaid(f *testing.F) {
	f.Add("192.0.2.53:53", uint16(6), "bogus", uint16(22), `{"c":["mailto:a@example.org"]}`)
	f.Add("", uint16(65535), "\x00\xff\r\n", uint16(0), strings.Repeat("x", 3000))
	f.Fuzz(func(t *testing.T, by string, code uint16, text string, other uint16, more string) {
		said := Said{By: by, Options: []option.Option{{Code: code, Text: text}, {Code: other, Text: more}}}
		b := said.octets()
		if len(b) > maxSaid {
			t.Fatalf("%d octets", len(b))
		}
		got := saidOf(b, time.Time{})
		if len(got.Options) != 2 || got.Options[0].Code != code || got.Options[1].Code != other {
			t.Errorf("got %+v of %+v", got, said)
		}
		if again := saidOf(got.octets(), time.Time{}); !reflect.DeepEqual(again, got) {
			t.Errorf("%+v becomes %+v", got, again)
		}
	})
}
