package explain

import (
	"github.com/coredns/coredns/plugin/metrics"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// dropped counts a query whose chain reported success and wrote nothing: it wants no
// answer sent, as a rate limiter does. Only with an error there is something to tell.
func (x *Explainer) dropped(run *observe.Run, err error) {
	if err == nil || run.Nested() {
		return
	}
	defer guard.Catch(guard.Explaining, nil)
	ev := run.Evidence(evidence.Returned, dns.RcodeSuccess, err)
	x.Log.Dropped(record.Drop{Server: metrics.WithServer(run.Context), At: ev.At, Error: ev.Failure.Text})
}

// succeeded clears what is remembered of a question that resolves again. An answer from
// cache does not say that it does: it is older than the failure of the refresh that it
// set off itself, or than one that it is served stale for. An answer to a query with CD set, which
// wants no validation, says nothing of what fails without, and diagnoses are of that. Without
// resolved the answer has an rcode like FORMERR, and ends nothing.
func (x *Explainer) succeeded(run *observe.Run, resolved bool) {
	if !run.Nested() && x.Quiet() {
		return
	}
	defer guard.Catch(guard.Explaining, nil)
	run.Passed()
	if !resolved || run.FromCache() {
		return
	}
	x.History.Succeeded(x.Block.ID, run.Question(), run.CheckingDisabled())
	if x.Quiet() {
		return
	}
	q := run.CacheQuestion()
	if x.Diagnoser != nil && !run.CheckingDisabled() {
		if scope, ok := x.scope(q.Name); ok {
			x.Diagnoser.runner.Succeeded(scope, q)
		}
	}
	key := incident.Key{Block: x.Block.ID, Name: q.Name, Qtype: q.Qtype, Qclass: q.Qclass, CD: run.CheckingDisabled()}
	x.Table.Succeeded(&key)
	if x.Asker != nil {
		x.Asker.Succeeded(remarksOf(&key, 0), x.Ladder.Upstreams())
	}
}

// Quiet reports whether no failure is remembered, so that a success has nothing to end.
func (s *Shared) Quiet() bool {
	return s.Table.Quiet() && s.History.Quiet() && (s.Diagnoser == nil || s.Diagnoser.runner.Quiet())
}

// lookedUp takes note of an internal lookup that failed, and passes that on to the query
// around it, which is the one that is explained. What cache keeps of it may be the target
// of the next alias.
func (x *Explainer) lookedUp(run *observe.Run, outcome observe.Outcome, rcode int, err error) (int, error) {
	ev := run.Evidence(outcome.Shape, outcome.Rcode, err)
	x.learn(run, ev)
	return run.Hand(ev, rcode, err)
}

func (x *Explainer) learn(run *observe.Run, ev *evidence.Evidence) {
	defer guard.Catch(guard.Explaining, nil)
	ev.Scope.Block = x.Block.ID
	v := x.withReason(ev, cause.Classify(ev))
	if ev.CacheQuestion.Name != "" && !ev.CacheHit && !v.Cause.Policy && !ev.AboveCache && ev.Rcode == dns.RcodeServerFailure {
		key := keyOf(x.Block.ID, ev)
		x.Table.Remember(&key, x.weigh(ev, v), x.Block.groupOf(ev.Name))
	}
	x.askAgain(run, ev, x.diagnose(run, ev, v))
}

// Refreshed is called after a refresh that cache did on its own. Its failure is remembered if
// cache will answer with it.
func (x *Explainer) Refreshed(run *observe.Run, rcode int, err error) {
	defer guard.Catch(guard.Refreshing, nil)
	ev := run.RefreshEvidence(rcode, err)
	switch {
	case ev == nil:
		x.succeeded(run, run.Resolved())
	default:
		key := keyOf(x.Block.ID, ev)
		v := x.withReason(ev, cause.Classify(ev))
		// What cache answers with may be stale and live for hours. As long as it is found again
		// that this goes on, it is not forgotten.
		if !run.Replaces() && !x.Table.Says(&key, v) {
			return
		}
		x.Table.Remember(&key, v, x.Block.groupOf(ev.Name))
		x.askAgain(run, ev, v)
	}
}

// Panicked records a panic of the chain with the value v, which the server core then
// answers, counts and logs. It is to be called by the deferred function that recovered v.
func (x *Explainer) Panicked(run *observe.Run, r *dns.Msg, v any) {
	if run.Nested() {
		// The query around it panics, too, and is the one that is recorded.
		return
	}
	defer guard.Catch(guard.Explaining, nil)
	ev := run.Panicked(v)
	f := record.Failure{Sent: record.NotSent}
	x.describe(&f, run, r, ev, cause.Classify(ev))
	key := keyOf(x.Block.ID, ev)
	x.remember(run, &f, &key, 0, ev)
	x.record(run, &f, ev)
}
