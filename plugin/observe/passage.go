package observe

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// passage is a message on its way up the chain, as it was when it passed a place.
type passage struct {
	// place is that of the tap which the message passed, 0 on the run itself.
	place uint8
	rcode int
	// reply and options are those of a failing message.
	reply   evidence.Reply
	options []option.Option

	// msg tells whether it is the same message again. It is not read: others may have
	// changed it since.
	msg *dns.Msg
	// origin is the place of the innermost tap that the message came past, 0 if it came
	// past none, and first what the message was there, if that was not here.
	origin uint8
	first  *passage
	// changed is the last change of its rcode on the way.
	changed rcodeChange
}

// rcodeChange is what the plugin above place made of a message with the rcode from. A
// place of 0 is none.
type rcodeChange struct {
	place uint8
	from  int
}

// hearer stands between a plugin and the one below it, and notes the message that the
// lower one writes: the last one of several. All but the writer is guarded by the mutex
// of the run.
type hearer struct {
	dns.ResponseWriter
	run *Run
	// heard is the message that passed; its msg is nil before.
	heard passage
	// passing is true while the plugins above have the message in their hands.
	passing bool
	// above is the next hearer on the way up.
	above *hearer
}

// hearAt puts a hearer at place below w.
func (run *Run) hearAt(place uint8, w dns.ResponseWriter) *hearer {
	h := &hearer{ResponseWriter: w, run: run, heard: passage{place: place}}
	run.mu.Lock()
	defer run.mu.Unlock()
	h.above = run.hearers
	run.hearers = h
	return h
}

// forgetHearers drops what passed at place or below in an earlier attempt.
func (run *Run) forgetHearers(place uint8) {
	run.mu.Lock()
	defer run.mu.Unlock()
	for run.hearers != nil && run.hearers.heard.place >= place {
		run.hearers = run.hearers.above
	}
}

// WriteMsg implements dns.ResponseWriter.
func (h *hearer) WriteMsg(m *dns.Msg) error {
	h.hear(m)
	defer h.done()
	return h.ResponseWriter.WriteMsg(m)
}

func (h *hearer) hear(m *dns.Msg) {
	h.run.mu.Lock()
	defer h.run.mu.Unlock()
	if m == nil || h.run.ended {
		return
	}
	h.heard = h.run.passageOf(m, h.heard.place)
	h.passing = true
}

func (h *hearer) done() {
	h.run.mu.Lock()
	defer h.run.mu.Unlock()
	h.passing = false
}

// passageOf is what m is as it passes place. It is what passed below and is still on its
// way up, perhaps as a changed copy, or the same message again that a plugin kept for a
// while; or it is new.
func (run *Run) passageOf(m *dns.Msg, place uint8) passage {
	p := passage{place: place, rcode: m.Rcode, msg: m, origin: place}
	if isFailure(m.Rcode) {
		p.reply, p.options = replyOf(m), option.Read(m)
	}
	below := run.closestBelow(m, place)
	if below == nil {
		return p
	}
	p.origin, p.changed, p.first = below.origin, below.changed, below.first
	if p.first == nil && (p.reply.Written || below.reply.Written) {
		first := *below
		p.first = &first
	}
	if m.Rcode != below.rcode {
		p.changed = rcodeChange{below.place, below.rcode}
	}
	return p
}

// closestBelow is the passage of m closest below place, or nil.
func (run *Run) closestBelow(m *dns.Msg, place uint8) *passage {
	var closest *passage
	// The innermost hearer comes first.
	for h := run.hearers; h != nil && h.heard.place > place; h = h.above {
		if h.passing || h.heard.msg == m {
			closest = &h.heard
		}
	}
	return closest
}

// innermostFailure is the innermost failing message that was heard, or nil.
func (run *Run) innermostFailure() *passage {
	for h := run.hearers; h != nil; h = h.above {
		if h.heard.reply.Written {
			return &h.heard
		}
	}
	return nil
}

// heardFailure reports whether a failing message was written.
func (run *Run) heardFailure() bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.written.reply.Written || run.innermostFailure() != nil
}
