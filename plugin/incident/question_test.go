package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// under returns f as a failure for another cause, as after a diagnosis.
func under(id string, f *Failure) *Failure {
	other := *f
	other.ID.Cause = id
	return &other
}

// fromCache returns f as a failure that came from cache.
func fromCache(f *Failure) *Failure {
	other := *f
	other.Cached = true
	return &other
}

// over sweeps table, and returns the causes of the incidents that are told to have
// recovered, and of those that go on and have moved.
func over(t *testing.T, table *Table) (recovered, hasMoved []string) {
	t.Helper()
	ended, _ := table.Sweep()
	for _, in := range ended {
		recovered = append(recovered, in.Cause)
		if !in.Over || !in.Recovered() {
			t.Errorf("%s is told to have recovered and has not", in.Cause)
		}
	}
	for _, in := range table.Incidents() {
		if in.Moved() {
			hasMoved = append(hasMoved, in.Cause)
		}
	}
	slices.Sort(recovered)
	return recovered, hasMoved
}

// noneIsTwo checks that no incident has both moved and recovered.
func noneIsTwo(t *testing.T, table *Table) {
	t.Helper()
	for _, in := range table.Incidents() {
		if in.Moved() && in.Recovered() {
			t.Errorf("%s has moved and recovered", in.Cause)
		}
	}
}

// What fails, is answered, or is remembered in each case is told one second after the other.
func TestAQuestionCountsUnderOneIncident(t *testing.T) {
	const first, refined = "upstream_servfail", "refined"
	w := newWatch()
	a, b := servfail("a.example.org."), servfail("b.example.org.")
	if a.ID.Cause != first {
		t.Fatalf("the cause is %s", a.ID.Cause)
	}
	silent := failure("a.example.org.", "example.org.")
	silence := silent.ID.Cause
	asked := failure("b.example.org.", "example.org.")
	fails := func(f *Failure) func(*Table) { return func(table *Table) { table.Failed(f) } }
	resolves := func(f *Failure) func(*Table) { return func(table *Table) { table.Succeeded(&f.Key) } }
	refreshed := func(f *Failure) func(*Table) {
		return func(table *Table) { table.Remember(&f.Key, f.Verdict, f.ID.Zone) }
	}
	waits := func(*Table) { w.pass(quietFor) }
	sweeps := func(table *Table) { _, _ = over(t, table) }
	for name, c := range map[string]struct {
		steps []func(*Table)
		// recovered are told to have recovered when all is quiet, moved go on then although
		// their names fail for another cause, and late are told after five minutes.
		recovered, moved, late []string
	}{
		"its cause is refined":          {[]func(*Table){fails(a), fails(under(refined, a))}, nil, []string{first}, nil},
		"its cause is refined in cache": {[]func(*Table){fails(a), fails(fromCache(under(refined, a)))}, nil, []string{first}, nil},
		"and it resolves":               {[]func(*Table){fails(a), fails(under(refined, a)), resolves(a)}, []string{refined, first}, nil, nil},
		"and it resolves after a failure from cache": {
			[]func(*Table){fails(a), fails(fromCache(under(refined, a))), resolves(a)}, []string{refined, first}, nil, nil,
		},
		"causes take turns": {
			[]func(*Table){fails(a), fails(under(refined, a)), fails(a), resolves(a)}, []string{refined, first}, nil, nil,
		},
		"causes take turns after an answer": {
			[]func(*Table){fails(a), resolves(a), fails(under(refined, a))}, nil, []string{first}, nil,
		},
		"causes take turns after an answer, and it resolves": {
			[]func(*Table){fails(a), resolves(a), fails(under(refined, a)), resolves(a)}, []string{refined, first}, nil, nil,
		},
		"causes take turns after an answer, and it resolves later": {
			[]func(*Table){fails(a), resolves(a), waits, fails(under(refined, a)), sweeps, resolves(a)}, []string{refined, first}, nil, nil,
		},
		"the other question resolved before": {
			[]func(*Table){fails(a), fails(b), resolves(b), fails(under(refined, a))}, nil, []string{first}, []string{first},
		},
		"the other question resolves afterwards": {
			[]func(*Table){fails(a), fails(b), fails(under(refined, a)), resolves(b)}, nil, []string{first}, []string{first},
		},
		"the other question resolves, and this one failed last": {
			[]func(*Table){fails(b), fails(a), resolves(b), fails(a), fails(under(refined, a))}, nil, []string{first}, []string{first},
		},
		"the other question fails on": {
			[]func(*Table){fails(a), fails(b), fails(under(refined, a)), resolves(a)}, []string{refined}, nil, nil,
		},
		"it resolved, failed again, and was refined": {
			[]func(*Table){fails(a), resolves(a), fails(a), fails(under(refined, a))}, nil, []string{first}, nil,
		},
		"of a cause that one answer ends": {
			[]func(*Table){fails(silent), fails(under(refined, silent))}, nil, []string{silence}, nil,
		},
		"of a cause that one answer ends, and it resolves": {
			[]func(*Table){fails(silent), fails(under(refined, silent)), resolves(silent)}, []string{refined, silence}, nil, nil,
		},
		"of a cause that one answer ends, after an answer": {
			[]func(*Table){fails(silent), fails(asked), resolves(asked), fails(silent), fails(under(refined, silent))}, nil, []string{silence}, nil,
		},
		"of a cause that one answer ends, before an answer": {
			[]func(*Table){fails(silent), fails(asked), fails(under(refined, silent)), resolves(asked)}, []string{silence}, nil, nil,
		},
		"of a cause that one answer ends, after which another one goes on": {
			[]func(*Table){fails(silent), resolves(silent), fails(under(refined, silent))}, []string{silence}, nil, nil,
		},
		"a refresh finds another cause that goes on": {
			[]func(*Table){fails(a), fails(asked), refreshed(silent), resolves(asked)}, []string{silence}, []string{first}, nil,
		},
		"a refresh finds a cause that no client has met": {
			[]func(*Table){fails(a), refreshed(silent), resolves(a)}, []string{first}, nil, nil,
		},
		"a refresh finds it, and a client meets it in cache": {
			[]func(*Table){fails(a), refreshed(silent), fails(fromCache(silent))}, nil, []string{first}, nil,
		},
		"a refresh finds that the cause goes on": {
			[]func(*Table){fails(silent), fails(asked), resolves(asked), refreshed(silent)}, nil, nil, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := New(DefaultEntries, w.now)
			for _, step := range c.steps {
				step(table)
				w.pass(time.Second)
			}
			noneIsTwo(t, table)
			w.pass(quietFor)
			recovered, moved := over(t, table)
			if !slices.Equal(recovered, c.recovered) || !slices.Equal(moved, c.moved) {
				t.Errorf("%v recovered, %v moved, want %v and %v", recovered, moved, c.recovered, c.moved)
			}
			w.pass(forgottenAfter)
			if late, _ := over(t, table); !slices.Equal(late, c.late) {
				t.Errorf("%v recovered late, want %v", late, c.late)
			}
			if left := table.Incidents(); len(left) != 0 {
				t.Errorf("%+v go on", left)
			}
		})
	}
}

