package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	// topWidth is the time that one slot of the tops covers.
	topWidth = 5 * time.Minute
	topSlots = int(kept / topWidth)
	// topListed is how many entries of a list are shown.
	topListed = 10
	// topHeld is how many entries a slot counts; with more, what is frequent is
	// still found and what is rare shares the rest.
	topHeld = 48
)

// Top is one entry of a list of what fails most. Count may be too high by at
// most Over, which is 0 unless there were more entries than the list can hold.
type Top struct {
	Name        string
	Count, Over uint64
}

// AtLeast is how often it failed for sure.
func (t Top) AtLeast() uint64 { return t.Count - t.Over }

// tops counts by zone, upstream and name over the last hour.
type tops struct{ slots [topSlots]topSlot }

type topSlot struct {
	number                  int64
	zones, upstreams, names sketch
}

func (t *tops) add(now time.Time, zone, upstream, name string) {
	number := now.UnixNano() / int64(topWidth)
	s := &t.slots[number%int64(topSlots)]
	if s.number != number {
		*s = topSlot{number: number}
	}
	s.zones.add(zone)
	s.upstreams.add(upstream)
	s.names.add(strings.ToLower(name))
}

// list returns the tops of the slots of the last hour that sketchOf picks from.
func (t *tops) list(now time.Time, sketchOf func(*topSlot) sketch) []Top {
	newest := now.UnixNano() / int64(topWidth)
	sums := make(map[string]Top)
	for i := range t.slots {
		if age := newest - t.slots[i].number; age < 0 || age >= int64(topSlots) {
			continue
		}
		for _, e := range sketchOf(&t.slots[i]) {
			sum := sums[e.Name]
			sums[e.Name] = Top{e.Name, sum.Count + e.Count, sum.Over + e.Over}
		}
	}
	all := make([]Top, 0, len(sums))
	for _, e := range sums {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Top) int {
		return cmp.Or(cmp.Compare(b.AtLeast(), a.AtLeast()), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), topListed)]
}

// sketch counts by the space-saving method, as window does.
type sketch []Top

func (s *sketch) add(name string) {
	if name == "" {
		return
	}
	least := 0
	for i := range *s {
		e := &(*s)[i]
		if e.Name == name {
			e.Count++
			return
		}
		if e.Count < (*s)[least].Count {
			least = i
		}
	}
	if len(*s) < topHeld {
		*s = append(*s, Top{Name: name, Count: 1})
		return
	}
	lowest := (*s)[least].Count
	(*s)[least] = Top{Name: name, Count: lowest + 1, Over: lowest}
}
