package ede

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// maxHeld is how many answers may wait for a diagnosis at once.
const maxHeld = 64

// diagnoses is what the blocks that diagnose share.
type diagnoses struct {
	runner  *diagnose.Runner
	compare []*exchange.Upstream
	wait    time.Duration
	held    atomic.Int64
	// queued is how many answers wait for a turn, and turns how many there are
	// within wait: one more would wait in vain.
	queued atomic.Int64
	turns  int64
}

// newDiagnoses returns the diagnoses as the Corefile configures them. Findings
// go to p.
func newDiagnoses(line diagnoseLine, p *process) (*diagnoses, error) {
	d := &diagnoses{wait: line.wait, turns: int64(float64(line.rate) * line.wait.Seconds())}
	engine := &diagnose.Engine{Anchors: dnssec.RootAnchors(), Private: diagnose.PrivateZones(), Now: time.Now}
	if line.anchors != "" {
		anchors, err := readAnchors(line.anchors)
		if err != nil {
			return nil, err
		}
		engine.Anchors = anchors
	}
	for _, to := range line.compared() {
		u, err := exchange.Open(to, exchange.Timeout)
		if err != nil {
			d.close()
			return nil, err
		}
		d.compare = append(d.compare, u)
		engine.Compare = append(engine.Compare, diagnose.Resolver{Name: u.Addr, Exchange: u.Exchange})
	}
	if line.delegation {
		dialer := &delegation.Dialer{}
		engine.Delegation = &delegation.Prober{Direct: dialer.Direct, Allowed: line.networks()}
	}
	d.runner = diagnose.NewRunner(engine, line.rate, line.concurrent, p.diagnosed)
	return d, nil
}

func readAnchors(file string) ([]dns.RR, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return dnssec.ParseAnchors(f, file)
}

// stop ends all diagnoses at once.
func (d *diagnoses) stop() {
	if d == nil {
		return
	}
	d.runner.Stop()
	d.close()
}

func (d *diagnoses) close() {
	for _, u := range d.compare {
		u.Close()
	}
}

// refine returns what diagnosis knows of the failure ev in place of v, or v. It
// starts a diagnosis if it knows nothing, and waits for it if the block's
// answers may be held.
func (e *Ede) refine(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	d := e.process.diagnoses
	if d != nil && e.block.diagnose {
		ev.Scope = e.scope(run, ev.Asked.Name)
	}
	switch {
	case d == nil || !e.block.diagnose || ev.CheckingDisabled || isProbe(ev.Question):
		return v
	case ev.Nested != nil:
		return d.refineNested(ev, v)
	case v.Disputable():
		// The upstream's reason stands: nobody waits for what is found here.
		if c, ok := e.caseOf(run, ev, v); ok && !ev.CacheHit {
			d.start(c)
		}
		return v
	case !v.Refinable():
		return v
	}
	if better := d.known(ev, v); better != nil {
		return better
	}
	if ev.CacheHit {
		return v
	}
	c, ok := e.caseOf(run, ev, v)
	if !ok {
		return v
	}
	// One deadline for both: to get a turn, and to be diagnosed.
	ctx, cancel := context.WithTimeout(run, d.wait)
	defer cancel()
	d.await(ctx, d.queue(ctx, c))
	if better := d.known(ev, v); better != nil {
		return better
	}
	return v
}

