package report

import (
	"cmp"
	"hash/crc32"
	"slices"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
)

// heavy counts the most frequent of any number of keys in fixed memory: the
// Space-Saving algorithm (Metwally, Agrawal and El Abbadi, "Efficient
// Computation of Frequent and Top-k Elements in Data Streams", 2005), with
// weights. When all places are taken, a new key takes over the place, and the
// count, of the least frequent one.
//
// A count is never too low, and too high by at most the entry's over, which is
// at most total/capacity. Every key with more than total/capacity is present.
//
// Before a key takes over a place it has to have been more frequent than its least entry:
// until then it is counted with others that have the same hash (Homem and Carvalho,
// "Finding top-k elements in data streams", 2010). So most of very many keys that come
// once cost no more than a look into one place.
type heavy struct {
	capacity int
	index    map[string]*entry
	// heap has the least rank on top. A rank is what a count was at some time: it is put
	// right only where it decides which entry is the least.
	heap []*entry
	// passed bounds from above how often keys without a place came, by their hash. No
	// number exceeds the least count. held is how many keys with that hash have a place. Both
	// are empty until all places are taken.
	passed []uint64
	held   []uint16
	// passing is what is returned for a key without a place. It has no key.
	passing entry
	// cut is true if a store has left out less frequent keys.
	cut bool
}

// An entry is one counted key.
type entry struct {
	key         string
	count, rank uint64
	over        uint64 // how much of count may be another key's
	cached      uint64
	first, last time.Time // of this stay in the table; zero if no line had a time
	undated     bool      // some line had no time: when it began is not known
	zone        string    // of a name
	mix         mix
	pos         int
}

func newHeavy(capacity int) *heavy {
	return &heavy{capacity: capacity, index: make(map[string]*entry)}
}

// add counts key n times. The entry is valid until the next add.
func (h *heavy) add(key []byte, n uint64) *entry {
	cell := h.cell(key)
	if h.held == nil || h.held[cell] > 0 {
		if e := h.index[string(key)]; e != nil {
			e.count += n
			return e
		}
	}
	if len(h.heap) < h.capacity {
		e := &entry{key: string(key), count: n, rank: n, pos: len(h.heap)}
		h.index[e.key] = e
		h.heap = append(h.heap, e)
		h.up(e.pos)
		return e
	}
	if h.held == nil {
		h.full()
	}
	e, over := h.least(), h.passed[cell]
	if over+n <= e.count {
		h.passed[cell] = over + n
		h.passing = entry{}
		return &h.passing
	}
	gone := h.cell([]byte(e.key))
	delete(h.index, e.key)
	h.passed[gone] = e.count
	h.held[gone]--
	h.held[cell]++
	*e = entry{key: string(key), count: over + n, rank: over + n, over: over}
	h.index[e.key] = e
	h.down(0)
	return e
}

// again is add for a key whose entry was last, which may be another key's by now. Last
// may be nil.
func (h *heavy) again(last *entry, key []byte, n uint64) *entry {
	if last == nil || last.key != string(key) {
		return h.add(key, n)
	}
	last.count += n
	return last
}

// cellsPerPlace is how many hashes are told apart for each place.
const cellsPerPlace = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cell is the hash of a key.
func (h *heavy) cell(key []byte) int {
	return int(crc32.Checksum(key, castagnoli) % uint32(cellsPerPlace*h.capacity))
}

// full is called once all places are taken.
func (h *heavy) full() {
	h.passed, h.held = make([]uint64, cellsPerPlace*h.capacity), make([]uint16, cellsPerPlace*h.capacity)
	for _, e := range h.heap {
		h.held[h.cell([]byte(e.key))]++
	}
}

// least returns the entry with the least count, which is on top of the heap then.
func (h *heavy) least() *entry {
	for {
		e := h.heap[0]
		if e.rank == e.count {
			return e
		}
		e.rank = e.count
		h.down(0)
	}
}

// bound is how much any count may be too high at most; 0 means all are exact.
func (h *heavy) bound() (most uint64) {
	for _, e := range h.heap {
		most = max(most, e.over)
	}
	return most
}

// top returns the n most frequent entries, all for n < 0, most frequent first.
// Equal counts are in the order of their keys, so that reports can be compared.
func (h *heavy) top(n int) []*entry {
	all := slices.Clone(h.heap)
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	if n < 0 || n > len(all) {
		return all
	}
	return all[:n]
}

func (h *heavy) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.heap[parent].rank <= h.heap[i].rank {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heavy) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h.heap) && h.heap[child].rank < h.heap[least].rank {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heavy) swap(i, j int) {
	h.heap[i], h.heap[j] = h.heap[j], h.heap[i]
	h.heap[i].pos, h.heap[j].pos = i, j
}

// standsOut is false for an entry that may owe most of its count to the keys it
// took the place from: among very many keys of like frequency, all look so.
func (e *entry) standsOut() bool { return e.over*2 <= e.count }

// see takes a line's time and what it says about the cache and the cause.
func (e *entry) see(at time.Time, n, cached uint64, cause int) {
	e.cached += cached
	e.mix.add(cause, n)
	e.undated = e.undated || at.IsZero()
	e.first, e.last = widen(e.first, e.last, at)
}

// widen stretches a span of time to hold at; a zero time is no time.
func widen(first, last, at time.Time) (time.Time, time.Time) {
	if at.IsZero() {
		return first, last
	}
	if first.IsZero() || at.Before(first) {
		first = at
	}
	if at.After(last) {
		last = at
	}
	return first, last
}

func (h *heavy) shares(n int) []figures.Share {
	var shares []figures.Share
	for _, e := range h.top(n) {
		shares = append(shares, figures.Share{Value: e.key, Count: e.count})
	}
	return shares
}
