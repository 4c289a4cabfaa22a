package observe

import (
	"math/bits"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// maxPath is how many plugins of a path are told; of a longer one the last of them
// is the innermost plugin.
const maxPath = 16

// trail is where a query is, and which plugins it entered to get there and further
// down. It is one word, so that the query moves in one step: a plugin may pass it on
// from a goroutine that comes late. See Run.enter.
type trail struct{ word atomic.Uint64 }

// steps is a state of a trail. The topmost octet is the place where the query is: 0 in
// ede itself, or stopped. The bit 1<<(p-1) is set if the plugin at place p was entered.
// The places on a path increase, since a chain is a list.
type steps uint64

const (
	placeShift = 56
	// maxPlaces is how many plugins of a block can have a tap: one for each bit. No block
	// has as many: CoreDNS ships few more. Those further down share the last place.
	maxPlaces = placeShift
	// stopped is the place of a query that is recorded no more.
	stopped = 1<<(64-placeShift) - 1
)

func (t *trail) load() steps { return steps(t.word.Load()) }

// end ends the recording, and returns the state before it. The path stays.
func (t *trail) end() steps { return steps(t.word.Or(stopped << placeShift)) }

// move goes from one state to another. If the trail is in a third one by now, the
// recording ends.
func (t *trail) move(from, to steps) (ok bool) {
	if !t.word.CompareAndSwap(uint64(from), uint64(to)) {
		t.end()
		return false
	}
	return true
}

// entered writes the places of the path to room, outermost first.
func (t *trail) entered(room *[maxPath]uint8) []uint8 { return t.load().entered(room) }

// innermost is the place entered last, 0 if none was.
func (t *trail) innermost() uint8 { return t.load().innermost() }

// place is where the query is.
func (s steps) place() uint8 { return uint8(s >> placeShift) }

// path has the bits of the plugins that were entered.
func (s steps) path() steps { return s & (1<<placeShift - 1) }

// at is the same path with the query at place.
func (s steps) at(place uint8) steps { return s.path() | steps(place)<<placeShift }

// down is the state after the plugin below t was entered. What an earlier attempt entered
// there or below is no part of the path any more.
func (s steps) down(t *tap) steps {
	bit := bitOf(t.place)
	return (s&(bit-1) | bit | t.passed).at(t.place)
}

// bitOf is the bit of place.
func bitOf(place uint8) steps { return 1 << (place - 1) }

// again reports whether an earlier attempt had entered place, or one below.
func (s steps) again(place uint8) bool { return s.path()>>(place-1) != 0 }

func (s steps) entered(room *[maxPath]uint8) []uint8 {
	places := room[:0]
	path := s.path()
	for ; path != 0 && len(places) < maxPath-1; path &= path - 1 {
		places = append(places, uint8(bits.TrailingZeros64(uint64(path))+1))
	}
	if path != 0 {
		places = append(places, s.innermost())
	}
	return places
}

func (s steps) innermost() uint8 { return uint8(bits.Len64(uint64(s.path()))) }

// enter notes that the plugin below t is entered with r. above is where leave has to
// return to; ok is false if nothing is noted of it.
//
// The query is in one plugin at a time, and only ever goes further down from there.
// A plugin that is entered at or above the place where the query is shows that the
// plugin above it asks from several goroutines. The recording ends there.
func (run *Run) enter(t *tap, r *dns.Msg) (above uint8, ok bool) {
	was := run.trail.load()
	above = was.place()
	if above >= t.place {
		run.trail.end()
		return 0, false
	}
	if !run.trail.move(was, was.down(t)) {
		return 0, false
	}
	if was.again(t.place) {
		run.forget(t.place, above)
	}
	if len(r.Question) == 1 && (run.notes.Load() != nil || r.Question[0] != run.question) {
		run.see(t.place, r.Question[0])
	}
	return above, true
}

// leave notes what the plugin below t gave back, and returns to above.
func (run *Run) leave(t *tap, above uint8, rcode int, err error) {
	is := run.trail.load()
	if is.place() != t.place {
		run.trail.end()
		return
	}
	run.noteFailure(t, rcode, err)
	run.trail.move(is, is.at(above))
}

// enterFirst is enter for the plugin whose tap does not stand in the chain.
func (run *Run) enterFirst() {
	if t := run.ladder.first; t != nil {
		run.trail.word.Store(uint64(steps(0).down(t)))
	}
}

// leaveFirst ends the recording once the chain has returned (rcode, err). If the query is not
// back in the first plugin, or in ede if that has a tap in the chain, somebody is still under way.
func (run *Run) leaveFirst(rcode int, err error) {
	t := run.ladder.first
	place := run.trail.end().place()
	if t == nil {
		run.whole = place == 0
		return
	}
	if run.whole = place == t.place; run.whole {
		run.noteFailure(t, rcode, err)
	}
}

// noteFailure notes what the plugin below t gave back, if that is a failure.
func (run *Run) noteFailure(t *tap, rcode int, err error) {
	if err != nil || !plugin.ClientWrite(rcode) {
		run.returned(t, rcode, err)
	}
}
