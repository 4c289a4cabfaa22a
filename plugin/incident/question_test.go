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
// recovered, and of those that go on.
func over(table *Table) (recovered, goOn []string) {
	ended, _ := table.Sweep()
	for _, in := range ended {
		recovered = append(recovered, in.Cause)
	}
	for _, in := range table.Incidents() {
		goOn = append(goOn, in.Cause)
	}
	slices.Sort(recovered)
	slices.Sort(goOn)
	return recovered, goOn
}

// What fails, is answered, or is remembered in each case is told one second after the other.
func TestAQuestionCountsUnderOneIncident(t *testing.T) {
	const first, refined = "upstream_servfail", "refined"
	a, b := servfail("a.example.org."), servfail("b.example.org.")
	if a.ID.Cause != first {
		t.Fatalf("the cause is %s", a.ID.Cause)
	}
	silent := failure("a.example.org.", "example.org.")
	asked := failure("b.example.org.", "example.org.")
	fails := func(f *Failure) func(*Table) { return func(table *Table) { table.Failed(f) } }
	resolves := func(f *Failure) func(*Table) { return func(table *Table) { table.Succeeded(&f.Key) } }
	refreshed := func(f *Failure) func(*Table) {
		return func(table *Table) { table.Remember(&f.Key, f.Verdict, f.ID.Zone) }
	}
	for name, c := range map[string]struct {
		steps []func(*Table)
		// recovered are told to have recovered, left go on when all is quiet, and moved when
		// it has been for a minute.
		recovered, left, moved []string
	}{
		"its cause is refined": {
			[]func(*Table){fails(a), fails(under(refined, a))}, nil, []string{refined, first}, []string{refined},
		},
		"its cause is refined in cache": {
			[]func(*Table){fails(a), fails(fromCache(under(refined, a)))}, nil, []string{refined, first}, []string{refined},
		},
		"and it resolves": {
			[]func(*Table){fails(a), fails(under(refined, a)), resolves(a)}, []string{refined}, []string{first}, nil,
		},
		"and it resolves after a failure from cache": {
			[]func(*Table){fails(a), fails(fromCache(under(refined, a))), resolves(a)}, []string{refined}, []string{first}, nil,
		},
		"causes take turns": {
			[]func(*Table){fails(a), fails(under(refined, a)), fails(a), resolves(a)}, []string{first}, []string{refined}, nil,
		},
		"the other question resolved before": {
			[]func(*Table){fails(a), fails(b), resolves(b), fails(under(refined, a))}, []string{first}, []string{refined}, []string{refined},
		},
		"the other question resolves afterwards": {
			[]func(*Table){fails(a), fails(b), fails(under(refined, a)), resolves(b)}, []string{first}, []string{refined}, []string{refined},
		},
		"the other question resolves, and this one failed last": {
			[]func(*Table){fails(b), fails(a), resolves(b), fails(a), fails(under(refined, a))}, []string{first}, []string{refined}, []string{refined},
		},
		"the other question fails on": {
			[]func(*Table){fails(a), fails(b), fails(under(refined, a)), resolves(a)}, []string{refined}, []string{first}, []string{first},
		},
		"it resolved, failed again, and was refined": {
			[]func(*Table){fails(a), resolves(a), fails(a), fails(under(refined, a))}, nil, []string{refined, first}, []string{refined},
		},
		"of a cause that one answer ends": {
			[]func(*Table){fails(silent), fails(under(refined, silent))}, nil, []string{refined, silent.ID.Cause}, []string{refined},
		},
		"of a cause that one answer ends, after an answer": {
			[]func(*Table){fails(silent), fails(asked), resolves(asked), fails(silent), fails(under(refined, silent))},
			nil, []string{refined, silent.ID.Cause}, []string{refined},
		},
		"of a cause that one answer ends, before an answer": {
			[]func(*Table){fails(silent), fails(asked), fails(under(refined, silent)), resolves(asked)},
			[]string{silent.ID.Cause}, []string{refined}, []string{refined},
		},
		"a refresh finds another cause that goes on": {
			[]func(*Table){fails(a), fails(asked), refreshed(silent), resolves(asked)}, []string{silent.ID.Cause}, []string{first}, nil,
		},
		"a refresh finds a cause that no client has met": {
			[]func(*Table){fails(a), refreshed(silent), resolves(a)}, []string{first}, nil, nil,
		},
		"a refresh finds it, and a client meets it in cache": {
			[]func(*Table){fails(a), refreshed(silent), fails(fromCache(silent))}, nil, []string{first, silent.ID.Cause}, []string{silent.ID.Cause},
		},
		"a refresh finds that the cause goes on": {
			[]func(*Table){fails(silent), fails(asked), resolves(asked), refreshed(silent)}, nil, []string{silent.ID.Cause}, []string{silent.ID.Cause},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatch()
			table := New(DefaultEntries, w.now)
			for _, step := range c.steps {
				step(table)
				w.pass(time.Second)
			}
			for _, in := range table.Incidents() {
				if in.Moved() && in.Recovered() {
					t.Errorf("%s has moved and has recovered", in.Cause)
				}
			}
			w.pass(quietFor)
			recovered, left := over(table)
			slices.Sort(c.left)
			if !slices.Equal(recovered, c.recovered) || !slices.Equal(left, c.left) {
				t.Errorf("%v recovered, %v go on, want %v and %v", recovered, left, c.recovered, c.left)
			}
			w.pass(movedFor)
			if again, moved := over(table); len(again) != 0 || !slices.Equal(moved, c.moved) {
				t.Errorf("%v recovered later, %v go on, want %v", again, moved, c.moved)
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
	table.Untold(&f.ID, f.Name, false)
	table.Failed(under("refined", f))
	if in := table.Incidents()[1]; !in.Moved() || in.Recovered() {
		t.Errorf("moved %v, recovered %v", in.Moved(), in.Recovered())
	}
	w.pass(movedFor)
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
	if in := table.Incidents()[0]; len(in.open.questions) > maxOpen || !in.open.failing() {
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
