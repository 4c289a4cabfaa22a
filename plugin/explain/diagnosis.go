package explain

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/metrics"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/hold"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// Diagnoser finds out what the evidence does not tell, off the clients' path.
type Diagnoser struct {
	runner *diagnose.Runner
	waiter *hold.Waiter
}

// NewDiagnoser returns a Diagnoser that starts at most perSecond diagnoses a second. An
// answer waits for one for at most longest.
func NewDiagnoser(r *diagnose.Runner, perSecond int, longest time.Duration) *Diagnoser {
	skipped := func(why diagnose.Skip) { record.DiagnosisSkipped(string(why)) }
	return &Diagnoser{runner: r, waiter: hold.NewWaiter(r, perSecond, longest, skipped)}
}

// Stop ends all diagnoses at once and waits for them.
func (d *Diagnoser) Stop() { d.runner.Stop() }

// diagnose returns what diagnosis knows of the failure ev in place of v, or v. It starts a
// diagnosis if it knows nothing, and waits for it if the block's answers may be held.
func (x *Explainer) diagnose(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	if x.Diagnoser == nil || !x.Block.Diagnose || ev.CheckingDisabled || isProbe(run) {
		return v
	}
	return x.diagnosed(run, ev, v)
}

func (x *Explainer) diagnosed(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	d := x.Diagnoser
	if ev.Nested != nil {
		return d.knownNested(ev, v)
	}
	if !v.Refinable() || !mayBeDiagnosed(ev) {
		return v
	}
	scope, ok := x.scope(ev.Asked.Name)
	if !ok {
		return v
	}
	ev.Scope = scope
	if better := d.known(ev, v); better != nil {
		return better
	}
	if ev.CacheHit {
		return v
	}
	c, ok := x.caseOf(run, ev, v)
	if !ok {
		return v
	}
	if left := longestHeld - run.Age(); left <= 0 {
		d.waiter.Start(c)
	} else {
		ctx, cancel := context.WithTimeout(run, left)
		defer cancel()
		d.waiter.Wait(ctx, c)
		ev.Time = time.Now()
	}
	if better := d.known(ev, v); better != nil {
		return better
	}
	return v
}

// mayBeDiagnosed reports whether probes ask what the upstream was asked: a recursive query of
// class IN. Of an update, a transfer, a signed query, a query without RD or one of another class
// they would find that the upstream answers, which refused just that.
func mayBeDiagnosed(ev *evidence.Evidence) bool {
	return ev.Opcode == dns.OpcodeQuery && ev.Asked.Qclass == dns.ClassINET && (ev.AskedRD || ev.CacheHit) && !ev.Signed &&
		ev.Asked.Qtype != dns.TypeAXFR && ev.Asked.Qtype != dns.TypeIXFR
}

// longestHeld is how old a query may get by waiting. Most clients give up after 5 s, and
// so does CoreDNS in a reload, which then loses the answer.
const longestHeld = 4500 * time.Millisecond

// known returns what was found of ev in place of v, or nil.
func (d *Diagnoser) known(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
	d.runner.Answered(ev.Scope, ev.Asked, ev.Upstream, ev.LastAnswer)
	better, found, ok := d.runner.Lookup(ev.Scope, ev.Asked)
	switch {
	case ok && better.Explains(v):
		return better.For(v, found)
	case ev.Failure.Kind == evidence.Timeout:
		if better, ok := d.runner.OfUpstream(v); ok {
			return better
		}
	}
	return nil
}

// knownNested is diagnose for a query that failed in a lookup inside it, for example for
// the target of an alias. That lookup ran through this chain, started the diagnosis of its
// own question and waited for it.
func (d *Diagnoser) knownNested(ev *evidence.Evidence, v *cause.Verdict) *cause.Verdict {
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

// scope is the forward of this block that name goes to. ok is false where CoreDNS does not
// tell.
func (x *Explainer) scope(name string) (scope evidence.Scope, ok bool) {
	zone, ok := x.Ladder.ForwardZone(name)
	return evidence.Scope{Block: x.Block.ID, Zone: zone}, ok
}

// caseOf makes a case of a failure. There is none if its upstream cannot be asked.
func (x *Explainer) caseOf(run *observe.Run, ev *evidence.Evidence, v *cause.Verdict) (diagnose.Case, bool) {
	peers, from := run.Peers(ev.Upstream)
	if len(peers) == 0 {
		record.DiagnosisSkipped("no_upstream")
		return diagnose.Case{}, false
	}
	private := x.Block.private()
	if from != "." {
		private = append(private, from)
	}
	c := diagnose.Case{
		Scope: ev.Scope, Question: ev.Asked, DNSSECOK: ev.DNSSECOK, AD: ev.AskedAD, TimedOut: ev.Failure.Kind == evidence.Timeout, Private: private, Verdict: v,
		Server: metrics.WithServer(run.Context),
	}
	for i, p := range peers {
		r := resolverOf(p)
		if i == 0 {
			c.Failing = r
			c.Answered = func() uint64 { return exchange.Answered(p.Addr) }
		} else {
			c.Others = append(c.Others, r)
		}
	}
	return c, true
}

// resolverOf is an upstream as a diagnosis asks it.
func resolverOf(p observe.Peer) diagnose.Resolver {
	r := diagnose.Resolver{Name: p.Addr, Exchange: p.Exchange, ByTCP: p.ForcesTCP()}
	if p.Plain() {
		r.UDP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return p.Over(ctx, m, exchange.UDP) }
		r.TCP = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return p.Over(ctx, m, exchange.TCP) }
		r.Anywhere = func(ctx context.Context, m *dns.Msg) (exchange.Heard, error) {
			return exchange.Anywhere(ctx, p.Addr, m)
		}
	}
	return r
}

// Diagnosed returns the function that records findings in l. A finding enters the incident
// table at the next failure of the name.
func Diagnosed(l *record.Log, zoneOf func(name string) string) func(diagnose.Case, diagnose.Finding) {
	return func(c diagnose.Case, f diagnose.Finding) {
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
		if c.Verdict != nil {
			d.At, d.Upstream, d.Refines = c.Verdict.At, c.Verdict.Upstream, c.Verdict.Cause.ID
		}
		d.Server = c.Server
		if d.Zone == "" {
			d.Zone = zoneOf(dns.CanonicalName(c.Question.Name))
		}
		l.Diagnosed(d)
	}
}
