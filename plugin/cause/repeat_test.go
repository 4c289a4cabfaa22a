package cause

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// ownOf are the facts that failures which are alike may differ in: those that no
// verdict of sameForAll is made of, and those that repeats leaves out.
var ownOf = []string{
	"Question", "Name", "Asked", "CacheQuestion", "Time", "Elapsed", "UpstreamElapsed", "LastGood", "LastAnswer", "Failure.Err",
	"Opcode", "Nested", "Panic", "Earlier",
}

// setEach calls f with copies of e that differ from it in one fact each.
func setEach(v reflect.Value, name string, f func(name string)) {
	if slices.Contains(ownOf, name) {
		return
	}
	old := reflect.ValueOf(v.Interface())
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				inner := v.Type().Field(i).Name
				if name != "" {
					inner = name + "." + inner
				}
				setEach(v.Field(i), inner, f)
			}
			return
		}
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Slice:
		if v.Len() > 0 {
			setEach(v.Index(0), name+"[0]", f)
		}
		v.Set(reflect.Append(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, 1), v), reflect.Zero(v.Type().Elem())))
	default:
		panic(name + " is of a kind that this test does not know")
	}
	f(name)
	v.Set(old)
}

func TestEveryFactThatAVerdictIsMadeOfIsCompared(t *testing.T) {
	e := evidenceOf([]byte("\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x02\x02"), "reason")
	same := *e
	same.Path, same.Upstreams, same.Options = slices.Clone(e.Path), slices.Clone(e.Upstreams), slices.Clone(e.Options)
	if !alike(e, &same) {
		t.Fatal("evidence is not like itself")
	}
	names := 0
	setEach(reflect.ValueOf(e).Elem(), "", func(name string) {
		names++
		if alike(e, &same) {
			t.Errorf("evidence that differs in %s is taken to be alike", name)
		}
	})
	if !alike(e, &same) || names < 30 {
		t.Errorf("%d facts were set", names)
	}
}

// another returns e as of another query that failed in the same way.
func another(e *ev.Evidence) *ev.Evidence {
	o := *e
	o.Question.Name, o.Asked.Name, o.CacheQuestion.Name = "other.example.net.", "asked.example.net.", "cached.example.net."
	o.Elapsed, o.UpstreamElapsed, o.LastGood = e.Elapsed+time.Second, e.UpstreamElapsed+time.Minute, time.Unix(2, 0)
	o.LastAnswer, o.Time = time.Unix(3, 0), time.Unix(4, 0)
	if e.Failure.Err != nil {
		o.Failure.Err = errors.New("another wording")
	}
	o.Path, o.Upstreams, o.Options = slices.Clone(e.Path), slices.Clone(e.Upstreams), slices.Clone(e.Options)
	return &o
}

// A verdict that is given again says what one of its own would say, for every
// rule: there is evidence of each plugin, kind of error and shape.
func TestAVerdictGivenAgainIsTheOneThatWouldBeFound(t *testing.T) {
	c, random := NewClassifier(), rand.New(rand.NewPCG(1, 2))
	again := make(map[string]bool)
	for at := range plugins {
		for kind := range int(ev.Other) + 1 {
			for range 60 {
				b := []byte{byte(at), 1, byte(at), 0, 0, byte(kind), 0, 0, 0, 0, 0, 0}
				for _, i := range []int{3, 6, 7, 8, 9, 10, 11} {
					b[i] = byte(random.Uint32())
				}
				b[3] %= byte(ev.Panicked)
				e := evidenceOf(b, "reason")
				c.Classify(e)
				o := another(e)
				got := c.Classify(o)
				want := Classify(o)
				if got.Cause != want.Cause || !slices.Equal(got.Statements, want.Statements) || got.Own != want.Own || got.At != want.At ||
					got.Upstream != want.Upstream || got.Zone != want.Zone || got.Lasts != want.Lasts || got.Owner != want.Owner || got.Advice != want.Advice {
					t.Fatalf("%+v\n%s is put down to %+v, want %+v", o, o.At, got, want)
				}
				if got.Shared() && got.seen != o {
					again[got.Cause.ID] = true
				}
			}
		}
	}
	for _, id := range []string{"upstream_unreachable", "upstream_servfail", "upstream_ede", "acl_block", "cached_failure", "zone_not_loaded"} {
		if !again[id] {
			t.Errorf("no verdict of %s was given again", id)
		}
	}
	for _, id := range []string{"upstream_timeout", "no_next_plugin", "hosts_miss", "panic", "unknown"} {
		if again[id] {
			t.Errorf("a verdict of %s, which says what its query was, was given again", id)
		}
	}
}

