package observe

import (
	"slices"

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

	// msg tells whether it is the same message again. It is not read: others may
	// have changed it since.
	msg *dns.Msg
	// passing is true while the plugins above have the message in their hands.
	passing bool
	// origin is the place of the innermost tap that the message came past, 0 if it
	// came past none, and first what the message was there.
	origin uint8
	first  *passage
	// changed is the last change of its rcode on the way.
	changed rcodeChange
}

// rcodeChange is what the plugin above place made of a message with the rcode from.
// A place of 0 is none.
type rcodeChange struct {
	place uint8
	from  int
}

// maxPassages is how many places of a block are heard at.
const maxPassages = 8

// hearer stands between a plugin and the one below it, and notes the messages that
// the lower one writes.
type hearer struct {
	dns.ResponseWriter
	run   *Run
	place uint8
}

// WriteMsg implements dns.ResponseWriter.
func (h *hearer) WriteMsg(m *dns.Msg) error {
	h.run.hear(h.place, m)
	defer h.run.heard(h.place)
	return h.ResponseWriter.WriteMsg(m)
}

// hear notes that m passes the tap at place, instead of what passed there before.
func (run *Run) hear(place uint8, m *dns.Msg) {
	if m == nil {
		return
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.ended {
		return
	}
	p := run.passageOf(m, place)
	p.passing = true
	if i := slices.IndexFunc(run.passages, func(before passage) bool { return before.place == place }); i >= 0 {
		run.passages[i] = p
	} else if len(run.passages) < maxPassages {
		run.passages = append(run.passages, p)
	}
}

// heard notes that the plugins above have done with the message at place.
func (run *Run) heard(place uint8) {
	run.mu.Lock()
	defer run.mu.Unlock()
	for i := range run.passages {
		if run.passages[i].place == place {
			run.passages[i].passing = false
		}
	}
}

// passageOf is what m is as it passes place. It is what passed below and is still on
// its way up, perhaps as a changed copy, or the same message again that a plugin kept
// for a while; or it is new.
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
	if p.first == nil {
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
	for i := range run.passages {
		p := &run.passages[i]
		if p.place > place && (p.passing || p.msg == m) && (closest == nil || p.place < closest.place) {
			closest = p
		}
	}
	return closest
}

// heardFailure reports whether a failing message was written.
func (run *Run) heardFailure() bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.written.reply.Written || slices.ContainsFunc(run.passages, func(p passage) bool { return p.reply.Written })
}

// forgetPassages drops what passed at place or below in an earlier attempt.
func (run *Run) forgetPassages(place uint8) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.passages = slices.DeleteFunc(run.passages, func(p passage) bool { return p.place >= place })
}
