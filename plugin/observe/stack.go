package observe

import (
	"math/rand/v2"
	"sync/atomic"
	"unsafe"
)

// stackNeed learns whether what is called next makes the runtime move the stack,
// and if it mostly does, makes room beforehand.
//
// Each query has a goroutine of its own, which begins with 2 KiB of stack. Go
// doubles a stack that does not suffice and moves all frames on it, which costs
// the more the deeper it happens: 2 to 8 µs, as much as all else that is done for
// an answer out of the cache. Chains take two or three such steps, the last of
// them from deep within cache or forward, and ede's own frames make it one more
// for some. Made before the chain is called, the same step moves little.
type stackNeed struct {
	// scores are above 0 if the stack is mostly moved: the first for runs that no
	// room was made for, the second for those that had chainRoom.
	scores [2]atomic.Int32
}

const (
	// mostScore bounds a score, so that a change is learned soon.
	mostScore = 8
	// One of tryEvery runs has less room made than is thought to be needed, to
	// learn whether it still is.
	tryEvery = 32
	// apart is how far two addresses on one stack at the same depth are apart at
	// least if it was moved in between, and never are otherwise: two stacks do not
	// overlap, and frames are smaller.
	apart = 1 << 11
)

// Room is an address on the stack, and in its last bits how much room was made
// there.
type Room uintptr

const roomBits = 3

// prepare makes as much room as what follows is known to need. What it returns is
// for learned, to be called at the same depth once that has returned.
func (s *stackNeed) prepare() Room {
	room := 0
	for room < len(s.scores) && s.scores[room].Load() > 0 {
		room++
	}
	if room > 0 && rand.Uint32()%tryEvery == 0 {
		room--
	}
	switch room {
	case 1:
		roomForChain(0)
	case 2:
		roomForDial(0)
	}
	return onStack()&^roomBits | Room(room)
}

func (s *stackNeed) learned(before Room) {
	room := int(before & roomBits)
	if room == len(s.scores) {
		return
	}
	now := onStack()
	moved := max(now, before)-min(now, before) >= apart
	score := &s.scores[room]
	switch is := score.Load(); {
	case moved && is < mostScore:
		score.Add(1)
	case !moved && is > -mostScore:
		score.Add(-1)
	}
}

// onStack returns an address on the stack.
//
//go:noinline
func onStack() Room {
	var here byte
	return Room(unsafe.Pointer(&here))
}

// The room for a chain up to an answer out of the cache, and for one that dials an
// upstream, in octets.
const (
	chainRoom = 4 << 10
	dialRoom  = 9 << 10
)

// roomForChain has a frame of chainRoom octets, for which the runtime has to make
// room. It does nothing with it.
//
//go:noinline
func roomForChain(n int) byte {
	if n == 0 {
		return 0
	}
	var room [chainRoom]byte
	return room[copy(room[n:], "room")]
}

// roomForDial is the same with dialRoom octets.
//
//go:noinline
func roomForDial(n int) byte {
	if n == 0 {
		return 0
	}
	var room [dialRoom]byte
	return room[copy(room[n:], "room")]
}
