package observe

import (
	"github.com/miekg/dns"
)

// WriteMsg implements dns.ResponseWriter. A failing message is held until the
// chain has returned, because an error or another rcode may follow it; so is an
// empty NOERROR, which nomad writes before it returns SERVFAIL.
func (run *Run) WriteMsg(m *dns.Msg) error {
	if m != nil && (isFailure(m.Rcode) || isEmpty(m) && !run.sent && run.held == nil) {
		return run.hold(m)
	}
	run.sent = m != nil || run.sent
	return run.ResponseWriter.WriteMsg(m)
}

// hold keeps m back, and passes it on if the run is one that does.
func (run *Run) hold(m *dns.Msg) error {
	if isFailure(m.Rcode) {
		tr := run.leaves()
		tr.failing++
		// The first failing message is the one that the client would take.
		if !tr.written.seen() {
			tr.written.read(m)
			run.held = m
		}
	} else {
		run.held = m
	}
	if !run.ladder.PassThrough {
		return nil
	}
	return run.ResponseWriter.WriteMsg(m)
}

// Write implements dns.ResponseWriter for plugins that send packed messages.
func (run *Run) Write(b []byte) (int, error) {
	run.sent = true
	return run.ResponseWriter.Write(b)
}

// isEmpty reports whether m is a NOERROR that says nothing, not even the SOA of
// a proper NODATA.
func isEmpty(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && len(m.Ns) == 0
}

func isFailure(rcode int) bool {
	return rcode == dns.RcodeServerFailure || rcode == dns.RcodeRefused
}
