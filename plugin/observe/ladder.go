// Package observe finds out how a query failed inside CoreDNS. A ladder of
// taps, one above each plugin below ede, tells which plugins were entered, with
// which question, and what each gave back; a Run holds the failing message
// until the chain has returned, so that exactly one answer leaves; and the
// evidence of both is collected once it is known that the query failed.
//
// It knows CoreDNS's ways to fail and nothing of causes or INFO-CODEs.
package observe

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/stack"
)

// Ladder is the set of taps of one server block, and what its handlers tell
// about themselves. It is made at set-up and is safe for concurrent use once
// the block's chain is compiled.
type Ladder struct {
	cfg *dnsserver.Config
	// taps holds the tap that was made last at each place; a chain is compiled
	// before it serves.
	taps [maxPlaces]*tap
	// top is the tap that stands for itself on each run, see Top.
	top *tap

	// PassThrough makes a run pass failing messages on at once, as the chain
	// wrote them, and only take note of them.
	PassThrough bool
	// Circle is true when the Corefile shows that what this block forwards
	// comes back to it through other blocks of the process.
	Circle bool

	// Background is called when cache's own prefetch or stale refresh has
	// ended, from cache's goroutine. It may be nil.
	Background func(*Run, int, error)
}

// NewLadder returns the ladder of the server block that cfg belongs to.
func NewLadder(cfg *dnsserver.Config) *Ladder { return &Ladder{cfg: cfg} }

// Install puts a tap above every plugin that follows position own in the
// block's list of constructors. It is to be called once all directives of the
// block have run and before the chain is compiled. Each plugin keeps its
// place, and the handler that CoreDNS registers stays the real one.
func (l *Ladder) Install(own int) {
	for i := own + 1; i < len(l.cfg.Plugin); i++ {
		build := l.cfg.Plugin[i]
		l.cfg.Plugin[i] = func(next plugin.Handler) plugin.Handler {
			t := l.newTap(next, i-own)
			if t == nil {
				// file answers REFUSED only if its Next is nil.
				return build(nil)
			}
			h := build(t)
			t.belowCache = h.Name() == "cache"
			return h
		}
	}
}

// Top returns the handler that ede calls, nil if next is. Unless it needs a context
// of its own, the tap above it is not called: Begin notes that the plugin is
// entered, and Outcome what it gave back. It would be one more frame on the stack
// of every query, see Run.
func (l *Ladder) Top(next plugin.Handler) plugin.Handler {
	t := l.newTap(next, 0)
	l.top = nil
	switch {
	case t == nil:
		return nil
	case t.chooses:
		return t
	}
	l.top = t
	return next
}

// instant are the plugins that answer or pass on without waiting for anything;
// the clock is read for all others.
var instant = map[string]bool{
	"local": true, "any": true, "chaos": true, "loadbalance": true, "tsig": true, "rewrite": true, "acl": true,
	"cache": true, "header": true, "dnssec": true, "minimal": true, "template": true, "hosts": true, "file": true,
	"auto": true, "secondary": true, "whoami": true, "loop": true, "erratic": true,
}

// maxPlaces is how many plugins of a block can have a tap: CoreDNS ships less
// than a third as many. A plugin below that has none and is not seen.
const maxPlaces = 256

// newTap returns a tap above next, which stands place plugins below ede.
func (l *Ladder) newTap(next plugin.Handler, place int) *tap {
	if next == nil {
		return nil
	}
	t := &tap{next: next, name: next.Name(), ladder: l, place: uint8(min(place, maxPlaces-1))}
	l.taps[t.place] = t
	t.slow = !instant[t.name]
	_, isForward := next.(*forward.Forward)
	t.asksUpstream = isForward || t.name == "grpc"
	if t.asksUpstream {
		t.upstreams.load(next)
		t.chooses = isForward && t.upstreams.only == ""
	}
	return t
}

func (l *Ladder) tapAt(place uint8) *tap { return l.taps[place] }

