package uplink

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
)

var errPanicked = errors.New("the probe ended in an error of its own")

type put func(ctx context.Context, r Resolver, q control.Question) (control.Reply, error)

// shared uses what is known: that was fetched after the failure had been seen, or fails. A
// failure holds up blame, and clears nobody.
func (p *Prober) shared(ctx context.Context, r Resolver, q control.Question) (control.Reply, error) {
	return p.controls.GetIf(ctx, r.Name, r.Ask, q, p.now, func(known control.Reply) bool {
		return !known.Answers() || known.Freshness == control.Fetched && !known.Asked.Before(p.since)
	})
}

// anew asks whatever is known.
func (p *Prober) anew(ctx context.Context, r Resolver, q control.Question) (control.Reply, error) {
	return p.controls.Fresh(ctx, r.Name, r.Ask, q, p.now)
}

// ask puts questions to r, all at once, and returns the one with the freshest answer, and
// whether there is one.
func (p *Prober) ask(ctx context.Context, r Resolver, put put, questions []control.Question) (best control.Question, fresh control.Freshness, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	replies, failures := make([]control.Reply, len(questions)), make([]error, len(questions))
	done := make(chan struct{}, len(questions))
	for i, q := range questions {
		failures[i] = errPanicked
		go func() {
			defer func() { done <- struct{}{} }()
			defer guard.Catch(guard.Diagnosing, nil)
			replies[i], failures[i] = put(ctx, r, q)
		}()
	}
	for range questions {
		<-done
	}
	for i, q := range questions {
		if failures[i] != nil {
			p.step(false, "%s, %s: %s", r.Name, q, control.Phrase(failures[i]))
			continue
		}
		if replies[i].Freshness > fresh || replies[i].Answers() && !answered {
			best, fresh, answered = q, replies[i].Freshness, true
		}
		p.note(r.Name, q, replies[i])
		what := ""
		switch reply := replies[i]; {
		case reply.Freshness == control.Fetched:
			what = ", just fetched"
		case reply.Freshness == control.Recent:
			what = ", from what it fetched within the last second"
		case reply.Answers():
			what = ", perhaps from what it remembers"
		}
		p.step(replies[i].Freshness == control.Fetched, "%s, %s: %s%s", r.Name, q, dns.RcodeToString[replies[i].Rcode], what)
	}
	return best, fresh, answered
}

// given is what of a resolver's made-up names and types had an answer.
type given struct{ names, types bool }

func (p *Prober) note(resolver string, q control.Question, r control.Reply) {
	g := p.given[resolver]
	switch {
	case !r.Answers():
		return
	case q.Name == "":
		g.names = true
	case q.Type == 0:
		g.types = true
	}
	p.given[resolver] = g
}

// Answered reports whether the resolver answered a made-up name, and a made-up type of a name
// that exists, be it from what it remembers.
func (p *Prober) Answered(resolver string) (names, types bool) {
	g := p.given[resolver]
	return g.names, g.types
}
