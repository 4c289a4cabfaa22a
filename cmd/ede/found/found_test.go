package found

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

func every(string) bool           { return true }
func none(string, string) uint64  { return 0 }
func three(string, string) uint64 { return 3 }
func sum(taken []Taken) (n uint64) {
	for _, part := range taken {
		n += part.Count
	}
	return n
}

var way = Way{Cause: "a", Instance: "i", At: "forward", Upstream: "u"}

func counted(zone string, n uint64) *Failures {
	f := new(Failures)
	f.Way([]byte("a"), []byte("i"), []byte("dns://:53"), []byte("forward"), []byte("u")).Add([]byte(zone), n)
	return f
}

func TestFailuresAreTakenOnce(t *testing.T) {
	f := counted("example.org.", 5)
	again := f.Clone()
	if n := sum(f.Take([]Way{way, way}, "example.org.", every, none)); n != 5 {
		t.Errorf("%d taken of 5", n)
	}
	if n := sum(f.Take([]Way{way}, "org.", every, none)); n != 0 {
		t.Errorf("%d taken twice", n)
	}
	if n := sum(again.Take([]Way{way}, "org.", every, none)); n != 5 {
		t.Errorf("%d taken of a clone of 5", n)
	}
}

// Of a zone above, the names in the zone are taken, once.
func TestNamesBelowAZoneAreTakenOnce(t *testing.T) {
	f := counted("example.org.", 5)
	for i, want := range []uint64{3, 0, 2} {
		zone := []string{"a.example.org.", "b.a.example.org.", "c.example.org."}[i]
		if n := sum(f.Take([]Way{way}, zone, every, three)); n != want {
			t.Errorf("%s: %d taken, want %d", zone, n, want)
		}
	}
	f = counted("example.org.", 5)
	f.Way([]byte("a"), []byte("i"), nil, []byte("forward"), []byte("other")).Add([]byte("example.org."), 1)
	if n := sum(f.Take([]Way{way}, "a.example.org.", every, three)); n != 0 {
		t.Errorf("%d taken of names that went one way or another", n)
	}
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	f := new(Failures)
	for i := range MaxWays + 10 {
		f.Way(fmt.Append(nil, i), nil, nil, nil, nil).Add([]byte("example.org."), 1)
	}
	one := f.all[0]
	for i := range MaxZones + 10 {
		one.Add(fmt.Appendf(nil, "z%d.", i), 1)
	}
	if len(f.all) != MaxWays || f.zones != MaxZones {
		t.Errorf("%d ways, %d zones", len(f.all), f.zones)
	}
}

// Ways that are told in full are looked up, which finds as many as looking at each.
func TestCandidatesAreAllThatAreAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	any := func(of ...string) []byte { return []byte(of[rng.IntN(len(of))]) }
	f := new(Failures)
	var ways []Way
	for range 300 {
		z := f.Way(any("a", "b"), any("", "i", "j"), any("", "s", "i"), any("", "forward", "grpc"), any("", "u", "v"))
		z.Add(any("example.org.", "a.example.org.", "example.net."), 1)
		ways = append(ways, z.Way)
	}
	c := f.candidates("example.org.", func(cause string) bool { return cause == "a" })
	full := 0
	for _, w := range ways {
		want := make(map[*Zones]bool)
		for _, z := range f.all {
			if z.Cause == "a" && z.touches("example.org.") && z.alike(&w) {
				want[z] = true
			}
		}
		got := make(map[*Zones]bool)
		for _, z := range c.alike(&w) {
			got[z] = true
		}
		if !maps.Equal(got, want) || len(got) != len(c.alike(&w)) {
			t.Errorf("%+v: %d are alike, want %d", w, len(got), len(want))
		}
		if _, told := w.key(); told {
			full++
		}
	}
	if full == 0 || full == len(ways) || len(c.vague) == 0 || len(c.full) == 0 {
		t.Errorf("%d of %d ways are told in full, of the failures %d, and not %d", full, len(ways), len(c.full), len(c.vague))
	}
}

// A name that is counted in its own zone is none of those above.
func TestANameIsNotTakenFromTwoZones(t *testing.T) {
	f := counted("example.org.", 5)
	f.Way([]byte("a"), []byte("other"), nil, []byte("forward"), []byte("u")).Add([]byte("a.example.org."), 2)
	// Of the three names in the zone, two are counted there.
	if n := sum(f.Take([]Way{way}, "a.example.org.", every, three)); n != 1 {
		t.Errorf("%d taken, want 1", n)
	}
}
