package diagnose

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/miekg/dns"
	"golang.org/x/time/rate"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Backoff of a question that was diagnosed (RFC 9520 section 3.2).
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
)

// maxKnown bounds the questions and the zones whose diagnosis is remembered.
const maxKnown = 4096

// Skip is why a failure was not diagnosed, the metric label reason.
type Skip string

const (
	// Started is no skip: the diagnosis runs.
	Started Skip = ""
	// Running: one of this question runs already.
	Running Skip = "running"
	// Known: the question was diagnosed lately, or lies in a zone that was.
	Known Skip = "known"
	// OverRate and Busy: the budget is used up.
	OverRate Skip = "rate"
	Busy     Skip = "busy"
	// Silent: the upstream answered nothing at all a moment ago, so that nothing
	// could be found out through it.
	Silent Skip = "silent"
	// Closing: the server stops or reloads.
	Closing Skip = "stopping"
)

// Runner starts diagnoses off the clients' path, within a budget. It is safe
// for concurrent use.
type Runner struct {
	engine *Engine
	limit  *rate.Limiter
	slots  chan struct{}
	// Done is called with each finding, from the diagnosis's goroutine.
	done func(Case, Finding)

	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running map[key]*flight
	// silent holds until when an upstream is left alone. It has at most the
	// configured upstreams.
	silent map[string]time.Time
	known  *cache.Cache[*known]
	zones  *cache.Cache[*zone]
}

// flight is a diagnosis under way.
type flight struct {
	ended  chan struct{}
	cancel context.CancelFunc
}

// known is a question that was diagnosed; it has a verdict if it was explained.
type known struct {
	key     key
	verdict *cause.Verdict
	found   time.Time
	until   time.Time
	backoff time.Duration
}

// zone is one whose keys or servers were found at fault: that explains every
// name below it.
type zone struct {
	key     key
	verdict *cause.Verdict
	found   time.Time
	until   time.Time
}

// NewRunner returns a runner that starts at most perSecond diagnoses a second
// and runs at most concurrent at once.
func NewRunner(e *Engine, perSecond, concurrent int, done func(Case, Finding)) *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &Runner{
		engine: e, limit: rate.NewLimiter(rate.Limit(perSecond), perSecond), slots: make(chan struct{}, concurrent), done: done,
		ctx: ctx, cancel: cancel,
		running: make(map[key]*flight), silent: make(map[string]time.Time), known: cache.New[*known](maxKnown), zones: cache.New[*zone](maxKnown),
	}
}

// Start diagnoses c, unless that is being done, was done lately, or the budget
// does not allow it. The channel is closed when a diagnosis of the question,
// this one or the running one, has ended; it is nil if there is none.
func (r *Runner) Start(c Case) (<-chan struct{}, Skip) {
	k := keyOf(c.Scope, c.Question)
	now := r.engine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, Closing
	}
	if f, ok := r.running[k]; ok {
		return f.ended, Running
	}
	if before, ok := r.known.Get(k.hash()); ok && before.key == k && now.Before(before.until) {
		return nil, Known
	}
	if _, ok := r.brokenZone(k, now); ok {
		return nil, Known
	}
	if now.Before(r.silent[c.Failing.Name]) {
		return nil, Silent
	}
	select {
	case r.slots <- struct{}{}:
	default:
		return nil, Busy
	}
	if !r.limit.AllowN(now, 1) {
		<-r.slots
		return nil, OverRate
	}
	ctx, cancel := context.WithCancel(r.ctx)
	f := &flight{ended: make(chan struct{}), cancel: cancel}
	r.running[k] = f
	r.wait.Go(func() { r.run(ctx, c, k, f) })
	return f.ended, Started
}

func (r *Runner) run(ctx context.Context, c Case, k key, f *flight) {
	finding := r.engine.Diagnose(ctx, c)
	switch {
	case ctx.Err() == nil:
		r.remember(c, k, finding)
		r.done(c, finding)
	case r.ctx.Err() == nil:
		r.done(c, r.overtaken(k, finding))
	}
	r.mu.Lock()
	delete(r.running, k)
	r.mu.Unlock()
	f.cancel()
	<-r.slots
	close(f.ended)
}

