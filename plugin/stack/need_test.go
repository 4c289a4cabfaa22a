package stack

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

// What is called is learned within some runs, and again when it changes. The
// runtime may give a goroutine more than 2 KiB at first, so what suffices for
// little is not tested from nothing, but from having learned that it does not.
func TestTheNeedIsLearned(t *testing.T) {
	var n Need
	run := func(frames int) func() {
		return func() {
			before := n.Prepare()
			deep(frames)
			n.Learn(before)
		}
	}
	const much = 1 << 10 // 256 KiB
	onGoroutines(4*mostScore, run(much))
	if n.score.Load() <= 0 {
		t.Fatalf("score %d after runs that need much", n.score.Load())
	}
	onGoroutines(20*mostScore<<mostScore, run(1))
	if n.score.Load() > 0 {
		t.Errorf("score %d after runs that need little", n.score.Load())
	}
	onGoroutines(4*mostScore, run(much))
	if n.score.Load() <= 0 {
		t.Errorf("score %d after runs that need much again", n.score.Load())
	}
}

func TestFewRunsThatNeedMuchDoNotMakeItTheRule(t *testing.T) {
	var n Need
	for i := range 100 * mostScore {
		onGoroutines(1, func() {
			before := n.Prepare()
			if i%10 == 0 {
				deep(1 << 10)
			}
			n.Learn(before)
		})
	}
	if n.score.Load() > 0 {
		t.Errorf("score %d", n.score.Load())
	}
}

// Once room was made, what needs less than that finds it there.
func TestRoomIsMadeOnceItIsNeeded(t *testing.T) {
	var n Need
	n.score.Store(mostScore)
	const runs = 200
	found := 0
	onGoroutines(runs, func() {
		before := n.Prepare()
		at := onStack()
		deep(room / 256 / 2)
		if before&made != 0 && at == onStack() {
			found++
		}
	})
	// One of two to the score has none made.
	if found < runs*9/10 {
		t.Errorf("%d of %d runs found room", found, runs)
	}
}

func TestPreparingTheStackAllocatesNothing(t *testing.T) {
	var n Need
	for _, score := range []int32{-mostScore, mostScore} {
		n.score.Store(score)
		if allocs := testing.AllocsPerRun(1000, func() { n.Learn(n.Prepare()) }); allocs > 0 {
			t.Errorf("%v allocations", allocs)
		}
	}
}