func TestAVerdictGivenAgainCostsNothing(t *testing.T) {
	e := errored("forward", dns.RcodeServerFailure, ev.ConnRefused)
	e.Upstream = "192.0.2.53:53"
	c := NewClassifier()
	first := c.Classify(&e)
	o := another(&e)
	if n := testing.AllocsPerRun(100, func() {
		v := c.Classify(o)
		if v != first {
			t.Fatalf("%p, want %p", v, first)
		}
		v.Options(BriefWords, true, false)
		v.FromMemory(time.Unix(1, 0)).Options(BriefWords, true, false)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWhatIsRestoredOfAVerdictIsWithoutEvidence(t *testing.T) {
	e := errored("forward", dns.RcodeServerFailure, ev.ConnRefused)
	v := NewClassifier().Classify(&e)
	if kept := Restored(*v, v.Marks()); kept.seen != nil || len(kept.Trace()) > 0 || kept.Marks() != v.Marks() {
		t.Errorf("%+v", kept)
	}
	if v.seen == nil || len(v.Trace()) == 0 {
		t.Error("the verdict itself has lost its facts")
	}
}

// Copies of a verdict that say something else are not put into its words.
func TestAChangedCopyOfAVerdictGivenAgainHasWordsOfItsOwn(t *testing.T) {
	e := errored("forward", dns.RcodeServerFailure, ev.ConnRefused)
	e.Upstream = "192.0.2.53:53"
	v := NewClassifier().Classify(&e)
	v.Options(BriefWords, true, false)
	said := []option.Option{{Code: 7, Text: "signature expired"}}
	for name, changed := range map[string]*Verdict{
		"relayed": Relayed(v, said), "keeping": v.Keeping(said), "dated": v.Dated(time.Unix(0, 0)),
		"from memory": v.FromMemory(time.Unix(0, 0)), "another time": v.FromMemory(time.Unix(3600, 0)),
	} {
		if got, was := changed.Options(BriefWords, true, false), v.Options(BriefWords, true, false); slices.Equal(got, was) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if early, late := v.FromMemory(time.Unix(0, 0)), v.FromMemory(time.Unix(3600, 0)); early.Text() == late.Text() {
		t.Errorf("%q twice", early.Text())
	}
}

func TestAClassifierHoldsNoMoreThanItsPlaces(t *testing.T) {
	c := NewClassifier()
	failed := func(i int) *ev.Evidence {
		e := errored("forward", dns.RcodeServerFailure, ev.ConnRefused)
		e.Upstream = fmt.Sprintf("192.0.2.%d:%d", i%250, i)
		return &e
	}
	const upstreams = 20 * maxRepeated
	for i := range upstreams {
		c.Classify(failed(i))
	}
	held := 0
	for i := range upstreams {
		e := failed(i)
		if place := c.verdicts[c.hash(e)%maxRepeated].Load(); alike(place.seen, e) {
			held++
		}
	}
	if held > maxRepeated || held < maxRepeated/2 {
		t.Errorf("%d verdicts of %d are held, want at most %d", held, upstreams, maxRepeated)
	}
}

func TestAClassifierIsSafeForConcurrentUse(t *testing.T) {
	c := NewClassifier()
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2000 {
				e := errored("forward", dns.RcodeServerFailure, ev.Kind(1+(i+g)%7))
				e.Upstream = fmt.Sprintf("192.0.2.%d:53", i%200)
				v := c.Classify(&e)
				if v.Upstream != e.Upstream || v.Cause != Classify(&e).Cause {
					t.Errorf("%s of %s for %s", v.Cause.ID, v.Upstream, e.Upstream)
				}
				v.FromMemory(time.Unix(int64(i), 0)).Options(FullWords, i%2 == 0, false)
			}
		})
	}
	all.Wait()
}
