package memory

import (
	"fmt"
	"testing"
	"time"
)

func TestWhatIsRememberedStaysInTheFilterForAsLongAndNotForEver(t *testing.T) {
	w := newWatch()
	f := newFormFilter(manyEntries, w.now())
	name := (NameHash("www.example.org."))
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
	f := newFormFilter(manyEntries, newWatch().now())
	for k := range forms {
		f.add((NameHash(fmt.Sprintf("n%d.example.org.", k))), k)
	}
	for k := range forms {
		if got := f.forms((NameHash(fmt.Sprintf("n%d.example.org.", k)))); got != 1<<k {
			t.Errorf("form %b: forms %b", k, got)
		}
	}
	f.clear()
	if !f.empty() || f.forms((NameHash("n0.example.org."))) != 0 {
		t.Error("not empty after it was cleared")
	}
}

func TestAFullMemoryLetsMostSuccessesPassWithoutALook(t *testing.T) {
	w := newWatch()
	m := New(manyEntries, w.now())
	for i := range manyEntries {
		m.Note(key(fmt.Sprintf("f%d.example.org.", i)), timeout(), 1, w.now())
	}
	looks := 0
	for i := range 10_000 {
		if m.MayHave(key(fmt.Sprintf("s%d.example.net.", i))) {
			looks++
		}
	}
	if looks > 3000 {
		t.Errorf("%d of 10000 names that never failed are looked up", looks)
	}
}

func TestAFilterOfAnySizeTakesOverWhatAnotherHas(t *testing.T) {
	w := newWatch()
	for _, size := range []int{1, 100, 10_000} {
		for _, otherSize := range []int{1, 100, 10_000} {
			f, other := newFormFilter(size, w.now()), newFormFilter(otherSize, w.now())
			f.adopt(other)
			if !f.empty() {
				t.Error("something came out of nothing")
			}
			for i := range 200 {
				other.add(NameHash(fmt.Sprintf("n%d.", i)), withDO)
			}
			f.adopt(other)
			for i := range 200 {
				if f.forms(NameHash(fmt.Sprintf("n%d.", i)))&(1<<withDO) == 0 {
					t.Fatalf("a filter for %d lost what one for %d had", size, otherSize)
				}
			}
		}
	}
}
