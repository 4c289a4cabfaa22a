package observe

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Outcome is how a chain left its query.
type Outcome struct {
	// Failed is true if the client is left with Rcode, SERVFAIL or REFUSED, in the
	// way of Shape.
	Failed bool
	Shape  evidence.Shape
	Rcode  int
	// Dropped is true if the chain reported success and wrote nothing: it wants no
	// answer sent.
	Dropped bool
	// Held is true if there is a message that only Release writes.
	Held bool
	// Resolved is true if the client gets an answer to its question, not an rcode like FORMERR.
	Resolved bool
}

// End ends the recording of a run whose chain returned (rcode, err), and tells how
// it left the query.
func (run *Run) End(rcode int, err error) Outcome {
	run.leaveFirst(rcode, err)
	run.mu.Lock()
	defer run.mu.Unlock()
	run.ended = true
	written := run.written != &unwritten
	o := Outcome{Held: run.held != nil}
	switch {
	case run.sent:
		// An answer is on its way; what follows it is not this query's failure.
	case isFailure(rcode) && run.held != nil:
		o.Failed, o.Shape, o.Rcode = true, evidence.WrittenReturned, rcode
	case isFailure(rcode):
		o.Failed, o.Shape, o.Rcode = true, evidence.Returned, rcode
	case !plugin.ClientWrite(rcode):
		// FORMERR and NOTIMP are the server core's to answer.
	case written && err != nil:
		o.Failed, o.Shape, o.Rcode = true, evidence.WrittenError, int(run.written.rcode)
	case written:
		o.Failed, o.Shape, o.Rcode = true, evidence.Written, int(run.written.rcode)
	case run.held == nil && rcode == dns.RcodeSuccess:
		// No answer, on purpose: so it stays.
		o.Dropped = true
	}
	o.Resolved = !o.Failed && (run.resolved || o.Held && run.held.Rcode == dns.RcodeSuccess && plugin.ClientWrite(rcode))
	return o
}

// Release ends a run that did not fail, or that ede leaves alone. It writes the held message
// and returns what the chain returned.
func (run *Run) Release(o Outcome, rcode int, err error) (int, error) {
	if run.ladder.PassThrough || !o.Held && !isFailure(rcode) {
		return rcode, err
	}
	run.mu.Lock()
	held, sent := run.held, run.sent
	run.held = nil
	run.mu.Unlock()
	if held != nil && plugin.ClientWrite(rcode) && !sent {
		// The error of a write is the transport's, as it would be without ede.
		_ = run.ResponseWriter.WriteMsg(held)
		return rcode, err
	}
	if sent && isFailure(rcode) && !isTransfer(run.question.Qtype) {
		// A second answer to the same query would follow. A zone transfer is many
		// messages, and the last one has to say that it was cut off.
		return dns.RcodeSuccess, err
	}
	return rcode, err
}

// Reply returns the message that the plugins below wrote for a failed run, or nil if no
// written message has the rcode that leaves.
func (run *Run) Reply(rcode int) *dns.Msg {
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.held != nil && run.held.Rcode == rcode {
		return run.held
	}
	return nil
}

// Hand passes the failure of a nested run unchanged to the outer query: the plugin that made
// the lookup decides what the failure means.
func (run *Run) Hand(e *evidence.Evidence, rcode int, err error) (int, error) {
	run.parent.lookedUp(e)
	run.mu.Lock()
	held := run.held
	run.mu.Unlock()
	if held != nil && !run.ladder.PassThrough {
		_ = run.ResponseWriter.WriteMsg(held)
	}
	return rcode, err
}

// Passed takes note that a nested run succeeded.
func (run *Run) Passed() {
	if run.parent != nil {
		run.parent.lookedUp(nil)
	}
}

// lookedUp notes how the last lookup inside run ended: with the failure e, or well if
// e is nil.
func (run *Run) lookedUp(e *evidence.Evidence) {
	if e == nil && run.notes.Load() == nil {
		return // there is no failure to take back
	}
	run.note(func(n *notes) { n.nested = e })
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }

// Panicked returns the evidence of a run whose chain panicked with v. It is to be called
// by the deferred function that recovered v, while the stack is still that of the panic.
func (run *Run) Panicked(v any) *evidence.Evidence {
	place := run.finish()
	// The chain did not return: the query is still in the plugin that panicked.
	run.whole = place > 0 && place < stopped
	e := run.Evidence(evidence.Panicked, dns.RcodeServerFailure, nil)
	e.Panic, e.PanicAt = option.Sanitize(fmt.Sprint(v), option.MaxText), panicPlace()
	if run.whole {
		e.At = panickedAt(run.tapAt(place), e.PanicAt)
	}
	return e
}

// maxFrames is how many frames are looked at for the place of a panic.
const maxFrames = 64

// panickedAt is the plugin that panicked at place while the query was below t: t's own, or one
// that passes every query on and has no tap.
func panickedAt(t *tap, place string) string {
	folder, _, _ := strings.Cut(place, " ")
	if name, ok := strings.CutPrefix(folder, "plugin/"); ok && passesOn(name) {
		return name
	}
	return t.name
}

// panicPlace is the package that panicked, with the file and the line, such as
// "plugin/firewall firewall.go:88"; empty if it is not found.
func panicPlace() string {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")
		switch {
		case strings.HasPrefix(frame.Function, "runtime.gopanic"):
			panicking = true
		case panicking && !inRuntime && frame.Function != "":
			return fmt.Sprintf("%s %s:%d", packageOf(frame.Function), path.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// packageOf is the package of a function, from the folder plugin on, if it is in one.
func packageOf(function string) string {
	folder, name := path.Split(function)
	name, _, _ = strings.Cut(name, ".")
	if i := strings.LastIndex(folder+name, "plugin/"); i >= 0 {
		return (folder + name)[i:]
	}
	return name
}