func TestAnIncidentWhoseQuestionsAllMovedTellsWhatIsUntold(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	table.Keep(NewHistory(w.now))
	f := servfail("www.example.org.")
	table.Failed(f)
	table.Untold(&f.ID, f.Key.Name, false)
	table.Failed(under("refined", f))
	if in := table.Incidents()[1]; !in.Moved() || in.Recovered() {
		t.Errorf("moved %v, recovered %v", in.Moved(), in.Recovered())
	}
	w.pass(forgottenAfter)
	table.Failed(under("refined", f))
	recovered, forgotten := table.Sweep()
	if len(recovered) != 0 || len(forgotten) != 1 || forgotten[0].Untold == nil || forgotten[0].Untold.Window != 1 {
		t.Fatalf("%+v, %+v", recovered, forgotten)
	}
	if s := table.Snapshot(); len(s.Open) != 1 || len(s.Ended) != 1 || !s.Ended[0].Moved() || s.Ended[0].Recovered() {
		t.Errorf("open %+v, ended %+v", s.Open, s.Ended)
	}
}

// A failure that is not remembered by its question is not known to be over.
func TestAnIncidentWithAFailureThatNobodyHearsOfHasNotRecovered(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	f := servfail("www.example.org.")
	unknown := *f
	unknown.Key = Key{}
	table.Failed(f)
	table.Failed(&unknown)
	w.pass(time.Second)
	if table.Succeeded(&f.Key); ends(table, w) {
		t.Error("recovered")
	}
}

