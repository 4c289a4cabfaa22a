package observe

import (
	"sync"
	"testing"
)

// onGoroutines calls f on goroutines of their own, one after another, as queries
// are served.
func onGoroutines(n int, f func()) {
	for range n {
		var ended sync.WaitGroup
		ended.Go(f)
		ended.Wait()
	}
}

// deep needs about frames times 256 octets of stack.
//
//go:noinline
func deep(frames int) byte {
	var room [256]byte
	room[frames%len(room)] = 1
	if frames > 0 {
		room[0] = deep(frames - 1)
	}
	return room[0] + room[frames%len(room)]
}

func (s *stackNeed) known() (need int) {
	for need < len(s.scores) && s.scores[need].Load() > 0 {
		need++
	}
	return need
}

// What a chain needs is learned within some runs, and again when it changes. The
// runtime may give a goroutine more than 2 KiB at first, so what suffices for
// little is not tested from nothing, but from having learned that it does not.
func TestTheNeedForStackIsLearned(t *testing.T) {
	var s stackNeed
	run := func(frames int) func() {
		return func() {
			before := s.prepare()
			deep(frames)
			s.learned(before)
		}
	}
	const much = 1 << 10 // 256 KiB: no room that is made suffices
	onGoroutines(4*mostScore, run(much))
	if need := s.known(); need != 2 {
		t.Fatalf("need %d after runs that need much, want 2", need)
	}
	onGoroutines(20*mostScore<<mostScore, run(1))
	if need := s.known(); need != 0 {
		t.Errorf("need %d after runs that need little, want 0", need)
	}
	onGoroutines(4*mostScore, run(much))
	if need := s.known(); need != 2 {
		t.Errorf("need %d after runs that need much again, want 2", need)
	}
}

func TestFewRunsThatNeedMuchDoNotMakeItTheRule(t *testing.T) {
	var s stackNeed
	for i := range 100 * mostScore {
		onGoroutines(1, func() {
			before := s.prepare()
			if i%10 == 0 {
				deep(1 << 10)
			}
			s.learned(before)
		})
	}
	if need := s.known(); need != 0 {
		t.Errorf("need %d, want 0", need)
	}
}

func TestPreparingTheStackAllocatesNothing(t *testing.T) {
	var s stackNeed
	for _, score := range []int32{-mostScore, mostScore} {
		for i := range s.scores {
			s.scores[i].Store(score)
		}
		if n := testing.AllocsPerRun(1000, func() { s.learned(s.prepare()) }); n > 0 {
			t.Errorf("%v allocations", n)
		}
	}
}
