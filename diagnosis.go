package ede

import (
	"cmp"
	"context"
	"os"
	"strings"
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

// diagnoses is what the blocks that diagnose share.
type diagnoses struct {
	runner  *diagnose.Runner
	waiter  *diagnose.Waiter
	compare []*exchange.Upstream
}

// newDiagnoses returns the diagnoses as the Corefile configures them. Findings
// go to p.
func newDiagnoses(line diagnoseLine, p *process) (*diagnoses, error) {
	d := &diagnoses{}
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
	d.waiter = diagnose.NewWaiter(d.runner, line.rate, line.wait, func(why diagnose.Skip) { record.DiagnosisSkipped(string(why)) })
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
	d.waiter.Wait(run, c)
	if better := d.known(ev, v); better != nil {
		return better
	}
	return v
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
		r := resolver(p)
		if i == 0 {
			c.Failing = r
			c.Answered = func() uint64 { return exchange.Answered(p.Addr) }
		} else {
			c.Others = append(c.Others, r)
		}
	}
	return c, true
}

// resolver is an upstream as a diagnosis asks it.
func resolver(p observe.Peer) diagnose.Resolver {
	r := diagnose.Resolver{Name: p.Addr, Exchange: p.Exchange, ByTCP: p.ForcesTCP()}
	if p.Plain() {
		r.UDP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return p.Over(ctx, m, exchange.UDP) }
		r.TCP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return p.Over(ctx, m, exchange.TCP) }
	}
	return r
}

// diagnosed records a finding. The incident table has it from the next failure
// of the name on.
func (p *process) diagnosed(c diagnose.Case, f diagnose.Finding) {
	record.CountDiagnosis(f.Outcome.String(), f.Queries, f.Elapsed)
	d := record.Diagnosis{Question: c.Question, Zone: f.Zone, Queries: f.Queries, Duration: f.Elapsed, Text: f.Text, Seen: strings.Join(f.Seen, "; ")}
	switch f.Outcome {
	case diagnose.Explained:
		d.Verdict = f.Verdict
		if f.Disagrees != "" {
			d.Result, d.Text = "disagrees", f.Disagrees
		}
	case diagnose.Undecided:
		d.Verdict = cmp.Or(f.Verdict, c.Verdict)
		d.Result = f.Outcome.String()
	case diagnose.Resolves:
		d.Result = f.Outcome.String()
	}
	if d.Zone == "" {
		d.Zone = incident.ZoneOf(dns.CanonicalName(c.Question.Name), ".")
	}
	p.log.Diagnosed(d)
}
