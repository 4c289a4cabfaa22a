package observe

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// message is a message on its way up the chain, as it was when it passed a place.
type message struct {
	// msg tells whether it is the same message again. It is not read: others may have
	// changed it since.
	msg *dns.Msg
	// failure is what it says if it is a failing one, nil if not.
	failure *saying
	// first is what it said where it was seen first, nil if that was here, or if it has
	// never been a failing one.
	first *saying
	rcode int32
	// changed is the last change of its rcode on the way.
	changed rcodeChange
	// place is that of the tap which the message passed, 0 on the run itself, and origin
	// that of the innermost tap that it came past, 0 if it came past none.
	place, origin uint8
	// underWay is true while the plugins above have the message in their hands.
	underWay bool
}

// saying is what a failing message says.
type saying struct {
	reply   evidence.Reply
	options []option.Option
}

// unsaid is what a message says that did not fail. It is not written to.
var unsaid saying

// unwritten is the message of a run that wrote none that failed. It is not written to.
var unwritten = message{failure: &unsaid}

// rcodeChange is what the plugin above place made of a message with the rcode from. A
// place of 0 is none.
type rcodeChange struct {
	from  int32
	place uint8
}

// recorder stands between a plugin and the one below it, and notes the message that the
// lower one writes: the last one of several. All but the writer is guarded by the mutex
// of the run.
type recorder struct {
	dns.ResponseWriter
	run *Run
	// message is the one that passed; its msg is nil before.
	message message
	// above is the next recorder on the way up.
	above *recorder
}

// recordAt puts a recorder at place below w.
func (run *Run) recordAt(place uint8, w dns.ResponseWriter) *recorder {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.recorders = &recorder{ResponseWriter: w, run: run, message: message{place: place}, above: run.recorders}
	return run.recorders
}

// WriteMsg implements dns.ResponseWriter.
func (rec *recorder) WriteMsg(m *dns.Msg) error {
	rec.record(m)
	defer rec.passed()
	return rec.ResponseWriter.WriteMsg(m)
}

func (rec *recorder) record(m *dns.Msg) {
	rec.run.mu.Lock()
	defer rec.run.mu.Unlock()
	if m == nil || rec.run.ended {
		return
	}
	var failure *saying
	if isFailure(m.Rcode) {
		failure = &saying{replyOf(m), option.Read(m)}
	}
	rec.message = rec.run.messageOf(m, rec.message.place, failure)
	rec.message.underWay = true
}

func (rec *recorder) passed() {
	rec.run.mu.Lock()
	defer rec.run.mu.Unlock()
	rec.message.underWay = false
}

// messageOf is what m is as it passes place, and says if it is a failing one. It is what
// passed below and is still on its way up, perhaps as a changed copy, or the same message
// again that a plugin kept for a while; or it is new.
func (run *Run) messageOf(m *dns.Msg, place uint8, failure *saying) message {
	p := message{place: place, rcode: int32(m.Rcode), msg: m, origin: place, failure: failure}
	below := run.closestBelow(m, place)
	if below == nil {
		return p
	}
	p.origin, p.changed, p.first = below.origin, below.changed, below.first
	if p.first == nil {
		if p.first = below.failure; p.first == nil && failure != nil {
			p.first = &unsaid
		}
	}
	if p.rcode != below.rcode {
		p.changed = rcodeChange{below.rcode, below.place}
	}
	return p
}

// closestBelow is what m was when it passed closest below place, or nil. The same message
// again is that one wherever it comes from. Another one is taken for a changed copy only
// where CoreDNS's own plugins alone are between: they ask one thing after the other. Any
// other plugin may have asked several at once, and answer with one while another is on
// its way.
func (run *Run) closestBelow(m *dns.Msg, place uint8) *message {
	var closest *message
	// The innermost recorder comes first.
	for rec := run.recorders; rec != nil && rec.message.place > place; rec = rec.above {
		if rec.message.msg == m || rec.message.underWay && run.allStock(place, rec.message.place) {
			closest = &rec.message
		}
	}
	return closest
}

// staleFrom is the place of cache if the failing message that leaves is one that it held, although
// it has asked the plugins below: what they gave was no better. It is 0 if not.
func (run *Run) staleFrom() uint8 {
	place := run.written.origin
	if place == 0 || place >= run.trail.innermost() || run.tapAt(place).name != "cache" {
		return 0
	}
	return place
}

// FromCache reports whether cache gave the answer, which did not fail, without asking for it, or
// because what it asked for was no better.
func (run *Run) FromCache() bool {
	if !run.whole {
		return false
	}
	if t := run.tapAt(run.trail.innermost()); t != nil && t.name == "cache" {
		return true
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	for rec := run.recorders; rec != nil; rec = rec.above {
		if m := &rec.message; m.msg != nil && m.origin == m.place && run.tapAt(m.place).name == "cache" {
			return true
		}
	}
	return false
}

// allStock reports whether CoreDNS ships all the plugins from the place upper to above
// the place lower.
func (run *Run) allStock(upper, lower uint8) bool {
	for p := max(upper, 1); p < lower; p++ {
		if t := run.tapAt(p); t != nil && !t.stock {
			return false
		}
	}
	return true
}

// adoptFailure takes the failing message that passed place as the one that leaves.
func (run *Run) adoptFailure(place uint8) {
	run.mu.Lock()
	defer run.mu.Unlock()
	for rec := run.recorders; rec != nil; rec = rec.above {
		if rec.message.place == place && rec.message.failure != nil {
			m := rec.message
			run.written = &m
		}
	}
}

// answeredWell reports whether the last message that was written, if it was seen, answers the
// question.
func (run *Run) answeredWell() bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	// The innermost recorder comes first.
	for rec := run.recorders; rec != nil; rec = rec.above {
		if rec.message.msg != nil {
			return isGood(int(rec.message.rcode))
		}
	}
	return run.resolved || !run.sent && run.written == &unwritten
}