// await holds an answer back until ended, for as long as is configured and the
// query ctx goes on.
func (d *diagnoses) await(ctx context.Context, ended <-chan struct{}) {
	if ended == nil || d.wait == 0 {
		return
	}
	if !d.hold() {
		return
	}
	defer d.held.Add(-1)
	timer := time.NewTimer(d.wait)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// refineNested is refine for a query that failed in a lookup inside it, as the
// target of an alias. That lookup ran through this chain and started, and waited
// for, the diagnosis of its own question.
func (d *diagnoses) refineNested(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	inner := ev.Nested
	for inner.Nested != nil {
		inner = inner.Nested
	}
	target := cause.Classify(inner)
	if !target.Refinable() {
		return v
	}
	better := d.known(inner, target)
	switch {
	case better == nil:
		return v
	case v.OfAlias():
		return v.WithTarget(better)
	case v.Refinable():
		return better
	}
	return v
}

// scope is the forward of this block that name goes to.
func (e *Ede) scope(run *observe.Run, name string) evidence.Scope {
	return evidence.Scope{Block: e.block.id, Zone: run.ForwardZone(name)}
}

func (d *diagnoses) known(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	better, found, ok := d.runner.Lookup(ev.Scope, ev.Asked)
	if !ok {
		return nil
	}
	return better.For(v, found)
}

// caseOf makes a case of a failure. There is none if its upstream cannot be asked.
func (e *Ede) caseOf(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) (diagnose.Case, bool) {
	peers, from := run.Peers(ev.Upstream)
	if len(peers) == 0 {
		record.DiagnosisSkipped("no_upstream")
		return diagnose.Case{}, false
	}
	private := e.block.private()
	if from != "." {
		private = append(private, from)
	}
	c := diagnose.Case{
		Scope: ev.Scope, Question: ev.Asked, DNSSECOK: ev.DNSSECOK, TimedOut: ev.Failure.Kind == evidence.Timeout, Private: private, Verdict: v,
	}
	for i, p := range peers {
		r := diagnose.Resolver{Name: p.Addr, Exchange: p.Exchange}
		if i == 0 {
			c.Failing = r
		} else {
			c.Others = append(c.Others, r)
		}
	}
	return c, true
}

// start starts a diagnosis, and counts why not if it does not. The channel is
// closed at its end, and nil if there is nothing to wait for.
func (d *diagnoses) start(c diagnose.Case) <-chan struct{} {
	ended, skip := d.runner.Start(c)
	if skip != diagnose.Started {
		record.DiagnosisSkipped(string(skip))
	}
	return ended
}

// retryEvery is how often an answer that is held asks for its turn.
const retryEvery = 25 * time.Millisecond

// queue is start for an answer that may be held: while the budget has no room for
// its diagnosis, it waits for a turn.
func (d *diagnoses) queue(ctx context.Context, c diagnose.Case) <-chan struct{} {
	ended, skip := d.runner.Start(c)
	if noRoom(skip) {
		ended, skip = d.turn(ctx, c, skip)
	}
	if skip != diagnose.Started {
		record.DiagnosisSkipped(string(skip))
	}
	return ended
}

func noRoom(skip diagnose.Skip) bool { return skip == diagnose.OverRate || skip == diagnose.Busy }

func (d *diagnoses) turn(ctx context.Context, c diagnose.Case, skip diagnose.Skip) (<-chan struct{}, diagnose.Skip) {
	defer d.queued.Add(-1)
	if d.queued.Add(1) > d.turns || !d.hold() {
		return nil, skip
	}
	defer d.held.Add(-1)
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		select {
		case <-retry.C:
			if ended, skip := d.runner.Start(c); !noRoom(skip) {
				return ended, skip
			}
		case <-ctx.Done():
			return nil, skip
		}
	}
}

// hold takes one of the places of answers that wait; d.held.Add(-1) gives it back.
func (d *diagnoses) hold() bool {
	if d.held.Add(1) > maxHeld {
		d.held.Add(-1)
		return false
	}
	return true
}

// diagnosed records a finding. The incident table has it from the next failure
// of the name on.
func (p *process) diagnosed(c diagnose.Case, f diagnose.Finding) {
	record.CountDiagnosis(f.Outcome.String(), f.Queries, f.Elapsed)
	d := record.Diagnosis{Question: c.Question, Zone: f.Zone, Queries: f.Queries, Duration: f.Elapsed, Text: f.Text}
	switch f.Outcome {
	case diagnose.Explained:
		d.Verdict = f.Verdict
		if f.Disagrees != "" {
			d.Result, d.Text = "disagrees", f.Disagrees
		}
	case diagnose.Undecided:
		d.Verdict = c.Verdict
		d.Result = f.Outcome.String()
	case diagnose.Resolves:
		d.Result = f.Outcome.String()
	}
	if d.Zone == "" {
		d.Zone = incident.ZoneOf(dns.CanonicalName(c.Question.Name), ".")
	}
	p.log.Diagnosed(d)
}
