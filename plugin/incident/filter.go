package incident

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// filter tells names that surely do not fail from names that may, without a
// lock. Slots are set when a name is kept and cleared all at once when none
// fails any more: a stale slot costs a lookup, nothing else.
type filter struct {
	slots [4096 / 64]atomic.Uint64
}

func (f *filter) add(h uint64) {
	slot := (h >> 32) % 4096
	f.slots[slot/64].Or(1 << (slot % 64))
}

func (f *filter) mayHave(h uint64) bool {
	slot := (h >> 32) % 4096
	return f.slots[slot/64].Load()&(1<<(slot%64)) != 0
}

func (f *filter) clear() {
	for i := range f.slots {
		f.slots[i].Store(0)
	}
}

// formFilter tells names that surely are not remembered from names that may be,
// and in which forms, without a lock: during a flood of failing names most
// successes are to pass without a look into the table. What is remembered ages
// out of it in two steps, each as long as an entry is held, so that it cannot
// fill up for good.
type formFilter struct {
	slots      uint64 // a power of two
	young, old atomic.Pointer[[]atomic.Uint32]
	used       atomic.Bool
	turned     time.Time
}

// slotsPerEntry keeps the share of names that are looked up in vain low while
// the table is full.
const slotsPerEntry = 4

// formsPerWord is how many slots of eight bits, one for each form, a word has.
const formsPerWord = 4

func newFormFilter(entries int, now time.Time) *formFilter {
	f := &formFilter{slots: 1 << bits.Len(uint(slotsPerEntry*entries-1)), turned: now}
	f.reset()
	return f
}

func (f *formFilter) empty() bool { return !f.used.Load() }

func (f *formFilter) place(h uint64) (word uint64, shift uint) {
	slot := (h ^ h>>32) & (f.slots - 1)
	return slot / formsPerWord, uint(slot%formsPerWord) * uint(forms)
}

func (f *formFilter) add(h uint64, k form) {
	word, shift := f.place(h)
	bit := uint32(1) << (shift + uint(k))
	if w := &(*f.young.Load())[word]; w.Load()&bit == 0 {
		w.Or(bit)
	}
	if !f.used.Load() {
		f.used.Store(true)
	}
}

// forms returns a bit for each form in which the name may be remembered.
func (f *formFilter) forms(h uint64) uint8 {
	if f.empty() {
		return 0
	}
	word, shift := f.place(h)
	return uint8(((*f.young.Load())[word].Load() | (*f.old.Load())[word].Load()) >> shift)
}

// turn forgets what was added longer than maxAge ago, sometime before twice
// that. It is not to be called while names are added.
func (f *formFilter) turn(now time.Time) {
	if now.Sub(f.turned) < maxAge || f.empty() {
		return
	}
	f.turned = now
	f.old.Store(f.young.Load())
	f.young.Store(f.blank())
}

// clear forgets all. It is not to be called while names are added.
func (f *formFilter) clear() {
	if f.empty() {
		return
	}
	f.used.Store(false)
	f.reset()
}

func (f *formFilter) reset() {
	words := f.blank()
	f.young.Store(words)
	f.old.Store(words)
}

func (f *formFilter) blank() *[]atomic.Uint32 {
	words := make([]atomic.Uint32, f.slots/formsPerWord)
	return &words
}
