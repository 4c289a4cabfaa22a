package report

import (
	"cmp"
	"hash/crc32"
	"slices"
	"time"
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
	cells []cell
	// entries have room for as many as there are places: they never move.
	entries []entry
	// heap has the least rank on top.
	heap []place
	// cut is true if a store has left out less frequent keys.
	cut bool
}

// A cell is what is known of the keys whose hashes have the same remainder. It is small, as
// nearly all keys of a long log are looked up in vain, and each look is a wait for memory.
type cell struct {
	// passed bounds from above how often those without a place came. No number exceeds the
	// least count. It is 0 until all places are taken.
	passed uint64
	// held is how many have a place. First is the number of the entry of one of them, and
	// hash its hash.
	held, first uint16
	hash        uint32
}

// A place is taken by an entry. Its rank is what the count was at some time: it is put right
// only where it decides which entry is the least.
type place struct {
	rank uint64
	*entry
}

// An entry is one counted key.
type entry struct {
	key         string
	hash        uint32
	next        uint16 // the number of another entry of the cell, if there is one
	undated     bool   // some line had no time: when it began is not known
	count       uint64
	over        uint64 // how much of count may be another key's
	cached      uint64
	first, last time.Time // of this stay in the table; zero if no line had a time
	zone        string    // of a name
	mix         mix
}

// cellsPerPlace is how many cells there are for each place.
const cellsPerPlace = 4

// newHeavy returns a table with that many places, at most 65536.
func newHeavy(capacity int) *heavy {
	return &heavy{cells: make([]cell, cellsPerPlace*capacity), entries: make([]entry, 0, capacity)}
}

// add counts key n times. It returns nil if the key has no place, else its entry, which is
// valid until the next add.
func (h *heavy) add(key []byte, n uint64) *entry {
	hash := hashOf(key)
	c := h.cell(hash)
	if e := h.held(c, hash, key); e != nil {
		e.count += n
		return e
	}
	if no := len(h.entries); no < cap(h.entries) {
		h.entries = append(h.entries, entry{key: string(key), hash: hash, count: n})
		e := h.hold(c, uint16(no))
		h.heap = append(h.heap, place{n, e})
		h.up(no)
		return e
	}
	e, over := h.least(), c.passed
	if over+n <= e.count {
		c.passed = over + n
		return nil
	}
	no := h.drop(e)
	*e = entry{key: string(key), hash: hash, count: over + n, over: over}
	h.hold(c, no)
	h.heap[0].rank = e.count
	h.down(0)
	return e
}

// find returns the entry of a key, nil if it has no place.
func (h *heavy) find(key string) *entry {
	hash := hashOf([]byte(key))
	return h.held(h.cell(hash), hash, []byte(key))
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

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func hashOf(key []byte) uint32 { return crc32.Checksum(key, castagnoli) }

func (h *heavy) cell(hash uint32) *cell { return &h.cells[hash%uint32(len(h.cells))] }

// held returns the entry of a key of the cell, nil if it has no place.
func (h *heavy) held(c *cell, hash uint32, key []byte) *entry {
	no, known := c.first, c.hash
	for left := c.held; left > 0; left-- {
		e := &h.entries[no]
		if known == hash && e.key == string(key) {
			return e
		}
		if left > 1 {
			no = e.next
			known = h.entries[no].hash
		}
	}
	return nil
}

// hold puts the entry with that number into the cell.
func (h *heavy) hold(c *cell, no uint16) *entry {
	e := &h.entries[no]
	e.next = c.first
	c.first, c.hash = no, e.hash
	c.held++
	return e
}

// drop takes an entry out of its cell, and returns its number.
func (h *heavy) drop(e *entry) (no uint16) {
	c := h.cell(e.hash)
	at := &c.first
	for &h.entries[*at] != e {
		at = &h.entries[*at].next
	}
	no, *at = *at, e.next
	c.hash = h.entries[c.first].hash
	c.held--
	c.passed = e.count
	return no
}

// least returns the entry with the least count, which is on top of the heap then.
func (h *heavy) least() *entry {
	for {
		top := &h.heap[0]
		if top.rank == top.count {
			return top.entry
		}
		top.rank = top.count
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
	all := make([]*entry, len(h.heap))
	for i, place := range h.heap {
		all[i] = place.entry
	}
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
}

// standsOut is false for an entry that may owe most of its count to the keys it
// took the place from: among very many keys of like frequency, all look so.
func (e *entry) standsOut() bool { return e.over*2 <= e.count }

// see takes a line's time and what it says about the cache and the cause. Nil, a key without
// a place, takes nothing.
func (e *entry) see(at time.Time, n, cached uint64, cause int) {
	if e == nil {
		return
	}
	e.cached += cached
	e.mix.add(cause, n)
	e.undated = e.undated || at.IsZero()
	e.first, e.last = widen(e.first, e.last, at)
}
