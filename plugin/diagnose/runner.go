package diagnose

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/miekg/dns"
	"golang.org/x/time/rate"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
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
	running map[dns.Question]chan struct{}
	// silent holds until when an upstream is left alone. It has at most the
	// configured upstreams.
	silent map[string]time.Time
	known  *cache.Cache[*known]
	zones  *cache.Cache[*zone]
}

// known is a question that was diagnosed; it has a verdict if it was explained.
type known struct {
	question dns.Question
	verdict  *cause.Verdict
	found    time.Time
	until    time.Time
	backoff  time.Duration
}

// zone is one whose keys or servers were found at fault: that explains every
// name below it.
type zone struct {
	name    string
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
		running: make(map[dns.Question]chan struct{}), silent: make(map[string]time.Time), known: cache.New[*known](maxKnown), zones: cache.New[*zone](maxKnown),
	}
}

// Start diagnoses c, unless that is being done, was done lately, or the budget
// does not allow it. The channel is closed when a diagnosis of the question,
// this one or the running one, has ended; it is nil if there is none.
func (r *Runner) Start(c Case) (<-chan struct{}, Skip) {
	q := normal(c.Question)
	now := r.engine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, Closing
	}
	if ended, ok := r.running[q]; ok {
		return ended, Running
	}
	if k, ok := r.known.Get(hashOf(q)); ok && k.question == q && now.Before(k.until) {
		return nil, Known
	}
	if _, ok := r.brokenZone(q.Name, now); ok {
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
	ended := make(chan struct{})
	r.running[q] = ended
	r.wait.Add(1)
	go r.run(c, q, ended)
	return ended, Started
}

func (r *Runner) run(c Case, q dns.Question, ended chan struct{}) {
	defer r.wait.Done()
	finding := r.engine.Diagnose(r.ctx, c)
	if r.ctx.Err() == nil {
		r.remember(c, q, finding)
		r.done(c, finding)
	}
	r.mu.Lock()
	delete(r.running, q)
	r.mu.Unlock()
	<-r.slots
	close(ended)
}

// remember holds the next diagnosis of q back, twice as long each time.
func (r *Runner) remember(c Case, q dns.Question, f Finding) {
	now := r.engine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Silent {
		r.silent[c.Failing.Name] = now.Add(backoffOfSilence)
	} else {
		delete(r.silent, c.Failing.Name)
	}
	h := hashOf(q)
	backoff := minBackoff
	if k, ok := r.known.Get(h); ok && k.question == q && f.Outcome != Resolves {
		backoff = min(2*k.backoff, maxBackoff)
	}
	r.known.Add(h, &known{question: q, verdict: f.Verdict, found: now, until: now.Add(backoff), backoff: backoff})
	if f.Outcome == Explained && f.Cut && f.Zone != "" && f.Zone != "." {
		name := strings.ToLower(f.Zone)
		r.zones.Add(hashOf(dns.Question{Name: name}), &zone{name: name, verdict: f.Verdict, found: now, until: now.Add(backoffOfZone)})
	}
}

// backoffOfZone is how long a broken zone explains the names below it before
// one of them is diagnosed anew.
const backoffOfZone = 30 * time.Second

// backoffOfSilence is how long an upstream that answers nothing is left alone.
const backoffOfSilence = 10 * time.Second

// Lookup returns what was found of the question: its own verdict, or that on
// the closest zone above it that was found at fault; and when.
func (r *Runner) Lookup(question dns.Question) (*cause.Verdict, time.Time, bool) {
	q := normal(question)
	now := r.engine.Now()
	if k, ok := r.known.Get(hashOf(q)); ok && k.question == q && k.verdict != nil && now.Sub(k.found) < maxBackoff {
		return k.verdict, k.found, true
	}
	if z, ok := r.brokenZone(q.Name, now); ok {
		return z.verdict, z.found, true
	}
	return nil, time.Time{}, false
}

// brokenZone is the closest zone at or above name that was found at fault.
func (r *Runner) brokenZone(name string, now time.Time) (*zone, bool) {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		z, ok := r.zones.Get(hashOf(dns.Question{Name: name[off:]}))
		if ok && z.name == name[off:] && now.Before(z.until) {
			return z, true
		}
	}
	return nil, false
}

// Succeeded forgets what is known of a name that resolves again, and of the
// zones above it.
func (r *Runner) Succeeded(question dns.Question) {
	q := normal(question)
	r.known.Remove(hashOf(q))
	for off, end := 0, false; !end; off, end = dns.NextLabel(q.Name, off) {
		r.zones.Remove(hashOf(dns.Question{Name: q.Name[off:]}))
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

func normal(q dns.Question) dns.Question {
	q.Name = strings.ToLower(dns.Fqdn(q.Name))
	return q
}

func hashOf(q dns.Question) uint64 {
	return cache.Hash([]byte(q.Name + "\x00" + string(rune(q.Qtype)) + "\x00" + string(rune(q.Qclass))))
}
