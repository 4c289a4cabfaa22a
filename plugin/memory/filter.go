package memory

import (
	"math/bits"
	"sync/atomic"
	"time"
)

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

// adopt adds all names that other has, which may be of another size: the place of a name
// in the smaller one is the end of that in the larger one. It is not to be called while
// names are added to f.
func (f *formFilter) adopt(other *formFilter) {
	if other.empty() {
		return
	}
	f.used.Store(true)
	young, old := *f.young.Load(), *f.old.Load()
	otherYoung, otherOld := *other.young.Load(), *other.old.Load()
	for i := range max(len(young), len(otherYoung)) {
		here, there := i%len(young), i%len(otherYoung)
		young[here].Or(otherYoung[there].Load() | otherOld[there].Load())
		old[here].Or(otherOld[there].Load())
	}
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
