package incident

import "sync/atomic"

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
