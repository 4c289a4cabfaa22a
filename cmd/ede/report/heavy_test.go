package report

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestHeavyIsExactUntilItIsFull(t *testing.T) {
	h := newHeavy(3)
	for i, key := range []string{"a", "b", "a", "c", "a", "b"} {
		h.add([]byte(key), uint64(i+1))
	}
	var got []string
	for _, e := range h.top(-1) {
		got = append(got, fmt.Sprintf("%s=%d", e.key, e.count))
	}
	if fmt.Sprint(got) != "[a=9 b=8 c=4]" || h.bound() != 0 {
		t.Errorf("got %v, bound %d", got, h.bound())
	}
}

func TestHeavyKeepsItsPromisesOnAnyStream(t *testing.T) {
	const capacity, keys = 64, 5000
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		h, exact, total := newHeavy(capacity), map[string]uint64{}, uint64(0)
		for range 20000 {
			key := fmt.Sprint(rng.IntN(1 + rng.IntN(1+rng.IntN(keys))))
			n := 1 + rng.Uint64N(3)
			h.add([]byte(key), n)
			exact[key] += n
			total += n
		}
		held := 0
		for i := range h.cells {
			held += int(h.cells[i].held)
		}
		if len(h.heap) != capacity || held != capacity {
			t.Fatalf("%d places are taken, and %d keys have one", len(h.heap), held)
		}
		if h.bound() > total/capacity {
			t.Errorf("bound %d beyond total/capacity %d", h.bound(), total/capacity)
		}
		for i, place := range h.heap {
			e := &h.entries[place.no]
			if h.find(e.key) != e {
				t.Fatalf("entry %q is not found", e.key)
			}
			if h.heap[max(i-1, 0)/2].rank > place.rank || place.rank > e.count {
				t.Fatalf("entry %q is out of place", e.key)
			}
			if e.count < exact[e.key] || e.count-e.over > exact[e.key] {
				t.Errorf("%q: count %d over %d, truly %d", e.key, e.count, e.over, exact[e.key])
			}
		}
		for key, n := range exact {
			if n > total/capacity && h.find(key) == nil {
				t.Errorf("%q with %d of %d is missing", key, n, total)
			}
		}
	}
}

func TestMixNamesACauseOnlyWithACertainMajority(t *testing.T) {
	tests := map[string]struct {
		causes []int
		want   int
		ok     bool
	}{
		"one cause":                      {[]int{7}, 7, true},
		"a bare majority":                {[]int{1, 2, 2}, 2, true},
		"a half":                         {[]int{1, 1, 2, 2}, 0, false},
		"more causes than places":        {[]int{1, 2, 3, 4, 5}, 0, false},
		"a majority amid very many":      {[]int{9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9}, 9, true},
		"cause number 0 in an empty mix": {nil, 0, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var m mix
			for _, c := range tc.causes {
				m.add(c, 1)
			}
			if got, ok := m.most(uint64(len(tc.causes))); got != tc.want || ok != tc.ok {
				t.Errorf("got %d %v, want %d %v", got, ok, tc.want, tc.ok)
			}
		})
	}
}
