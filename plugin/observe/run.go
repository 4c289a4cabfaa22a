package observe

import (
	"context"
	"reflect"
	"sync"
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
// question, an upstream or an internal lookup leaves is kept apart. Nothing may
// keep writing to a run once its chain has returned: cache's background
// refreshes get a run of their own. It is not pooled, as such a refresh may
// still hold it as its parent context.
//
// It is laid out without gaps: 112 octets on a 64-bit machine, which is a size
// that the allocator has. What stands on the stack while the chain runs is kept
// small as well: each query has a goroutine of its own, and where a few hundred
// octets make the runtime move its stack to a larger place, that costs more than
// all else here.
type Run struct {
	context.Context
	dns.ResponseWriter

	ladder *Ladder
	// began is when the query came to the first plugin that may take its time;
	// reading the clock is a good part of what a success costs.
	began time.Duration
	// held is a failing message, or an empty NOERROR that may yet turn out to
	// be one.
	held *dns.Msg
	*trail

	// qname, qtype and qclass are the client's question: plugins may rewrite
	// the query in place.
	qname         string
	qtype, qclass uint16

	// Request is what is remembered of the client's OPT.
	Request option.Request

	// depth is how many plugins are on the stack now, entered how many are on
	// the path of the last attempt. Internal lookups into blocks without ede
	// go on counting, so a path can be longer than a block.
	depth, entered uint16
	// path holds the places of the plugins entered, see tap.place.
	path [maxPath]uint8

	opcode uint8
	cd     bool
	// traced is true if the context bears a span of the trace plugin.
	traced bool
	// sent is true once a message was passed on to the client.
	sent bool
}

// trail is what most queries do not leave.
type trail struct {
	// background runs are cache's own; nested ones are internal lookups inside
	// their parent.
	background bool
	parent     *Run

	changes [maxChanges]change
	changed int
	failed  outcome
	// failing counts the failing messages seen, below cache included.
	failing int
	// written is the failing message as it was at the time of the write, below
	// the same below cache, with the options that cache strips.
	written, below failingReply
	nested         *evidence.Evidence

	upstreamCtx context.Context
	upstreamTap *tap
	// upstreamEDNS is true if the upstream was asked with an OPT record, which
	// may be one that rewrite added.
	upstreamEDNS bool
	// upstreamBegan is when the upstream was asked, upstreamEnded when that was
	// over, and upstreamFailing how many failing messages had been seen before.
	upstreamBegan, upstreamEnded time.Duration
	upstreamFailing              int
	upstreamStack                Room
}

// noTrail stands for the trail of a run that left none; it is never written to.
var noTrail = new(trail)

// leaves returns the trail to write to.
func (run *Run) leaves() *trail {
	if run.trail == noTrail {
		run.trail = spareTrails.Get().(*trail)
	}
	return run.trail
}

// spareTrails are those of runs that have ended. A refresh of cache that goes on
// after its query has a run, and a trail, of its own.
var spareTrails = sync.Pool{New: func() any { return new(trail) }}

// End gives back what run holds. Nothing is asked of it any more.
func (run *Run) End() {
	if tr := run.trail; tr != noTrail {
		run.trail = noTrail
		*tr = trail{}
		spareTrails.Put(tr)
	}
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
	q := &r.Question[0]
	run := &Run{
		Context:        ctx,
		ResponseWriter: w,
		ladder:         l,
		trail:          noTrail,
		qname:          q.Name,
		qtype:          q.Qtype,
		qclass:         q.Qclass,
		Request:        option.RequestOf(r),
		opcode:         uint8(r.Opcode),
		cd:             r.CheckingDisabled,
		traced:         traced(ctx),
	}
	if parent, ok := ctx.Value(runKey).(*Run); ok {
		run.leaves().parent = parent
	}
	if l.top != nil {
		run.enter(l.top, r)
	}
	return run
}

// Question is what the client asked.
func (run *Run) Question() dns.Question {
	return dns.Question{Name: run.qname, Qtype: run.qtype, Qclass: run.qclass}
}

// Nested reports whether the run is an internal lookup inside another query,
// which counts and logs it.
func (run *Run) Nested() bool { return run.parent != nil }

// Traced reports whether the query came with a span of the trace plugin.
func (run *Run) Traced() bool { return run.traced }

// Value implements context.Context.
func (run *Run) Value(key any) any {
	switch {
	case key == runKey:
		return run
	case !run.traced && reflect.TypeOf(key) == spanKey:
		return nil
	}
	return run.Context.Value(key)
}

// detach returns a run for a refresh that cache does on its own.
func (run *Run) detach(ctx context.Context, r *dns.Msg) *Run {
	q := &r.Question[0]
	return &Run{
		Context: ctx,
		ladder:  run.ladder,
		began:   now(),
		trail:   &trail{background: true},
		qname:   q.Name,
		qtype:   q.Qtype,
		qclass:  q.Qclass,
		Request: run.Request,
		opcode:  uint8(r.Opcode),
		cd:      r.CheckingDisabled,
		traced:  traced(ctx),
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
	if run.trail != noTrail || len(r.Question) == 1 && !run.unchanged(&r.Question[0]) {
		run.reenter(r)
	}
}

// unchanged reports whether q is the client's question by the address of the
// name, which a copy of a message shares. It may miss equal questions, and
// reenter compares them in full.
func (run *Run) unchanged(q *dns.Question) bool {
	return unsafe.StringData(q.Name) == unsafe.StringData(run.qname) && len(q.Name) == len(run.qname) && q.Qtype == run.qtype && q.Qclass == run.qclass
}

// reenter voids what an earlier attempt left at this depth or deeper (autopath
// tries several names, forward's `next` several forwards), and notes a question
// that differs from the one above.
func (run *Run) reenter(r *dns.Msg) {
	run.forget(int(run.depth))
	above := run.Question()
	if run.changed > 0 {
		above = run.changes[run.changed-1].question
	}
	if len(r.Question) == 1 && r.Question[0] != above {
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
