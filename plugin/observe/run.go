package observe

import (
	"context"
	"time"
	"unsafe"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// maxPath is how many plugins of a path are remembered; of a longer one the
// last place holds the innermost plugin.
const maxPath = 16

// maxChanges is how many changes of the question are remembered on a path.
const maxChanges = 3

type contextKey struct{ name string }

// runKey is compared by pointer on every tap.
var runKey = &contextKey{"ede run"}

// Run is one query on its way through a plugin chain. It is the context, the
// response writer and the trail of the taps in one object, so that a query
// costs one allocation, and a small one: what only a failure, a rewritten
// question or an upstream leaves is kept apart. Nothing may keep writing to a
// run once its chain has returned: cache's background refreshes get a run of
// their own. It is not pooled, as such a refresh may still hold it as its
// parent context.
type Run struct {
	context.Context
	dns.ResponseWriter

	// Request is what is remembered of the client's OPT.
	Request option.Request

	opcode uint8
	cd     bool
	// background runs are cache's own; nested ones are internal lookups.
	background bool
	// depth is how many plugins are on the stack now, entered how many are on
	// the path of the last attempt. Internal lookups into blocks without ede
	// go on counting, so a path can be longer than a block.
	depth, entered uint16
	// path holds the places of the plugins entered, see tap.place.
	path [maxPath]uint8
	// sent counts the messages that were passed on to the client.
	sent int32

	question dns.Question
	parent   *Run
	ladder   *Ladder
	// began is when the query came to the first plugin that may take its time;
	// reading the clock is a good part of what a success costs.
	began time.Duration

	// held is a failing message, or an empty NOERROR that may yet turn out to
	// be one.
	held *dns.Msg
	*trail
}

// trail is what most queries do not leave.
type trail struct {
	changes [maxChanges]change
	changed int
	failed  outcome
	// failing counts the failing messages seen, below cache included.
	failing int
	// written is the failing message as it was at the time of the write, below
	// the same below cache, with the options that cache strips.
	written, below *failingReply
	nested         *evidence.Evidence

	upstreamCtx     context.Context
	upstreamTap     *tap
	upstreamElapsed time.Duration
}

// noTrail stands for the trail of a run that left none; it is never written to.
var noTrail = new(trail)

// leaves returns the trail to write to.
func (run *Run) leaves() *trail {
	if run.trail == noTrail {
		run.trail = new(trail)
	}
	return run.trail
}

// change is a question that differs from the one a level above it.
type change struct {
	level    int
	question dns.Question
}

// outcome is what the innermost failing plugin returned.
type outcome struct {
	level int
	rcode int
	err   error
}

// Begin starts a run for the query r. A query that runs inside another one (an
// internal lookup of a CNAME target, dns64) becomes a nested run of it.
func (l *Ladder) Begin(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *Run {
	run := &Run{
		Context:        ctx,
		ResponseWriter: w,
		Request:        option.RequestOf(r),
		question:       r.Question[0],
		opcode:         uint8(r.Opcode),
		cd:             r.CheckingDisabled,
		ladder:         l,
		trail:          noTrail,
	}
	run.parent, _ = ctx.Value(runKey).(*Run)
	return run
}

// Nested reports whether the run is an internal lookup inside another query,
// which counts and logs it.
func (run *Run) Nested() bool { return run.parent != nil }

// InBackground reports whether the run is cache's own refresh.
func (run *Run) InBackground() bool { return run.background }

// Value implements context.Context.
func (run *Run) Value(key any) any {
	if key == runKey {
		return run
	}
	return run.Context.Value(key)
}

// detach returns a run for a refresh that cache does on its own.
func (run *Run) detach(ctx context.Context, r *dns.Msg) *Run {
	return &Run{
		Context:    ctx,
		Request:    run.Request,
		question:   r.Question[0],
		opcode:     uint8(r.Opcode),
		cd:         r.CheckingDisabled,
		background: true,
		ladder:     run.ladder,
		began:      now(),
		trail:      noTrail,
	}
}

// sameMetadata reports whether ctx bears the metadata map that run began with.
func sameMetadata(ctx context.Context, run *Run) bool {
	if ctx == context.Context(run) {
		return true
	}
	a, b := metadata.ValueFuncs(ctx), metadata.ValueFuncs(run)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return sameMap(a, b)
}

// enter notes that t's plugin is entered with r.
func (run *Run) enter(t *tap, r *dns.Msg) {
	level := run.depth + 1
	run.depth, run.entered = level, level
	run.path[min(level, maxPath)-1] = t.place
	if t.slow && run.began == 0 {
		run.began = now()
	}
	if run.trail != noTrail || len(r.Question) == 1 && !sameString(&r.Question[0], &run.question) {
		run.reenter(r)
	}
}

// sameString reports whether a and b are one question by the address of the
// name, which a copy of a message shares. It may miss equal questions, and
// reenter compares them in full.
func sameString(a, b *dns.Question) bool {
	return unsafe.StringData(a.Name) == unsafe.StringData(b.Name) && len(a.Name) == len(b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}

// reenter voids what an earlier attempt left at this depth or deeper (autopath
// tries several names, forward's `next` several forwards), and notes a question
// that differs from the one above.
func (run *Run) reenter(r *dns.Msg) {
	run.forget(int(run.depth))
	above := &run.question
	if run.changed > 0 {
		above = &run.changes[run.changed-1].question
	}
	if len(r.Question) == 1 && r.Question[0] != *above {
		run.change(int(run.depth), r.Question[0])
	}
}

// forget drops what an earlier attempt left at level or deeper.
func (run *Run) forget(level int) {
	if run.trail == noTrail {
		return
	}
	if run.failed.level >= level {
		run.failed = outcome{}
	}
	for run.changed > 0 && run.changes[run.changed-1].level >= level {
		run.changed--
	}
}

func (run *Run) change(level int, q dns.Question) {
	tr := run.leaves()
	if tr.changed == maxChanges {
		tr.changed--
	}
	tr.changes[tr.changed] = change{level, q}
	tr.changed++
}

// leave notes what the plugin entered last gave back. The innermost one that
// fails is the first to report, and those above it only pass that on.
func (run *Run) leave(rcode int, err error) {
	if err != nil || !plugin.ClientWrite(rcode) {
		if tr := run.leaves(); tr.failed.level < int(run.depth) {
			tr.failed = outcome{int(run.depth), rcode, err}
		}
	}
	run.depth--
}

// WriteMsg implements dns.ResponseWriter. A failing message is held until the
// chain has returned, because an error or another rcode may follow it; so is an
// empty NOERROR, which nomad writes before it returns SERVFAIL.
func (run *Run) WriteMsg(m *dns.Msg) error {
	if m == nil {
		return run.ResponseWriter.WriteMsg(m)
	}
	if isFailure(m.Rcode) {
		tr := run.leaves()
		tr.failing++
		// The first failing message is the one that the client would take.
		if tr.written == nil {
			tr.written = &failingReply{m.Rcode, replyOf(m), option.Read(m)}
			run.held = m
		}
		if !run.ladder.PassThrough {
			return nil
		}
		return run.ResponseWriter.WriteMsg(m)
	}
	if run.sent == 0 && run.held == nil && isEmpty(m) {
		run.held = m
		if !run.ladder.PassThrough {
			return nil
		}
		return run.ResponseWriter.WriteMsg(m)
	}
	run.sent++
	return run.ResponseWriter.WriteMsg(m)
}

// Write implements dns.ResponseWriter for plugins that send packed messages.
func (run *Run) Write(b []byte) (int, error) {
	run.sent++
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
