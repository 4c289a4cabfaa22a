package stack

import (
	"math/rand/v2"
	"sync/atomic"
	"unsafe"
)

// Need learns whether what is called next needs so much stack that the runtime
// moves it, and if it mostly does, has it moved beforehand: the deeper on a stack
// that happens, the more frames there are to move. A query for which an upstream
// is dialled needs just less than 8 KiB in some blocks and more in others. The
// zero Need knows of none.
type Need struct {
	// score is above 0 if the stack is mostly moved.
	score atomic.Int32
}

const (
	// mostScore bounds the score, so that a change is learned soon. One of two to
	// the score calls has no room made, to learn whether it still is needed: the
	// surer that is, the fewer.
	mostScore = 8
	// apart is how far two addresses on one stack at the same depth are apart at
	// least if it was moved in between, and never are otherwise: two stacks do not
	// overlap, and frames are smaller.
	apart = 1 << 11
	// room is what is made at once, in octets.
	room = 9 << 10
)

// Mark is an address on the stack, and in its last bit whether room was made.
type Mark uintptr

const made Mark = 1

// Prepare makes room if it is known to be needed. What it returns is for Learn, to
// be called at the same depth once what needs the stack has returned.
func (n *Need) Prepare() Mark {
	score := n.score.Load()
	if score <= 0 || rand.Uint32()>>(32-score) == 0 {
		return onStack() &^ made
	}
	makeRoom(0)
	return onStack() | made
}

// Learn takes note of whether the stack was moved since before.
func (n *Need) Learn(before Mark) {
	if before&made != 0 {
		return
	}
	now := onStack()
	moved := max(now, before)-min(now, before) >= apart
	switch is := n.score.Load(); {
	case moved && is < mostScore:
		n.score.Add(1)
	case !moved && is > -mostScore:
		n.score.Add(-1)
	}
}

// onStack returns an address on the stack.
//
//go:noinline
func onStack() Mark {
	var here byte
	return Mark(unsafe.Pointer(&here))
}

// makeRoom has a frame of room octets, for which the runtime has to move the stack
// if it is not there. It does nothing with it.
//
//go:noinline
func makeRoom(n int) byte {
	if n == 0 {
		return 0
	}
	var frame [room]byte
	return frame[copy(frame[n:], "room")]
}
