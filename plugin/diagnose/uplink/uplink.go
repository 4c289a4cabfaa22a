// Package uplink shows whether a resolver reaches the Internet: it asks for what no cache
// has.
package uplink

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

// patience is how long an answer may take.
const patience = 2500 * time.Millisecond

var errPanicked = errors.New("the probe ended in an error of its own")

// Prober asks resolvers for what no cache has.
type Prober struct {
	// Controls has what resolvers answered lately.
	Controls *control.Answers
	Now      func() time.Time
	// Step notes what was seen.
	Step func(ok bool, format string, args ...any)
}

// Fetches asks resolver for a name and a type of zone that no cache has, both at once, and
// reports whether it fetched one of them.
func (p Prober) Fetches(ctx context.Context, resolver string, ask control.Ask, zone string) bool {
	questions := []control.Question{control.Unused(zone), control.MadeUp(zone)}
	if zone == "." {
		questions = questions[:1]
	}
	replies, failures := make([]control.Reply, len(questions)), make([]error, len(questions))
	done := make(chan struct{}, len(questions))
	for i, q := range questions {
		failures[i] = errPanicked
		go func() {
			defer func() { done <- struct{}{} }()
			defer guard.Catch(guard.Diagnosing, nil)
			replies[i], failures[i] = p.put(ctx, resolver, ask, q)
		}()
	}
	for range questions {
		<-done
	}
	seen := false
	for i, q := range questions {
		switch err := failures[i]; {
		case err != nil:
			p.Step(false, "%s, %s: %s", resolver, q, control.Phrase(err))
		case replies[i].Fetched:
			seen = true
			p.Step(true, "%s, %s: %s, just fetched", resolver, q, dns.RcodeToString[replies[i].Rcode])
		case replies[i].Answers():
			p.Step(false, "%s, %s: %s, perhaps from what it remembers", resolver, q, dns.RcodeToString[replies[i].Rcode])
		default:
			p.Step(false, "%s, %s: %s", resolver, q, dns.RcodeToString[replies[i].Rcode])
		}
	}
	return seen
}

// put asks one question, unless its answer is known and serves.
func (p Prober) put(ctx context.Context, resolver string, ask control.Ask, q control.Question) (control.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := p.Controls.Get(ctx, resolver, ask, q, p.Now)
	if r.Fetched && p.Now().Sub(r.At) > control.Recent {
		return p.Controls.Fresh(ctx, resolver, ask, q, p.Now)
	}
	return r, err
}
