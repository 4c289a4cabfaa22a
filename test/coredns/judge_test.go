package main

import "testing"

func TestMoreIsMoreThanChance(t *testing.T) {
	for _, c := range []struct {
		a, b, n int
		want    bool
	}{
		{0, 30, 30, true}, {0, 8, 30, true}, {15, 29, 30, true},
		{0, 0, 30, false}, {30, 30, 30, false}, {0, 3, 30, false}, {10, 15, 30, false}, {20, 5, 30, false},
	} {
		if got := more(c.a, c.b, c.n); got != c.want {
			t.Errorf("%d and then %d failures of %d: got %v", c.a, c.b, c.n, got)
		}
	}
}
