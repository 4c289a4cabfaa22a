package observe

import (
	"reflect"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// belowWriter stands between cache and what is below it.
type belowWriter struct {
	dns.ResponseWriter
	run *Run
}

// hearBelow returns a writer that hears what cache throws away: the OPT of the
// reply, and the reply of a refresh in the background.
func (run *Run) hearBelow(w dns.ResponseWriter) dns.ResponseWriter {
	return &belowWriter{ResponseWriter: w, run: run}
}

// failingReply is what is kept of a failing message: others may change the
// message once it has been written.
type failingReply struct {
	rcode   int
	reply   evidence.Reply
	options []option.Option
}

// seen reports whether there was one.
func (f *failingReply) seen() bool { return f.reply.Written }

func (f *failingReply) read(m *dns.Msg) {
	f.rcode, f.reply, f.options = m.Rcode, replyOf(m), option.Read(m)
}

// WriteMsg implements dns.ResponseWriter.
func (w *belowWriter) WriteMsg(m *dns.Msg) error {
	if m != nil && isFailure(m.Rcode) {
		tr := w.run.leaves()
		tr.failing++
		tr.below.read(m)
	}
	return w.ResponseWriter.WriteMsg(m)
}

func replyOf(m *dns.Msg) evidence.Reply {
	reply := evidence.Reply{
		Written:            true,
		Authoritative:      m.Authoritative,
		RecursionAvailable: m.RecursionAvailable,
		Truncated:          m.Truncated,
		Signed:             m.IsTsig() != nil,
	}
	for _, rr := range m.Answer {
		switch rr.(type) {
		case *dns.CNAME, *dns.DNAME:
			reply.Alias = true
		}
	}
	return reply
}

// sameMap reports whether a and b are one map.
func sameMap[K comparable, V any](a, b map[K]V) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}
