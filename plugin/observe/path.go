package observe

import (
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

// maxPath is how many plugins of a path are remembered; of a longer one the last
// place holds the innermost plugin.
const maxPath = 16

// trail is the places of the plugins that were entered, outermost first. They
// increase, since a chain is a list.
type trail struct {
	places [maxPath]uint8
	length uint8
}

// enter adds place. It forgets what an earlier attempt left there or below, and
// reports whether there was one.
func (p *trail) enter(place uint8) (again bool) {
	for p.length > 0 && p.places[p.length-1] >= place {
		p.length--
		again = true
	}
	if p.length == maxPath {
		p.length--
	}
	p.places[p.length] = place
	p.length++
	return again
}

func (p *trail) entered() []uint8 { return p.places[:p.length] }

// innermost is the place entered last, 0 if there is none.
func (p *trail) innermost() uint8 {
	if p.length == 0 {
		return 0
	}
	return p.places[p.length-1]
}

// above is the place of the plugin above the innermost one, 0 if that is the only one.
func (p *trail) above() uint8 {
	if p.length < 2 {
		return 0
	}
	return p.places[p.length-2]
}

// enter notes that the plugin below the tap at place is entered with r. above is
// what leave has to be told; ok is false if nothing is noted of it.
//
// The query is in one plugin at a time, and only ever goes further down from there.
// A plugin that is entered at or above the place where the query is shows that the
// plugin above it asks from several goroutines. The recording ends there: reached
// never leaves stopped.
func (run *Run) enter(place uint8, r *dns.Msg) (above int32, ok bool) {
	above = run.reached.Load()
	if above >= int32(place) || !run.reached.CompareAndSwap(above, int32(place)) {
		run.reached.Store(stopped)
		return 0, false
	}
	if run.path.enter(place) {
		run.forget(place)
		n := run.note()
		if above := run.path.above(); n.asker == 0 || above < n.asker {
			n.asker = above
		}
	}
	if len(r.Question) == 1 && r.Question[0] != run.questionAt(place) {
		run.note().change(place, r.Question[0])
	}
	return above, true
}

// leave notes what the plugin below t gave back, and returns to above. w has the question that
// its upstreams were asked, where a circle is suspected.
func (run *Run) leave(t *tap, above int32, w waiter, rcode int, err error) {
	if run.reached.Load() != int32(t.place) {
		run.reached.Store(stopped)
		return
	}
	if t.upstreams != nil {
		run.answered(t, w, rcode, err)
	}
	if err != nil || !plugin.ClientWrite(rcode) {
		run.note().returned(t, rcode, err)
	}
	if !run.reached.CompareAndSwap(int32(t.place), above) {
		run.reached.Store(stopped)
	}
}

// questionAt is the question that the plugin at place saw.
func (run *Run) questionAt(place uint8) dns.Question {
	q := run.question
	if run.notes != nil {
		for _, c := range run.notes.changes {
			if c.place <= place {
				q = c.question
			}
		}
	}
	return q
}
