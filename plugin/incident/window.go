package incident

import (
	"math"
	"math/bits"
	"sort"
	"time"
)

// topNames is how many names of a window are counted one by one.
const topNames = 8

// nameBits is the size of the bitmap that estimates how many names failed.
const nameBits = 2048

// window counts the failures of one incident since the last summary.
type window struct {
	count, cached uint64
	top           []NameCount
	seen          *[nameBits / 64]uint64
}

// NameCount is a name and how often it failed, at most.
type NameCount struct {
	Name  string
	Count uint64
}

// Summary is what happened in one incident since the summary before it.
type Summary struct {
	Incident
	// Window counts the failures since the last summary, WindowCached those
	// among them out of the cache.
	Window, WindowCached uint64
	// Names estimates how many different names failed: exact for few, within
	// five percent up to some thousand, a lower bound beyond.
	Names int
	// Top are the names that failed most.
	Top []NameCount
}

// add counts one failure of name. The names that fail most are found by the
// space-saving method: a new name takes the place of the least one and its
// count, so that a name that is frequent is never missed.
func (w *window) add(name string, cached bool) {
	w.count++
	if cached {
		w.cached++
	}
	if w.seen == nil {
		w.seen = new([nameBits / 64]uint64)
	}
	h := nameHash(name)
	bit := (h ^ h>>32) % nameBits
	w.seen[bit/64] |= 1 << (bit % 64)
	least := 0
	for i := range w.top {
		if w.top[i].Name == name {
			w.top[i].Count++
			return
		}
		if w.top[i].Count < w.top[least].Count {
			least = i
		}
	}
	if len(w.top) < topNames {
		w.top = append(w.top, NameCount{name, 1})
		return
	}
	w.top[least] = NameCount{name, w.top[least].Count + 1}
}

// names estimates the number of different names by linear counting.
func (w *window) names() int {
	if w.seen == nil {
		return 0
	}
	ones := 0
	for _, word := range w.seen {
		ones += bits.OnesCount64(word)
	}
	zeros := max(nameBits-ones, 1)
	return int(math.Round(-nameBits * math.Log(float64(zeros)/nameBits)))
}

// Summaries returns what happened in each incident since the last call, the
// one with the most failures first, and begins new windows.
func (t *Table) Summaries() []Summary {
	t.mu.Lock()
	var all []Summary
	for in := t.newest; in != nil; in = in.older {
		w := &in.window
		if w.count == 0 {
			continue
		}
		s := Summary{Incident: in.Incident, Window: w.count, WindowCached: w.cached, Names: w.names(), Top: w.top}
		all = append(all, s)
		in.window = window{}
	}
	t.mu.Unlock()
	for _, s := range all {
		sort.SliceStable(s.Top, func(i, j int) bool { return s.Top[i].Count > s.Top[j].Count })
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Window > all[j].Window })
	return all
}

// After is how long the incident lasted until its last failure.
func (in Incident) After() time.Duration { return in.Last.Sub(in.First) }