func TestAReloadJoinsTheQuestionsOfOneIncident(t *testing.T) {
	w := newWatch()
	began := w.now()
	old, table := New(DefaultEntries, w.now), New(DefaultEntries, w.now)
	a, b := servfail("a.example.org."), servfail("b.example.org.")
	old.Failed(a)
	w.pass(time.Second)
	table.Failed(b)
	table.Adopt(old, map[uint64]bool{1: true})
	table.Succeeded(&b.Key)
	if ends(table, w) {
		t.Fatal("recovered, though a name fails that the table before knows of")
	}
	if in := table.Incidents()[0]; in.Count != 2 || !in.First.Equal(began) {
		t.Errorf("%d failures since %v", in.Count, in.First)
	}
	later := New(DefaultEntries, w.now)
	later.Failed(servfail("c.example.org."))
	later.Adopt(table, map[uint64]bool{1: true})
	if got, want := later.Incidents()[0].LastGood, table.Incidents()[0].LastGood; want.IsZero() || !got.Equal(want) {
		t.Errorf("the last good answer was at %v, and is at %v", want, got)
	}
	if table.Succeeded(&a.Key); !ends(table, w) {
		t.Error("not recovered, though both resolve")
	}
}

func TestAReloadOverflowsNoIncident(t *testing.T) {
	w := newWatch()
	old, table := New(DefaultEntries, w.now), New(DefaultEntries, w.now)
	for i := range maxOpen {
		old.Failed(servfail(fmt.Sprintf("old%d.example.org.", i)))
		table.Failed(servfail(fmt.Sprintf("new%d.example.org.", i)))
	}
	table.Adopt(old, map[uint64]bool{1: true})
	if in := table.Incidents()[0]; len(in.open.questions) > maxOpen || !in.open.more {
		t.Errorf("%d questions are followed", len(in.open.questions))
	}
}

func TestAnAnsweredQuestionMakesRoomForOneThatFails(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for i := range 3 * maxOpen {
		f := servfail(fmt.Sprintf("n%d.example.org.", i))
		table.Failed(f)
		table.Succeeded(&f.Key)
	}
	if !ends(table, w) {
		t.Error("not recovered, though each name resolves")
	}
}

func TestAListOfIncidentsStaysAsItIs(t *testing.T) {
	table := New(DefaultEntries, newWatch().now)
	f := servfail("www.example.org.")
	table.Failed(f)
	before := table.Incidents()[0]
	table.Succeeded(&f.Key)
	if before.Recovered() || !table.Incidents()[0].Recovered() {
		t.Error("a list is changed by what happens afterwards")
	}
}

// One good answer among failures for another cause is none of rest.
func TestAnIncidentWhoseNameFlapsUnderAnotherCauseHasNotRecovered(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for _, f := range []*Failure{servfail("www.example.org."), failure("www.example.org.", "example.org.")} {
		refined := under("refined", f)
		table.Failed(f)
		for range 3 {
			w.pass(time.Second)
			table.Failed(refined)
			w.pass(quietFor)
			table.Succeeded(&f.Key)
			if recovered, _ := over(t, table); slices.Contains(recovered, f.ID.Cause) {
				t.Errorf("%s has recovered at the first answer", f.ID.Cause)
			}
		}
		w.pass(quietFor)
		if recovered, _ := over(t, table); !slices.Contains(recovered, f.ID.Cause) {
			t.Errorf("%s has not recovered", f.ID.Cause)
		}
	}
}

// Of an incident with very many questions nobody knows which fail. One of them that was answered
// under another cause before may be among them.
func TestAQuestionThatMayFailAmongVeryManyHasNotRecovered(t *testing.T) {
	for _, others := range []int{0, 2 * maxOpen} {
		w := newWatch()
		table := New(DefaultEntries, w.now)
		a := servfail("a.example.org.")
		table.Failed(a)
		w.pass(time.Second)
		table.Succeeded(&a.Key)
		for i := range others {
			table.Failed(under("refined", servfail(fmt.Sprintf("n%d.example.org.", i))))
		}
		table.Failed(under("refined", a))
		for range 3 {
			w.pass(quietFor)
			table.Failed(under("refined", a))
			if recovered, _ := over(t, table); len(recovered) > 0 {
				t.Errorf("with %d others: %v has recovered, and the question fails", others, recovered)
			}
		}
		w.pass(forgottenAfter)
		if recovered, goOn := over(t, table); others > 0 && len(recovered) > 0 || len(goOn) > 0 {
			t.Errorf("with %d others: %v has recovered at last, %v goes on", others, recovered, goOn)
		}
	}
}

