package found

import (
	"fmt"
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
