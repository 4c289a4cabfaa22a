package report

import (
	"cmp"
	"hash/crc32"
	"slices"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/timeline"
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
	// entries have room for as many as there are places: they never move. Links is by the
	// number of an entry.
	entries []entry
	links   []link
	// drawn is nothing but what draw has read.
	drawn int
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

// A link is what is known of the key of an entry that most looks at it want to know: to look at
// the entry itself is one more wait for memory.
type link struct {
	hash uint32
	next uint16 // the number of another entry of the cell, if there is one
}

// An entry is one counted key.
type entry struct {
	key         string
	undated     bool // some line had no time: when it began is not known
	count       uint64
	over        uint64 // how much of count may be another key's
	cached      uint64
	first, last time.Time // of this stay in the table; zero if no line had a time
	mix         mix
}

// cellsPerPlace is how many cells there are for each place.
const cellsPerPlace = 4

// newHeavy returns a table with that many places, at most 65536.
func newHeavy(capacity int) *heavy {
	return &heavy{
		cells:   make([]cell, cellsPerPlace*capacity),
		entries: make([]entry, 0, capacity), links: make([]link, 0, capacity),
	}
}

// add counts key n times. It returns nil if the key has no place, else its entry, which is
// valid until the next add.
func (h *heavy) add(key []byte, n uint64) *entry { return h.addHashed(hashOf(key), key, n) }

func (h *heavy) addHashed(hash uint32, key []byte, n uint64) *entry {
	c := h.cell(hash)
	if e := h.held(c, hash, key); e != nil {
		e.count += n
		return e
	}
	if no := len(h.entries); no < cap(h.entries) {
		h.entries = append(h.entries, entry{key: string(key), count: n})
		h.links = append(h.links, link{hash: hash})
		h.hold(c, uint16(no))
		h.heap = append(h.heap, place{n, uint16(no)})
		h.up(no)
		return &h.entries[no]
	}
	no, over := h.least(), c.passed
	e := &h.entries[no]
	if over+n <= e.count {
		c.passed = over + n
		return nil
	}
	h.drop(no, e.count)
	*e = entry{key: string(key), count: over + n, over: over}
	h.links[no].hash = hash
	h.hold(c, no)
	h.heap[0].rank = e.count
	h.down(0)
	return e
}

// draw returns the hashes of a field of records, in place of those in hashes, and looks at
// their cells. One by one, each would be waited for; so the processor waits for many at a time.
func (h *heavy) draw(hashes []uint32, all []admitted, f logline.Field) []uint32 {
	hashes = hashes[:0]
	for _, a := range all {
		hash := hashOf(a.Get(f))
		hashes = append(hashes, hash)
		h.drawn += int(h.cell(hash).held)
	}
	return hashes
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
		if known == hash && h.entries[no].key == string(key) {
			return &h.entries[no]
		}
		if left > 1 {
			no = h.links[no].next
			known = h.links[no].hash
		}
	}
	return nil
}

// hold puts the entry with that number into the cell.
func (h *heavy) hold(c *cell, no uint16) {
	l := &h.links[no]
	l.next = c.first
	c.first, c.hash = no, l.hash
	c.held++
}

// drop takes the entry with that number and count out of its cell.
func (h *heavy) drop(no uint16, count uint64) {
	c := h.cell(h.links[no].hash)
	at := &c.first
	for *at != no {
		at = &h.links[*at].next
	}
	*at = h.links[no].next
	c.hash = h.links[c.first].hash
	c.held--
	c.passed = count
}

// bound is how much any count may be too high at most; 0 means all are exact.
func (h *heavy) bound() (most uint64) {
	for i := range h.entries {
		most = max(most, h.entries[i].over)
	}
	return most
}

// top returns the n most frequent entries, all for n < 0, most frequent first.
// Equal counts are in the order of their keys, so that reports can be compared.
func (h *heavy) top(n int) []*entry {
	all := make([]*entry, len(h.entries))
	for i := range h.entries {
		all[i] = &h.entries[i]
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	if n < 0 || n > len(all) {
		return all
	}
	return all[:n]
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
	timeline.Widen(&e.first, &e.last, at)
}
