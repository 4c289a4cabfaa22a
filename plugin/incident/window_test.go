package incident

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestASummaryNeverHasMoreNamesThanFailures(t *testing.T) {
	for count := 1; count < 4000; count += 37 {
		w := window{}
		for i := range count {
			w.add(fmt.Sprintf("n%d.example.org.", i), false)
		}
		if got := w.names(); got > count || got < count*9/10 {
			t.Errorf("%d names of %d failures, each of another name", got, count)
		}
	}
}

func TestOnlyNamesThatStandOutAreOutstanding(t *testing.T) {
	for name, c := range map[string]struct {
		fails map[string]int
		want  []string
	}{
		"one name":                       {map[string]int{"a": 1}, []string{"a"}},
		"two alike":                      {map[string]int{"a": 5, "b": 5}, nil},
		"one of two":                     {map[string]int{"a": 9, "b": 1}, []string{"a"}},
		"each once":                      {map[string]int{"a": 1, "b": 1, "c": 1, "d": 1}, nil},
		"one twice":                      {map[string]int{"a": 2, "b": 1, "c": 1}, nil},
		"one of many, less than half":    {map[string]int{"a": 4, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}, []string{"a"}},
		"two of many":                    {map[string]int{"a": 6, "b": 5, "c": 1, "d": 1, "e": 1, "f": 1}, []string{"a", "b"}},
		"more names than are held apart": {map[string]int{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1, "j": 1, "k": 1, "l": 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := &incident{}
			for _, n := range slices.Sorted(maps.Keys(c.fails)) {
				for range c.fails[n] {
					in.window.add(n, false)
				}
			}
			var got []string
			for _, n := range in.untold().Outstanding() {
				got = append(got, n.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
