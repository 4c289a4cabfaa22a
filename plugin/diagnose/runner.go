package diagnose

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"golang.org/x/time/rate"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

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
	// Silent: the upstream answered nothing a moment ago, or is being asked for another
	// question and has not answered yet. Nothing could be found out through it.
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
	// silent are the upstreams that are left alone. It has at most the configured
	// ones.
	silent map[string]silence
	known  *cache.Cache[*known]
	zones  *cache.Cache[*zone]
	// holding is false if known and zones are empty.
	holding atomic.Bool
}

// flight is a diagnosis under way.
type flight struct {
	ended  chan struct{}
	cancel context.CancelFunc
	// upstream is the one that has not answered its question, if that is why it fails,
	// and lives whether it has answered another one.
	upstream string
	lives    *atomic.Bool
}

// NewRunner returns a runner that starts at most perSecond diagnoses a second
// and runs at most concurrent at once.
func NewRunner(e *Engine, perSecond, concurrent int, done func(Case, Finding)) *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &Runner{
		engine: e, limit: rate.NewLimiter(rate.Limit(perSecond), perSecond), slots: make(chan struct{}, concurrent), done: done,
		ctx: ctx, cancel: cancel,
		running: make(map[key]*flight), silent: make(map[string]silence), known: cache.New[*known](maxKnown), zones: cache.New[*zone](maxKnown),
	}
}

// Start diagnoses c, unless that is being done, was done lately, or the budget
// does not allow it. The channel is closed when a diagnosis of the question or of its
// upstream, this one or the running one, has ended; it is nil if there is none.
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
	if now.Before(r.silent[c.Failing.Name].until) {
		return nil, Silent
	}
	if f := r.listening(c); f != nil {
		return f.ended, Silent
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
	f := &flight{ended: make(chan struct{}), cancel: cancel, lives: new(atomic.Bool)}
	if c.TimedOut {
		f.upstream = c.Failing.Name
	}
	c.lives = f.lives
	r.running[k] = f
	r.wait.Go(func() { r.run(ctx, c, k, f) })
	return f.ended, Started
}

// listening is a diagnosis that waits for the first sign of life of the upstream that
// has not answered c either: one is enough.
func (r *Runner) listening(c Case) *flight {
	if !c.TimedOut {
		return nil
	}
	for _, f := range r.running {
		if f.upstream == c.Failing.Name && !f.lives.Load() {
			return f
		}
	}
	return nil
}

func (r *Runner) run(ctx context.Context, c Case, k key, f *flight) {
	defer r.land(k, f)
	// What panicked once is left alone for as long as what was not decided.
	defer guard.Catch(guard.Diagnosing, func() { r.remember(c, k, Finding{}) })
	finding := r.engine.Diagnose(ctx, c)
	switch {
	case ctx.Err() == nil:
		r.remember(c, k, finding)
		r.done(c, finding)
	case r.ctx.Err() == nil:
		r.done(c, r.overtaken(k, finding))
	}
}

// land ends the flight f of k, and lets go who waits for it.
func (r *Runner) land(k key, f *flight) {
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

// Stop ends all diagnoses at once and waits for them.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.wait.Wait()
}

// abort ends the diagnosis after a panic in one of its goroutines.
func (d *diagnosis) abort() {
	d.aborted.Store(true)
	if d.cancel != nil {
		d.cancel()
	}
}

// part returns what f returns, for a goroutine of d that owes it to another. If f panics
// that is the zero value, and d claims nothing.
func part[T any](d *diagnosis, f func() T) (v T) {
	defer guard.Catch(guard.Diagnosing, d.abort)
	return f()
}

var errPanicked = errors.New("the probe ended in an error of its own")