// So it is where one good answer would end the other incident: there has been none.
func TestAQuestionThatMayFailInAnOutageHasNotRecovered(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	a := servfail("a.example.org.")
	table.Failed(a)
	w.pass(time.Second)
	table.Succeeded(&a.Key)
	for i := range 2 * maxOpen {
		table.Failed(failure(fmt.Sprintf("n%d.example.org.", i), "example.org."))
	}
	for range 3 {
		table.Failed(failure("a.example.org.", "example.org."))
		w.pass(quietFor)
		if recovered, _ := over(t, table); len(recovered) > 0 {
			t.Errorf("%v has recovered, and the question fails", recovered)
		}
	}
	table.Succeeded(&a.Key)
	w.pass(quietFor)
	if recovered, _ := over(t, table); len(recovered) != 2 {
		t.Errorf("%v has recovered, want both", recovered)
	}
}

// A refusal is no SERVFAIL: that many questions are refused, to strangers for example, says
// nothing of those that got SERVFAIL.
func TestManyRefusalsHideNoRecovery(t *testing.T) {
	for _, zone := range []string{"example.org.", "."} {
		w := newWatch()
		table := New(DefaultEntries, w.now)
		a := servfail("a.example.org.")
		table.Failed(a)
		w.pass(time.Second)
		table.Succeeded(&a.Key)
		for range 2 {
			for i := range 2 * maxOpen {
				f := under("acl_block", servfail(fmt.Sprintf("n%d.example.org.", i)))
				f.Key.Refused, f.ID.Zone = true, zone
				table.Failed(f)
			}
			w.pass(quietFor / 2)
		}
		if recovered, _ := over(t, table); !slices.Equal(recovered, []string{a.ID.Cause}) {
			t.Errorf("refusals under %s: %v has recovered, want %s", zone, recovered, a.ID.Cause)
		}
	}
}

// Any name tells of an upstream that answers none, also those of an outage whose cause changes.
func TestAnIncidentThatOneAnswerEndsFollowsTheFirstOfManyQuestions(t *testing.T) {
	w := newWatch()
	old := New(DefaultEntries, w.now)
	for i := range 2 * maxOpen {
		name := fmt.Sprintf("n%d.example.org.", i)
		old.Failed(failure(name, "example.org."))
		old.Failed(servfail(name))
	}
	table := New(DefaultEntries, w.now)
	table.Failed(failure("www.example.org.", "example.org."))
	table.Adopt(old, map[uint64]bool{1: true})
	for _, in := range table.Incidents() {
		if n := len(in.open.questions); n > maxOpen {
			t.Errorf("%s follows %d questions", in.Cause, n)
		}
	}
	table.Succeeded(key("n1.example.org."))
	w.pass(quietFor)
	if recovered, _ := over(t, table); !slices.Equal(recovered, []string{"upstream_timeout"}) {
		t.Errorf("%v recovered", recovered)
	}
}

// Of a cause that one answer ends more questions fail than are followed. One of the others takes the
// place of one that was answered, and shows the end.
func TestAQuestionBeyondThoseThatAreFollowedShowsTheEnd(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	var all []*Failure
	for i := range maxOpen + 1 {
		all = append(all, failure(fmt.Sprintf("n%d.example.org.", i), "example.org."))
		table.Failed(all[i])
	}
	last := all[maxOpen]
	for _, then := range []func(){
		func() { table.Succeeded(&all[0].Key) },
		func() { table.Failed(last) },
		func() { table.Failed(under("refined", last)) },
		func() { table.Succeeded(&last.Key) },
	} {
		w.pass(time.Second)
		then()
	}
	w.pass(2 * quietFor)
	if recovered, _ := over(t, table); len(recovered) != 2 {
		t.Errorf("recovered: %v", recovered)
	}
}
