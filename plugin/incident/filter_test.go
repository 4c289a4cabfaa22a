package incident

import (
	"fmt"
	"testing"
	"time"
)

func TestWhatIsRememberedStaysInTheFilterForAsLongAndNotForEver(t *testing.T) {
	w := newWatch()
	f := newFormFilter(DefaultEntries, w.now())
	name := nameHash("www.example.org.")
	w.pass(maxAge - time.Second)
	f.add(name, withDO)
	for _, step := range []struct {
		pass time.Duration
		want uint8
	}{
		{time.Second, 1 << withDO},          // the first turn
		{maxAge - time.Second, 1 << withDO}, // no turn; the entry is held until now
		{time.Second, 0},
	} {
		w.pass(step.pass)
		f.turn(w.now())
		if got := f.forms(name); got != step.want {
			t.Errorf("%v after the start: forms %b, want %b", w.now().Sub(newWatch().now()), got, step.want)
		}
	}
}

func TestTheFilterTellsTheFormsOfANameApart(t *testing.T) {
	f := newFormFilter(DefaultEntries, newWatch().now())
	for k := range forms {
		f.add(nameHash(fmt.Sprintf("n%d.example.org.", k)), k)
	}
	for k := range forms {
		if got := f.forms(nameHash(fmt.Sprintf("n%d.example.org.", k))); got != 1<<k {
			t.Errorf("form %b: forms %b", k, got)
		}
	}
	f.clear()
	if !f.empty() || f.forms(nameHash("n0.example.org.")) != 0 {
		t.Error("not empty after it was cleared")
	}
}

func TestAFullTableLetsMostSuccessesPassWithoutALook(t *testing.T) {
	table := New(DefaultEntries, newWatch().now)
	for i := range DefaultEntries {
		f := failure(fmt.Sprintf("f%d.example.org.", i), "")
		table.Failed(f)
	}
	looks := 0
	for i := range 10_000 {
		if table.failing.forms(nameHash(fmt.Sprintf("s%d.example.net.", i))) != 0 {
			looks++
		}
	}
	if looks > 3000 {
		t.Errorf("%d of 10000 names that never failed are looked up", looks)
	}
}