// overtaken is the finding on a question whose diagnosis was ended because
// another one found the zone broken meanwhile.
func (r *Runner) overtaken(k key, f Finding) Finding {
	z, ok := r.brokenZone(k, r.engine.Now())
	if !ok {
		return f
	}
	f.Outcome, f.Verdict, f.Zone, f.Text = Explained, z.verdict, z.key.question.Name, z.verdict.Text()
	return f
}

// remember holds the next diagnosis under k back, twice as long each time.
func (r *Runner) remember(c Case, k key, f Finding) {
	now := r.engine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Silent {
		r.silent[c.Failing.Name] = now.Add(backoffOfSilence)
	} else {
		delete(r.silent, c.Failing.Name)
	}
	backoff := minBackoff
	if before, ok := r.known.Get(k.hash()); ok && before.key == k && f.Outcome != Resolves {
		backoff = min(2*before.backoff, maxBackoff)
	}
	r.known.Add(k.hash(), &known{key: k, verdict: f.Verdict, found: now, until: now.Add(backoff), backoff: backoff})
	if f.Outcome == Explained && f.Cut && f.Zone != "" && f.Zone != "." {
		at := k.zone(strings.ToLower(f.Zone))
		r.zones.Add(at.hash(), &zone{key: at, verdict: f.Verdict, found: now, until: now.Add(backoffOfZone)})
		for other, flight := range r.running {
			if other != k && other.scope == k.scope && dns.IsSubDomain(at.question.Name, other.question.Name) {
				flight.cancel()
			}
		}
	}
}

// backoffOfZone is how long a broken zone explains the names below it before
// one of them is diagnosed anew.
const backoffOfZone = 30 * time.Second

// backoffOfSilence is how long an upstream that answers nothing is left alone.
const backoffOfSilence = 10 * time.Second

// Lookup returns what was found of the question in a scope: its own verdict, or
// that on the closest zone above it that was found at fault; and when.
func (r *Runner) Lookup(scope evidence.Scope, q dns.Question) (*cause.Verdict, time.Time, bool) {
	k := keyOf(scope, q)
	now := r.engine.Now()
	if found, ok := r.known.Get(k.hash()); ok && found.key == k && found.verdict != nil && now.Sub(found.found) < maxBackoff {
		return found.verdict, found.found, true
	}
	if z, ok := r.brokenZone(k, now); ok {
		return z.verdict, z.found, true
	}
	return nil, time.Time{}, false
}

// brokenZone is the closest zone at or above the name of k that was found at
// fault.
func (r *Runner) brokenZone(k key, now time.Time) (*zone, bool) {
	for off, end := 0, false; !end; off, end = dns.NextLabel(k.question.Name, off) {
		at := k.zone(k.question.Name[off:])
		z, ok := r.zones.Get(at.hash())
		if ok && z.key == at && now.Before(z.until) {
			return z, true
		}
	}
	return nil, false
}

// Succeeded forgets what is known of a name that resolves again in a scope, and
// of the zones above it.
func (r *Runner) Succeeded(scope evidence.Scope, q dns.Question) {
	k := keyOf(scope, q)
	r.known.Remove(k.hash())
	for off, end := 0, false; !end; off, end = dns.NextLabel(k.question.Name, off) {
		r.zones.Remove(k.zone(k.question.Name[off:]).hash())
	}
}

// Quiet reports whether nothing is known, so that a success has nothing to
// forget.
func (r *Runner) Quiet() bool { return r.known.Len() == 0 && r.zones.Len() == 0 }

// Stop ends all diagnoses at once and waits for them.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wait.Wait()
}

// key is a question, or a zone, where the finding about it holds.
type key struct {
	scope    evidence.Scope
	question dns.Question
}

func keyOf(scope evidence.Scope, q dns.Question) key {
	q.Name = strings.ToLower(dns.Fqdn(q.Name))
	return key{scope, q}
}

// zone is the key of a zone in the same scope.
func (k key) zone(name string) key { return key{k.scope, dns.Question{Name: name}} }

func (k key) hash() uint64 {
	return cache.Hash(fmt.Appendf(nil, "%d %s %s %d %d", k.scope.Block, k.scope.Zone, k.question.Name, k.question.Qtype, k.question.Qclass))
}
