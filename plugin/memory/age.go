package memory

import "time"

// walkPerEntry is how long the memory rests from a walk, for each entry that it held: a
// walk takes less than a hundredth of that.
const walkPerEntry = 30 * time.Microsecond

// Age lets the filter forget what is too old. It is to be called every second or so while
// something fails.
func (m *Memory) Age(now time.Time) {
	m.clearing.Lock()
	defer m.clearing.Unlock()
	m.failing.turn(now)
}

// Expire drops the questions that are too old, and lets successes pass without
// a look once none is left. It is to be called every second or so while nothing fails.
func (m *Memory) Expire(now time.Time) {
	age := now.Sub(m.began)
	if int64(age) < m.rest.Load() {
		return
	}
	held := 0
	m.questions.Walk(func(items map[uint64]entry, place uint64) bool {
		held++
		if e, ok := items[place]; ok && age-e.stamp.found() > maxAge {
			delete(items, place)
		}
		return true
	})
	m.rest.Store(int64(age + time.Duration(held)*walkPerEntry))
	m.clearing.Lock()
	defer m.clearing.Unlock()
	if m.questions.Len() == 0 {
		m.failing.clear()
	}
}

// Adopt takes over what other remembers of the server blocks in blocks: those
// that a reload left unchanged.
func (m *Memory) Adopt(other *Memory, blocks map[uint64]bool, now time.Time) {
	unchanged := make(map[uint16]bool, len(blocks))
	for block, is := range blocks {
		unchanged[uint16(block)] = is
	}
	// Before, so that a success of what is taken over is heard at once, and after, should the
	// filter have been cleared before there was something to hold.
	m.know(other.failing)
	defer m.know(other.failing)
	// Many questions have one verdict.
	shared := make(map[ref]ref)
	var packed []byte
	earlier := other.began.Sub(m.began)
	other.questions.Walk(func(items map[uint64]entry, place uint64) bool {
		e, ok := items[place]
		if !ok || !unchanged[e.stamp.block()] {
			return true
		}
		if _, newer := m.questions.Get(place); newer {
			// It failed here already.
			return true
		}
		from := e.verdict
		e.stamp = stampOf(e.stamp.found()+earlier, uint64(e.stamp.block()))
		if e.verdict = shared[from]; e.verdict == 0 {
			// No name is known here, and none is needed.
			if !other.verdicts.view(from, func(held []byte) { packed = append(packed[:0], held...) }) {
				return true
			}
			if e.verdict = m.verdicts.hold(packed, now.Sub(m.began)); e.verdict&own == 0 {
				shared[from] = e.verdict
			}
		}
		if e.verdict != 0 {
			m.questions.Add(place, e)
		}
		return true
	})
}

// know lets the filter know of all names that other has.
func (m *Memory) know(other *formFilter) {
	m.clearing.Lock()
	defer m.clearing.Unlock()
	m.failing.adopt(other)
}
