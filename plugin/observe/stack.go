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
	// mostScore bounds a score, so that a change is learned soon. One of two to the
	// score runs has less room made than is thought to be needed, to learn whether
	// it still is: the surer that is, the fewer.
	mostScore = 8
	// apart is how far two addresses on one stack at the same depth are apart at
	// least if it was moved in between, and never are otherwise: two stacks do not
	// overlap, and frames are smaller.
	apart = 1 << 11
)

// Room is how much room is needed on the stack, in its last bits, and in the others
// an address there, once it was made.
type Room uintptr

const roomBits = 3

// roomFor make room.
var roomFor = [...]func(int) byte{noRoom, roomForChain, roomForDial}

// room is what is known to be needed.
func (s *stackNeed) room() Room {
	room, last := 0, int32(0)
	for room < len(s.scores) {
		score := s.scores[room].Load()
		if score <= 0 {
			break
		}
		room, last = room+1, score
	}
	if room > 0 && rand.Uint32()>>(32-last) == 0 {
		room--
	}
	return Room(room)
}

// prepare makes as much room as what follows is known to need. What it returns is
// for learned, to be called at the same depth once that has returned.
func (s *stackNeed) prepare() Room {
	room := s.room()
	room.Make()
	return room.Here()
}

// Make has the runtime make room. Like Here it is inlined: a frame less on the
// stack is a frame less to move, and a move costs by the frame.
func (r Room) Make() { roomFor[r](0) }

// Here returns r with the place of the stack, now that room was made.
func (r Room) Here() Room { return onStack()&^roomBits | r }

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

func noRoom(int) byte { return 0 }

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
