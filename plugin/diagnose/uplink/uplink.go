// Package uplink shows whether a resolver reaches the Internet: it asks for what no cache
// has.
package uplink

import (
	"context"
	"slices"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/control"
)

const (
	// patience is how long an answer may take.
	patience = 2500 * time.Millisecond
	// apart is the time after which no answer of before is Recent any more.
	apart = time.Second
	// large is a top-level domain with opt-out denials, which no cache makes answers from.
	large = "com."
)

// Resolver is whom to ask.
type Resolver struct {
	Name string
	Ask  control.Ask
}

// Zones are where to ask for what no cache has.
type Zones struct {
	// Top is the top-level domain of the name that fails, "" if nobody is to be asked
	// about it.
	Top string
	// Any says that another zone shows as much: Top may not exist, or nothing is known of
	// its servers.
	Any bool
	// Rejects says that again, between Reaches and Still, shows that r's validation rejects
	// a made-up type of Top. So r makes no answer to one from denials.
	Rejects bool
}

// Proof is what showed that a resolver reaches the Internet.
type Proof struct {
	question control.Question
	least    control.Freshness
	// recent is true if the answer may be a second old.
	recent bool
}

// Prober asks resolvers for what no cache has, for one diagnosis.
type Prober struct {
	// controls has what resolvers answered lately.
	controls *control.Answers
	now      func() time.Time
	// step notes what was seen.
	step func(ok bool, format string, args ...any)
	// since is when the failure had been seen, by now, and began by the time of the
	// system: what a resolver fetched before shows nothing of it.
	since, began time.Time
	known        map[string]result
	given        map[string]given // by the resolver's name
}

// result is what Reaches came to, and the zones that were asked about.
type result struct {
	proof Proof
	ok    bool
	zones []string
}

// New returns a Prober for a failure that was seen just now.
func New(controls *control.Answers, now func() time.Time, step func(ok bool, format string, args ...any)) *Prober {
	return &Prober{controls: controls, now: now, step: step, since: now(), began: time.Now(), known: make(map[string]result), given: make(map[string]given)}
}

// Reaches reports whether r is seen to fetch what no cache has, since the failure. An
// answer that was made from what r fetched a second ago is no proof: then a domain is asked
// about that has none of those, or a second passes. It asks once; zones is where.
func (p *Prober) Reaches(ctx context.Context, r Resolver, z Zones) (proof Proof, zones []string, ok bool) {
	key := r.Name + " " + z.Top
	if z.Any {
		key += " or any"
	}
	if z.Rejects {
		key += " rejected"
	}
	known, asked := p.known[key]
	if !asked {
		known = p.look(ctx, r, z)
		p.known[key] = known
	}
	return known.proof, known.zones, known.ok
}

func (p *Prober) look(ctx context.Context, r Resolver, z Zones) (res result) {
	// later is a zone whose answers may be told from what is remembered a second later, and
	// recent says that r fetched from it within the last.
	later, recent, least := "", false, control.Fetched
	try := func(questions ...control.Question) bool {
		q, fresh, answered := p.ask(ctx, r, p.shared, questions)
		for _, q := range questions {
			if zone := q.Zone(); !slices.Contains(res.zones, zone) {
				res.zones = append(res.zones, zone)
			}
		}
		if fresh >= least {
			res.proof, res.ok = Proof{question: q, least: least}, true
		} else if later == "" && answered && q.Zone() != "." {
			later, recent = q.Zone(), fresh == control.Recent
		}
		return res.ok
	}
	switch {
	case z.Top == "":
	case z.Rejects:
		least = control.Denied
		if try(control.Unused(z.Top)) {
			return res
		}
		least = control.Fetched
	case try(control.Unused(z.Top), control.MadeUp(z.Top)):
		return res
	}
	var others []control.Question
	if z.Any || recent {
		others = append(others, control.MadeUp(large))
	}
	if z.Any {
		others = append(others, control.Unused("arpa."), control.MadeUp("arpa."), control.Unused("."))
	}
	others = slices.DeleteFunc(others, func(q control.Question) bool { return q.Zone() == z.Top })
	if len(others) > 0 && try(others...) || later == "" {
		return res
	}
	if pause(ctx, apart-time.Since(p.began)) {
		// One denial stands for many names: one of these may be new to r.
		name := control.MadeUp(later)
		_, fresh, _ := p.ask(ctx, r, p.anew, []control.Question{name, name, name, control.Unused(later)})
		res.proof, res.ok = Proof{question: name, recent: true}, fresh >= control.Recent
	}
	return res
}

// Still reports whether r still fetches what proof showed that it does: between the two it
// had its way to the Internet, unless that came and went within the time from one to the
// other. It does not insist: that a question fails now and is answered a little later shows
// an outage between the two. Where no answer can show that it was fetched so soon after the
// first, r must not fail.
func (p *Prober) Still(ctx context.Context, r Resolver, proof Proof) bool {
	_, fresh, answered := p.ask(ctx, r, p.anew, []control.Question{proof.question})
	return fresh >= proof.least && !proof.recent || proof.recent && answered
}

// pause reports whether d passed before ctx was over.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
