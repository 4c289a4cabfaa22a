package observe

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// WriteMsg implements dns.ResponseWriter. A failing message is held until the chain
// has returned, because an error or another rcode may follow it; so is an empty
// NOERROR, which nomad writes before it returns SERVFAIL.
func (run *Run) WriteMsg(m *dns.Msg) error {
	if run.passes(m) {
		return run.ResponseWriter.WriteMsg(m)
	}
	return nil
}

// passes takes note of m, and reports whether it goes out at once.
func (run *Run) passes(m *dns.Msg) bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	switch {
	case run.ended:
		// Nobody is left to answer with what is held.
		return true
	case m == nil:
		return true
	case isFailure(m.Rcode) && run.sent && isTransfer(run.question.Qtype):
		// One of the many messages of a zone transfer.
		return true
	case isFailure(m.Rcode):
		// Of several the first one is what the client would take.
		if run.written == &unwritten {
			f := &failing{saying: saying{replyOf(m), option.Read(m)}}
			f.message = run.messageOf(m, 0, &f.saying)
			run.written = &f.message
			// A copy: stock has sent it by now, whatever becomes of m.
			run.held = f.copyOf(m)
		}
		return run.ladder.PassThrough
	case isEmpty(m) && !run.sent && run.held == nil:
		run.held = m.Copy()
		return run.ladder.PassThrough
	}
	run.sent, run.resolved = true, isGood(m.Rcode)
	return true
}

// failing is what is kept of a failing message, in one piece of memory.
type failing struct {
	message  message
	saying   saying
	copied   dns.Msg
	question [1]dns.Question
}

// copyOf returns a copy of m that shares nothing with it. Failures mostly have no records, and
// need no memory but f's.
func (f *failing) copyOf(m *dns.Msg) *dns.Msg {
	if len(m.Question) != 1 || len(m.Answer)+len(m.Ns)+len(m.Extra) > 0 {
		return m.CopyTo(&f.copied)
	}
	f.copied, f.question[0] = *m, m.Question[0]
	f.copied.Question = f.question[:]
	// An empty slice may have room that both would write to.
	f.copied.Answer, f.copied.Ns, f.copied.Extra = nil, nil, nil
	return &f.copied
}

// Write implements dns.ResponseWriter for plugins that send packed messages.
func (run *Run) Write(b []byte) (int, error) {
	run.mu.Lock()
	run.sent = true
	run.mu.Unlock()
	return run.ResponseWriter.Write(b)
}

func replyOf(m *dns.Msg) evidence.Reply {
	reply := evidence.Reply{
		Written:            true,
		Authoritative:      m.Authoritative,
		RecursionAvailable: m.RecursionAvailable,
		Truncated:          m.Truncated,
		Signed:             m.IsTsig() != nil,
		Received:           option.Received(m),
	}
	for _, rr := range m.Answer {
		switch rr.(type) {
		case *dns.CNAME, *dns.DNAME:
			reply.Alias = true
		}
	}
	return reply
}

// isEmpty reports whether m is a NOERROR that says nothing, not even the SOA of a
// proper NODATA.
func isEmpty(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && len(m.Ns) == 0
}

// isGood is true for the rcodes that answer the question. With others, such as FORMERR, a server
// fails as well.
func isGood(rcode int) bool { return rcode == dns.RcodeSuccess || rcode == dns.RcodeNameError }

func isFailure(rcode int) bool {
	return rcode == dns.RcodeServerFailure || rcode == dns.RcodeRefused
}

// answerWriter stands above cache, or below it, and has answers that did not fail heard.
type answerWriter struct {
	dns.ResponseWriter
	run     *Run
	answers Answers
	query   Cached
	above   bool
}

// WriteMsg implements dns.ResponseWriter.
func (w *answerWriter) WriteMsg(m *dns.Msg) error {
	heard := m != nil && w.query.Question.Name != "" && (m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError)
	switch {
	case heard && w.above:
		m = w.answers.Passed(w.run, w.query, m, w.run.isGiven())
	case heard:
		w.run.give()
		w.answers.Given(w.query, m)
	}
	return w.ResponseWriter.WriteMsg(m)
}

// give notes that cache was given an answer in this run.
func (run *Run) give() {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.given = true
}

func (run *Run) isGiven() bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.given
}
