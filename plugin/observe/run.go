package observe

import (
	"context"
	"time"
	"unsafe"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// maxPath is how many plugins of a path are remembered; of a longer one the
// last place holds the innermost plugin.
const maxPath = 16

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
	}
	var parent *Run
	if run.traced, parent = above(ctx); parent != nil {
		run.leaves().parent = parent
	}
	if t := l.top; t != nil {
		run.depth, run.entered, run.path[0] = 1, 1, t.place
		if t.slow {
			run.began = now()
		}
		if t.asksUpstream {
			// A plugin that needs a context of its own is not entered here.
			run.ask(t, ctx, r, true)
		}
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

// Value implements context.Context. A run that is not traced is the value under
// spanKey, too, see above.
func (run *Run) Value(key any) any {
	if typeOf(&key) == spanKeyType && !run.traced || key == runKey {
		return run
	}
	return run.Context.Value(key)
}

// detach returns a run for a refresh that cache does on its own.
func (run *Run) detach(ctx context.Context, r *dns.Msg) *Run {
	q := &r.Question[0]
	traced, _ := above(ctx)
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
		traced:  traced,
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

// enter notes that the plugin at place is entered with r, and reports whether
// reenter has to see it as well, which is rare.
func (run *Run) enter(place uint8, r *dns.Msg) bool {
	level := run.depth + 1
	run.depth, run.entered = level, level
	run.path[min(level, maxPath)-1] = place
	return run.trail != noTrail || len(r.Question) == 1 && !run.unchanged(&r.Question[0])
}

// unchanged reports whether q is the client's question by the address of the
// name, which a copy of a message shares. It may miss equal questions, and
// reenter compares them in full.
func (run *Run) unchanged(q *dns.Question) bool {
	return unsafe.StringData(q.Name) == unsafe.StringData(run.qname) && len(q.Name) == len(run.qname) && q.Qtype == run.qtype && q.Qclass == run.qclass
}
