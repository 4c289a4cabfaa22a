package observe

import (
	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Untroubled reports whether a run whose chain returned (rcode, err) gave an answer
// that is no failure, and left nothing else to look at: no Outcome, no Release and no
// End are needed.
func (run *Run) Untroubled(rcode int, err error) bool {
	return run.trail == noTrail && run.sent && rcode == dns.RcodeSuccess && err == nil
}

// Outcome says whether the chain that returned (rcode, err) left the client
// with SERVFAIL or REFUSED, which of the two, and how.
func (run *Run) Outcome(rcode int, err error) (shape evidence.Shape, failure int, failed bool) {
	if t := run.ladder.top; t != nil {
		if t.asksUpstream {
			run.asked(t, rcode, err)
		}
		run.returned(rcode, err)
	}
	written := run.written.seen()
	switch {
	case run.sent:
		// An answer is on its way; whatever follows it is not the failure of
		// this query.
		return 0, 0, false
	case isFailure(rcode) && run.held != nil:
		return evidence.WrittenReturned, rcode, true
	case isFailure(rcode):
		return evidence.Returned, rcode, true
	case !plugin.ClientWrite(rcode):
		return 0, 0, false
	case written && err != nil:
		return evidence.WrittenError, run.held.Rcode, true
	case written:
		return evidence.Written, run.held.Rcode, true
	case run.held == nil && err != nil:
		return evidence.Unanswered, dns.RcodeServerFailure, true
	}
	return 0, 0, false
}

// Release lets a run that did not fail go: what was held is written, and what
// the chain returned is returned.
func (run *Run) Release(rcode int, err error) (int, error) {
	if run.ladder.PassThrough {
		return rcode, err
	}
	if run.held != nil && plugin.ClientWrite(rcode) && !run.sent {
		// The error of a write is the transport's, as it would be without ede.
		_ = run.ResponseWriter.WriteMsg(run.held)
		return rcode, err
	}
	if run.sent && isFailure(rcode) && !isTransfer(run.qtype) {
		// A second answer to the same query would follow. A zone transfer is
		// many messages, and the last one has to say that it was cut off.
		return dns.RcodeSuccess, err
	}
	return rcode, err
}

// Reply returns the message that a failed run was answered with below, or nil if
// none was written that has the rcode which leaves.
func (run *Run) Reply(rcode int) *dns.Msg {
	if run.held != nil && run.held.Rcode == rcode {
		return run.held
	}
	return nil
}

// Hand passes the failure of a nested run on to the query around it, unchanged:
// the plugin that made the lookup decides what it means.
func (run *Run) Hand(e *evidence.Evidence, rcode int, err error) (int, error) {
	run.parent.leaves().nested = e
	if run.held != nil && !run.ladder.PassThrough {
		_ = run.ResponseWriter.WriteMsg(run.held)
	}
	return rcode, err
}

// Passed takes note that a nested run succeeded.
func (run *Run) Passed() {
	if run.parent != nil && run.parent.trail != noTrail {
		run.parent.nested = nil
	}
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }
