package incident

import (
	"math"
	"math/bits"
	"sort"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// topNames is how many names of a window are counted one by one.
const topNames = 8

// nameBits is the size of the bitmap that estimates how many names failed.
const nameBits = 2048

// window counts the failures of one incident that got no line of their own since
// the last summary.
type window struct {
	count, cached uint64
	top           []NameCount
	// hashes are those of top's names: comparing them first spares most of a look
	// at names that are equally long.
	hashes [topNames]uint64
	seen   *[nameBits / 64]uint64
}

// NameCount is a name and how often it failed: at most Count times, and at least
// Count minus Over times. Over is 0 unless more names failed than are counted.
type NameCount struct {
	Name        string
	Count, Over uint64
}

// AtLeast is how often the name failed for sure.
func (n NameCount) AtLeast() uint64 { return n.Count - n.Over }

// Summary is what happened in one incident since the summary before it.
type Summary struct {
	Incident
	// Window counts the failures since the last summary that got no line of
	// their own, WindowCached those among them from cache.
	Window, WindowCached uint64
	// Names estimates how many different names failed: exact for few, within
	// five percent up to some thousand, a lower bound beyond. It is never more than
	// Window.
	Names int
	// Top are the names that surely failed most, the first of them first.
	Top []NameCount
}

// Outstanding returns those of Top that stand out: a name with more than half of
// the failures, or with at least two and twice as many as the mean. Where names
// fail alike there are none.
func (s *Summary) Outstanding() []NameCount {
	var names []NameCount
	for _, n := range s.Top {
		least := n.AtLeast()
		if 2*least > s.Window || least >= 2 && least*uint64(s.Names) >= 2*s.Window {
			names = append(names, n)
		}
	}
	return names
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
	h := memory.NameHash(name)
	bit := (h ^ h>>32) % nameBits
	w.seen[bit/64] |= 1 << (bit % 64)
	least := 0
	for i := range w.top {
		if w.hashes[i] == h && w.top[i].Name == name {
			w.top[i].Count++
			return
		}
		if w.top[i].Count < w.top[least].Count {
			least = i
		}
	}
	if len(w.top) < topNames {
		w.hashes[len(w.top)] = h
		w.top = append(w.top, NameCount{Name: name, Count: 1})
		return
	}
	lowest := w.top[least].Count
	w.hashes[least] = h
	w.top[least] = NameCount{Name: name, Count: lowest + 1, Over: lowest}
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
	estimate := int(math.Round(-nameBits * math.Log(float64(zeros)/nameBits)))
	return int(min(uint64(estimate), w.count))
}

// Untold leaves a failure of the incident id to the next summary, since it got
// no line of its own.
func (t *Table) Untold(id *ID, name string, cached bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if in := t.find(id); in != nil {
		in.window.add(name, cached)
		return
	}
	t.untoldOf(id, cached)
}

// untoldOf is Untold for an incident that made room for another one since it was counted.
func (t *Table) untoldOf(id *ID, cached bool) {
	s := Summary{Incident: Incident{ID: *id, Last: t.now()}, Window: 1, Names: 1}
	if cached {
		s.WindowCached = 1
	}
	t.keepUntold(s)
}

// untold returns the summary of in's window, or nil if it is empty, and begins a
// new window.
func (in *incident) untold() *Summary {
	w := in.window
	if w.count == 0 {
		return nil
	}
	in.window = window{}
	sort.SliceStable(w.top, func(i, j int) bool { return w.top[i].AtLeast() > w.top[j].AtLeast() })
	return &Summary{Incident: in.Incident, Window: w.count, WindowCached: w.cached, Names: w.names(), Top: w.top}
}

// Summaries returns what has not been told of each incident, the one with the
// most failures first, and begins new windows.
func (t *Table) Summaries() []Summary {
	t.mu.Lock()
	var all []Summary
	for in := t.newest; in != nil; in = in.older {
		if untold := in.untold(); untold != nil {
			all = append(all, *untold)
		}
	}
	for id, s := range t.displaced {
		all = append(all, *s)
		delete(t.displaced, id)
	}
	t.mu.Unlock()
	sort.SliceStable(all, func(i, j int) bool { return all[i].Window > all[j].Window })
	return all
}

// After is the time from the incident's first failure to its last.
func (in Incident) After() time.Duration { return in.Last.Sub(in.First) }
