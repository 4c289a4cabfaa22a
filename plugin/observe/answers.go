package observe

import "github.com/miekg/dns"

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
