// Package askagain sends a question once more to the upstream that failed it without a
// reason, if the first query had no OPT record. Such a query has no place for a reason in
// its answer (RFC 6891 section 7), and most stub resolvers send no OPT record.
//
// It is done off the client's path, once for each question that is remembered, in a
// budget, and nothing of the answer but the reason is kept. If the budget is used up, or
// the upstream cannot tell, the failure stays without a reason.
package askagain

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

const (
	// DefaultRate is how many questions are asked again a second.
	DefaultRate = 50
	// maxWaiting is how many questions wait for their turn, some seconds' worth.
	maxWaiting = 256
	// maxAtOnce is how many are under way, half of what exchange lets through at once:
	// the other half is left to diagnoses.
	maxAtOnce = 8
	// life is how long a question is not asked again, and its reason is remembered: as
	// long as a failure is (RFC 9520 section 3.2).
	life = 5 * time.Minute
	// An upstream that does not understand an OPT record, or does not answer one, is
	// left alone for a while.
	restWithoutEDNS = time.Minute
	restOfSilence   = 10 * time.Second
	// maxResting is how many upstreams are known to be left alone.
	maxResting = 64
	// longest is how long one answer is waited for.
	longest = 4 * time.Second
)

// Failure is a question that failed without a reason.
type Failure struct {
	// Of is the key that the reason is remembered under. Its Rcode is the rcode that the
	// reason explains.
	Of remarks.Question
	// Question, RecursionDesired and CheckingDisabled are as the upstream was asked.
	Question                           dns.Question
	RecursionDesired, CheckingDisabled bool
	// Upstream is its address, and Exchange puts a message to it.
	Upstream string
	Exchange func(ctx context.Context, m *dns.Msg) (*dns.Msg, error)
	// Full reports whether the forward has as many queries under way as it may have.
	// It may be nil.
	Full func() bool
	// Verdict is what the failure was put down to, and Group the zone it counts under.
	Verdict *cause.Verdict
	Group   string
}

// Answer is what came of asking again.
type Answer struct {
	Failure
	Result Result
	// Said is the reason, if the Result is Reason.
	Said []option.Option
	At   time.Time
	Took time.Duration
}

// Asker asks again. It is safe for concurrent use. A nil Asker does nothing.
type Asker struct {
	memory *remarks.Memory
	limit  *rate.Limiter
	done   func(Answer)

	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	atOnce  int
	waiting []Failure
	// open are the questions that wait or are under way.
	open map[remarks.Question]bool
	// resting holds until when an upstream is left alone.
	resting map[string]time.Time
}

// New returns an Asker that asks at most perSecond questions a second and remembers in
// memory what it hears. done is called with each answer, from the Asker's goroutine.
func New(memory *remarks.Memory, perSecond int, done func(Answer)) *Asker {
	ctx, cancel := context.WithCancel(context.Background())
	return &Asker{
		memory: memory, limit: rate.NewLimiter(rate.Limit(perSecond), 1), done: done, ctx: ctx, cancel: cancel,
		open: make(map[remarks.Question]bool), resting: make(map[string]time.Time),
	}
}

// Continue makes a take over what old remembers. It is to be called before a is used.
func (a *Asker) Continue(old *Asker) {
	if a != nil && old != nil {
		a.memory = old.memory
	}
}

// Heard returns the reason that was given for q, if there is one.
func (a *Asker) Heard(q remarks.Question) (remarks.Said, bool) {
	if a == nil {
		return remarks.Said{}, false
	}
	said, ok := a.memory.Get(q)
	return said, ok && len(said.Options) > 0
}

// Wants reports whether q can be asked again: it was not, and it does not wait already.
func (a *Asker) Wants(q remarks.Question) bool {
	if a == nil || q.Name == "" {
		return false
	}
	if _, asked := a.memory.Get(q); asked {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.closed && !a.open[q]
}

// Ask has f asked again when its turn comes, and does not wait for it.
func (a *Asker) Ask(f Failure) Skip {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return Closing
	case a.open[f.Of]:
		return Waiting
	case time.Now().Before(a.resting[f.Upstream]):
		return Resting
	case len(a.waiting) >= maxWaiting:
		return OverRate
	}
	a.open[f.Of] = true
	a.waiting = append(a.waiting, f)
	if a.atOnce < maxAtOnce {
		a.atOnce++
		a.wait.Go(a.work)
	}
	return Asked
}

// Succeeded forgets what the upstreams have said of q, whatever its rcode: it resolves again. With CD set
// that says nothing of queries without. An answer that is still under way is then ignored.
func (a *Asker) Succeeded(q remarks.Question, upstreams []string) {
	if a == nil {
		return
	}
	all := failuresOf(q, upstreams)
	a.mu.Lock()
	for _, failed := range all {
		delete(a.open, failed)
	}
	a.mu.Unlock()
	if a.memory.Quiet() {
		return
	}
	for _, failed := range all {
		a.memory.Forget(failed)
	}
}

// failuresOf are the ways in which q may have failed at the upstreams.
func failuresOf(q remarks.Question, upstreams []string) (all []remarks.Question) {
	for _, q.Upstream = range upstreams {
		for _, q.Rcode = range []int{dns.RcodeServerFailure, dns.RcodeRefused} {
			if all = append(all, q); !q.CD {
				with := q
				with.CD = true
				all = append(all, with)
			}
		}
	}
	return all
}

// Stop ends all work at once and waits for it.
func (a *Asker) Stop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.closed, a.waiting = true, nil
	a.mu.Unlock()
	a.cancel()
	a.wait.Wait()
}
