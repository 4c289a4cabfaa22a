package observe

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"
)

// tap stands above one plugin and notes on the query's run that the plugin is
// entered, with which question, and what it gave back.
type tap struct {
	next plugin.Handler
	// asked is next, or what counts the queries that are in it.
	asked  plugin.Handler
	name   string
	ladder *Ladder
	place  uint8
	// passed has the bits of the plugins between the tap and the next one above: they pass
	// every query on, and have none.
	passed steps
	// stock is true if CoreDNS ships the plugin below.
	stock bool
	// belowCache is true if the plugin above is cache.
	belowCache bool
	// aboveCache is true if the plugin below is cache, and somebody hears of answers.
	aboveCache bool
	// records is true where the messages that pass have to be noted: below cache, which
	// drops their OPT, below what can change their rcode or their flags, and above what may
	// answer with words of its own after it has asked: a plugin that CoreDNS does not ship, or
	// cache with something stale.
	records bool
	// upstreams is set above a plugin that asks other servers.
	upstreams *upstreams
	// lastGood is when the plugin last gave a usable answer, in the monotonic
	// nanoseconds of now.
	lastGood atomic.Int64
}

// below tells t the plugin above it, or one further up if those between pass every query on.
func (t *tap) below(h plugin.Handler) {
	t.belowCache = h.Name() == "cache"
	t.records = t.records || t.belowCache || changesRcodes(h.Name()) || changesFlags(h)
}

// Name returns the name of the plugin below, so that trace spans, and plugins that look at
// the name of their next plugin, do not see the tap.
func (t *tap) Name() string { return t.name }

// ServeDNS implements plugin.Handler.
func (t *tap) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	run := runOf(ctx)
	if t.belowCache && isRefresh(ctx, run) {
		return t.refresh(t, run, ctx, w, r)
	}
	above, w, ok := t.enter(run, w, r)
	rcode, err := t.next.ServeDNS(ctx, w, r)
	if ok {
		run.leave(t, above, rcode, err)
	}
	return rcode, err
}

// enter notes that run, which may be nil, enters the plugin below t, and returns the writer for
// it. above is where leave has to return to; ok is false if nothing is noted.
func (t *tap) enter(run *Run, w dns.ResponseWriter, r *dns.Msg) (above uint8, _ dns.ResponseWriter, ok bool) {
	if run == nil {
		return 0, w, false
	}
	if above, ok = run.enter(t, r); !ok {
		return 0, w, false
	}
	if t.records {
		w = run.recordAt(t.place, w)
	}
	if t.belowCache || t.aboveCache {
		w = t.answers(run, w, r)
	}
	return above, w, true
}

// asking is a tap above a plugin that asks other servers.
type asking struct{ *tap }

// ServeDNS implements plugin.Handler.
func (t asking) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	run := runOf(ctx)
	if t.belowCache && isRefresh(ctx, run) {
		return t.refresh(t, run, ctx, w, r)
	}
	above, w, ok := t.enter(run, w, r)
	if !ok {
		return t.asked.ServeDNS(ctx, w, r)
	}
	var waits waiter
	if len(r.Question) == 1 {
		waits = t.upstreams.circle.begin(run.clientOf(), r.Question[0])
	}
	ctx = run.ask(t.tap, ctx, r)
	if waits.flight != nil {
		return t.wait(waits, run, above, ctx, w, r)
	}
	rcode, err := t.asked.ServeDNS(ctx, w, r)
	run.answered(t.tap, waits, rcode, err)
	run.leave(t.tap, above, rcode, err)
	return rcode, err
}

// wait passes a query on whose question is followed: a function of its own, since few queries need
// the deferred call.
func (t asking) wait(waits waiter, run *Run, above uint8, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	// Deferred, since the plugin may panic, and what is recorded of the query may end before.
	defer t.upstreams.circle.end(waits)
	rcode, err := t.asked.ServeDNS(ctx, w, r)
	run.answered(t.tap, waits, rcode, err)
	run.leave(t.tap, above, rcode, err)
	return rcode, err
}

// answers stands above cache or below it, for who hears of answers.
func (t *tap) answers(run *Run, w dns.ResponseWriter, r *dns.Msg) dns.ResponseWriter {
	if a := t.ladder.Answers; a != nil {
		return &answerWriter{ResponseWriter: w, run: run, answers: a, query: cachedOf(r), above: t.aboveCache}
	}
	return w
}

// refresh has self, which is t, serve what cache asks on its own, on a run of its own: the
// client's may have ended already.
func (t *tap) refresh(self plugin.Handler, run *Run, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	own := run.refresh(ctx, r)
	rcode, err := self.ServeDNS(own, w, r)
	own.adoptFailure(t.place)
	stored, ok := unexported.Stored(w)
	own.replacing, own.resolved = ok && stored == dns.RcodeServerFailure, ok && isGood(stored)
	own.finish()
	if t.ladder.Background != nil {
		t.ladder.Background(own, rcode, err)
	}
	return rcode, err
}

// Replaces reports whether the failure of a refresh took the place of what cache has. If not,
// cache goes on to answer with that: it keeps no failure that came without a message, no REFUSED,
// nothing truncated, and in place of something stale mostly no failure at all.
func (run *Run) Replaces() bool { return run.replacing }

// Resolved reports whether cache has stored an answer of a refresh.
func (run *Run) Resolved() bool { return run.resolved }

// RefreshEvidence is Evidence for a refresh that cache did on its own and that
// returned (rcode, err), or nil if it did not fail.
func (run *Run) RefreshEvidence(rcode int, err error) *evidence.Evidence {
	switch {
	case isFailure(rcode), err != nil && !plugin.ClientWrite(rcode):
		return run.Evidence(evidence.Returned, rcode, err)
	case err != nil:
		return run.Evidence(evidence.Returned, dns.RcodeServerFailure, err)
	}
	if run.written != &unwritten {
		return run.Evidence(evidence.Written, int(run.written.rcode), nil)
	}
	return nil
}

// isRefresh reports whether ctx is that of a refresh by cache, and not of run's
// query. cache runs prefetch, stale refresh and verification with a timeout in
// goroutines of their own, with a context that bears a fresh metadata map
// (plugin/cache/handler.go: doPrefetch, verifyWithTimeout).
func isRefresh(ctx context.Context, run *Run) bool {
	if run == nil || ctx == context.Context(run) {
		return false
	}
	theirs, ours := metadata.ValueFuncs(ctx), metadata.ValueFuncs(run)
	if theirs == nil || ours == nil {
		return theirs != nil || ours != nil
	}
	return reflect.ValueOf(theirs).Pointer() != reflect.ValueOf(ours).Pointer()
}
