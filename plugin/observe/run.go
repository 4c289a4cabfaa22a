package observe

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Run is one query on its way through the plugins below ede. It goes down the chain
// as the context, where the taps find it, and as the response writer, where it holds
// a failing message back.
//
// A plugin may ask the next one from several goroutines, and may answer while some
// of them go on. A run that sees this stops recording: of such a query only the
// rcode, the error and the held message are used. See enter.
type Run struct {
	context.Context
	dns.ResponseWriter

	ladder *Ladder
	// parent is the run of the query inside which this one is an internal lookup.
	parent *Run
	// question is the client's: plugins may rewrite the query in place.
	question dns.Question
	// began is when the query came to ede.
	began time.Duration
	// Request is what is remembered of the client's query in addition to its question.
	Request option.Request
	opcode  uint8
	// cd is the CD bit of the client's query, and rd its RD bit.
	cd, rd bool
	// refreshing is true for a refresh that cache does on its own.
	refreshing bool

	trail trail

	// mu guards what follows, but for whole and replacing. Messages may be written from any
	// goroutine, and at any time; so may notes.
	mu sync.Mutex
	// notes is nil until there is something to note but the path.
	notes atomic.Pointer[notes]
	// ended is true once the chain has returned.
	ended bool
	// sent is true once a message was passed on to the client, and resolved if that, or what
	// cache stored of a refresh, is an answer that says what the name has.
	sent, resolved bool
	// given is true once cache was given an answer that did not fail, where somebody
	// hears of these.
	given bool
	// whole is true if the recording is, and replacing if a failed refresh takes the place of what
	// cache has. Both are set by who began the run, once the chain has returned. They stand here
	// since the run is no larger then.
	whole, replacing bool
	// held is a failing message, or an empty NOERROR that may yet turn out to be
	// one.
	held *dns.Msg
	// written says what the failing message was at the time of the write. It is unwritten
	// if none was written.
	written *message
	// recorders are those on the path, the innermost first.
	recorders *recorder
}

type runKey struct{}

// runOf returns the run that ctx bears, or nil.
func runOf(ctx context.Context) *Run {
	// Mostly no plugin above has made a context of its own.
	if run, ok := ctx.(*Run); ok {
		return run
	}
	run, _ := ctx.Value(runKey{}).(*Run)
	return run
}

// Value implements context.Context.
func (run *Run) Value(key any) any {
	if _, ok := key.(runKey); ok {
		return run
	}
	return run.Context.Value(key)
}

// Begin starts a run for the query r, which has a question. A query that runs
// inside another one (the target of a CNAME, a lookup by dns64) becomes a nested run
// of it.
func (l *Ladder) Begin(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *Run {
	run := l.begin(ctx, w, r)
	run.enterFirst()
	return run
}

// begin starts a run that has not entered any plugin.
func (l *Ladder) begin(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *Run {
	run := &Run{
		Context:        ctx,
		ResponseWriter: w,
		ladder:         l,
		parent:         runOf(ctx),
		question:       r.Question[0],
		Request:        option.RequestOf(r),
		opcode:         uint8(r.Opcode),
		cd:             r.CheckingDisabled,
		rd:             r.RecursionDesired,
		began:          now(),
		written:        &unwritten,
	}
	if run.parent != nil {
		// Plugins above may have changed the query that this one was made of.
		run.rd = run.parent.rd
	}
	return run
}

// Aside returns ctx without its run, for an unrecorded query inside a recorded one.
func Aside(ctx context.Context) context.Context {
	if runOf(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, runKey{}, (*Run)(nil))
}

// refresh returns a run for what cache asks on its own because of run's query.
func (run *Run) refresh(ctx context.Context, r *dns.Msg) *Run {
	own := run.ladder.begin(ctx, nil, r)
	own.parent, own.refreshing, own.Request = nil, true, run.Request
	own.rd = run.rd
	return own
}

// finish ends the recording of a refresh whose chain has returned, or of a run whose chain
// panicked at place.
func (run *Run) finish() (place uint8) {
	place = run.trail.end().place()
	run.whole = place == 0
	run.mu.Lock()
	defer run.mu.Unlock()
	run.ended = true
	return place
}

// CheckingDisabled is the CD bit of the query.
func (run *Run) CheckingDisabled() bool { return run.cd }

// Question is what the client asked.
func (run *Run) Question() dns.Question { return run.question }

// clientOf is the socket of the run's client, the zero value if it has none.
func (run *Run) clientOf() netip.AddrPort {
	if run.ResponseWriter == nil {
		return netip.AddrPort{}
	}
	if addr, ok := run.ResponseWriter.RemoteAddr().(interface{ AddrPort() netip.AddrPort }); ok {
		a := addr.AddrPort()
		return netip.AddrPortFrom(plain(a.Addr()), a.Port())
	}
	return netip.AddrPort{}
}

// Nested reports whether the run is an internal lookup inside another query, which
// counts and logs it.
func (run *Run) Nested() bool { return run.parent != nil }

// Age is how long ago the client's query came to ede. That of a nested run is older
// than the run.
func (run *Run) Age() time.Duration {
	for run.parent != nil {
		run = run.parent
	}
	return now() - run.began
}

// start is the origin of the monotonic times of this package: reading the monotonic
// clock alone costs half of time.Now.
var start = time.Now()

func now() time.Duration { return time.Since(start) }

// wall turns a monotonic time of this package into wall-clock time.
func wall(d time.Duration) time.Time { return start.Add(d) }