// tap stands above one plugin. A constructor runs once per key of a server
// block and per socket, so there can be several taps above one handler; only
// those compiled last are used by plugins that are shared pointers.
type tap struct {
	next   plugin.Handler
	name   string
	ladder *Ladder
	place  uint8
	// belowCache is set on the tap that stands directly below cache.
	belowCache bool
	// asksUpstream is set on the tap above forward and grpc, chooses above a
	// forward that has several upstreams. It names the one that it asks in the
	// metadata and nowhere else.
	asksUpstream, chooses bool
	// slow is set on a tap above a plugin that may take its time, as all do that
	// ask an upstream.
	slow bool
	// lastGood is when the plugin last gave a usable answer, in nanoseconds of
	// the monotonic clock since start (see now).
	lastGood  atomic.Int64
	upstreams upstreams
	// stack is what the plugin needs of it, where asksUpstream is set.
	stack stack.Need
}

// Name makes the tap invisible to trace spans and to plugins that look at the
// name of their next plugin.
func (t *tap) Name() string { return t.name }

// ServeDNS implements plugin.Handler. It is on the way of each query as often as
// there are plugins, with a frame on the stack each time, see Run: it calls nothing
// where there is nothing but the place to note.
func (t *tap) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	run, ok := ctx.(*Run)
	if !ok || t.slow || t.belowCache {
		return t.listen(ctx, w, r)
	}
	if run.enter(t.place, r) {
		run.reenter(r)
	}
	rcode, err := t.next.ServeDNS(ctx, w, r)
	if rcode != dns.RcodeSuccess || err != nil {
		run.returned(rcode, err)
	}
	run.depth--
	return rcode, err
}

// listen is ServeDNS where the run has to be found, or more is noted. What only
// some of these taps need stands in functions that return before the plugin is
// called.
func (t *tap) listen(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	run, ok := ctx.Value(runKey).(*Run)
	if !ok {
		return t.next.ServeDNS(ctx, w, r)
	}
	if t.belowCache {
		if !sameMetadata(ctx, run) {
			return t.refresh(run, ctx, w, r)
		}
		w = run.hearBelow(w)
	}
	first := run.began == 0
	if t.slow && first {
		run.began = now()
	}
	if run.enter(t.place, r) {
		run.reenter(r)
	}
	if t.asksUpstream {
		ctx = run.ask(t, ctx, r, first)
	}
	rcode, err := t.next.ServeDNS(ctx, w, r)
	if t.asksUpstream {
		run.asked(t, rcode, err)
	}
	if rcode != dns.RcodeSuccess || err != nil {
		run.returned(rcode, err)
	}
	run.depth--
	return rcode, err
}

// refresh serves what cache asks on its own. cache runs prefetch, stale refresh
// and verification with a timeout in goroutines of their own, with a context
// that bears a fresh metadata map (plugin/cache/handler.go: doPrefetch,
// verifyWithTimeout). Such a run must not write into the client's run, which may
// have ended already, nor read of it what changes, as its trail.
func (t *tap) refresh(run *Run, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	bg := run.detach(ctx, r)
	rcode, err := t.ServeDNS(bg, w, r)
	if t.ladder.Background != nil {
		t.ladder.Background(bg, rcode, err)
	}
	return rcode, err
}

// ask notes that the plugin below t is about to ask an upstream, and returns the
// context for it: one with a metadata map if there is an upstream to name and the
// metadata plugin gave none. first is true if the plugin is the first that may
// take its time, and the clock just read.
func (run *Run) ask(t *tap, ctx context.Context, r *dns.Msg, first bool) context.Context {
	if t.chooses && metadata.ValueFuncs(ctx) == nil {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	tr := run.leaves()
	tr.upstreamCtx, tr.upstreamTap = ctx, t
	tr.upstreamEDNS = option.RequestOf(r).HasOPT()
	tr.upstreamBegan, tr.upstreamEnded, tr.upstreamFailing = run.began, 0, tr.failing
	if !first {
		tr.upstreamBegan = now()
	}
	tr.upstreamStack = t.stack.Prepare()
	return ctx
}

// asked notes what came of it.
func (run *Run) asked(t *tap, rcode int, err error) {
	tr := run.leaves()
	t.stack.Learn(tr.upstreamStack)
	tr.upstreamEnded = now()
	if err == nil && rcode == dns.RcodeSuccess && tr.failing == tr.upstreamFailing {
		t.lastGood.Store(int64(tr.upstreamEnded))
	}
}

// start is the origin of the monotonic times of this package: reading the
// monotonic clock alone costs half of time.Now.
var start = time.Now()

func now() time.Duration { return time.Since(start) }

// wall turns a monotonic time of this package into wall-clock time.
func wall(d time.Duration) time.Time { return start.Add(d) }
