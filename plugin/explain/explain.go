// Package explain handles a failing query from the moment when its chain has returned until
// the answer leaves. Explainer.failed has the stages in order; each stage is a package of its own.
package explain

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/askagain"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// Explainer explains the failures of one server block.
type Explainer struct {
	Block Block
	// Ladder is the taps above the plugins of the block.
	Ladder *observe.Ladder
	// Shared is what the blocks of the process have in common. It is set once all
	// blocks are known.
	*Shared
}

// Shared is what all server blocks of one load have in common. It is safe for concurrent
// use.
type Shared struct {
	Table      *incident.Table
	Log        *record.Log
	Classifier *cause.Classifier
	// Diagnoser is nil if no block diagnoses.
	Diagnoser *Diagnoser
	// Asker is nil if no block asks again.
	Asker *askagain.Asker
	// Remarks is what was said of answers that did not fail, and Filtered counts them.
	// Both are nil if no block keeps answers.
	Remarks  *remarks.Memory
	Filtered *remarks.Tally
	// History is nil if neither the page nor why shows it.
	History *incident.History
	// Client is how much of a client's address is recorded.
	Client record.ClientForm
	// heard is what upstreams said of zones.
	heard hearsay
}

// Finish answers the query r, whose chain returned (rcode, err), and returns what ede is
// to return. A failure is explained before its one answer leaves. The error of the chain
// is returned unchanged, so that errors logs it as without ede.
func (x *Explainer) Finish(run *observe.Run, r *dns.Msg, rcode int, err error) (int, error) {
	outcome := run.End(rcode, err)
	switch {
	case outcome.Dropped:
		x.dropped(run, err)
	case !outcome.Failed:
		x.succeeded(run, outcome.Resolved)
		return run.Release(outcome, rcode, err)
	case run.Nested():
		return x.lookedUp(run, outcome, rcode, err)
	default:
		return x.failed(run, r, outcome, rcode, err)
	}
	return rcode, err
}

// failed explains and answers a query that failed. Should that panic, the chain's own
// answer leaves.
func (x *Explainer) failed(run *observe.Run, r *dns.Msg, outcome observe.Outcome, rcode int, err error) (newRcode int, newErr error) {
	answered := false
	defer guard.Catch(guard.Explaining, func() {
		if newRcode, newErr = dns.RcodeSuccess, err; !answered {
			newRcode, newErr = run.Release(outcome, rcode, err)
		}
	})
	ev := run.Evidence(outcome.Shape, outcome.Rcode, err)
	ev.Scope.Block = x.Block.ID
	key := keyOf(x.Block.ID, ev)
	verdict, recalled := x.recallOrClassify(&key, ev)
	verdict = x.withReason(ev, verdict)
	verdict = x.diagnose(run, ev, verdict)
	verdict = x.weigh(ev, verdict)
	var f record.Failure
	x.describe(&f, run, r, ev, verdict)
	x.remember(run, &f, &key, recalled, ev)
	reply, sent := x.reply(&f, ev, run, r, outcome)
	f.Sent = sent
	x.record(run, &f, ev)
	x.askAgain(run, ev, verdict)
	x.release(ev)
	if reply == nil {
		return rcode, err
	}
	answered = true
	_ = run.ResponseWriter.WriteMsg(reply)
	return dns.RcodeSuccess, err
}

// recallOrClassify returns the verdict on ev: the one that is remembered where ev lost
// its cause on the way, as in cache, or else what ev shows by itself. recalled is the hash of
// the incident that the former counts under.
func (x *Explainer) recallOrClassify(key *incident.Key, ev *evidence.Evidence) (v *cause.Verdict, recalled uint64) {
	if ev.CacheHit && ev.Changed.Plugin == "" {
		key.Seal() // remember may look it up again
		if v, recalled = x.Table.RecallCached(key, ev.Time); v != nil {
			return v, recalled
		}
	}
	return x.classifyAgain(key, ev), 0
}

// classifyAgain returns the verdict on ev, and what an earlier failure of the question had to say
// in addition.
func (x *Explainer) classifyAgain(key *incident.Key, ev *evidence.Evidence) *cause.Verdict {
	verdict := x.classify(ev)
	if ev.CacheHit || ev.Shape == evidence.Panicked {
		return verdict
	}
	// The reason may be in what was cut.
	cut := ev.Reply.Truncated && verdict.Cause.Rank <= cause.Generic
	if !cut && !verdict.ByReason() {
		return verdict
	}
	known, found, ok := x.Table.Recall(key)
	switch {
	case !ok:
		return verdict
	case cut:
		return known.Again(found)
	}
	return verdict.Before(known, found)
}

func (x *Explainer) classify(ev *evidence.Evidence) *cause.Verdict {
	switch {
	case x.classifiesAlike(ev):
		return x.Classifier.Classify(ev)
	case ev.Nested != nil || ev.Changed.Plugin != "":
		return cause.ClassifyWith(ev, x.recallLookup)
	}
	// The page shows each failure with the facts of its own.
	return cause.Classify(ev)
}

// classifiesAlike reports whether ev is given a verdict that does not hold it.
func (x *Explainer) classifiesAlike(ev *evidence.Evidence) bool {
	return ev.Nested == nil && ev.Changed.Plugin == "" && x.Diagnoser == nil && x.History == nil
}

// recallLookup returns the verdict that is remembered of an internal lookup whose failure
// came from cache.
func (x *Explainer) recallLookup(ev *evidence.Evidence) *cause.Verdict {
	key := keyOf(ev.Scope.Block, ev)
	known, _ := x.Table.RecallCached(&key, ev.Time)
	return known
}

// remember counts f under its incident, and keeps it under key, and for the page and for why.
// recalled is what the verdict was remembered to count under, 0 if it was not.
func (x *Explainer) remember(run *observe.Run, f *record.Failure, key *incident.Key, recalled uint64, ev *evidence.Evidence) {
	f.First = x.Table.Failed(&incident.Failure{
		Key: *key, ID: f.Incident, Verdict: f.Verdict,
		Cached: ev.CacheHit || f.Verdict.Cached, Recalled: recalled, LastGood: ev.LastGood, Time: f.Time,
	}) == 1
	if x.History != nil && !isProbe(run) {
		x.show(f, ev)
	}
}

// show keeps f for the page and for why.
func (x *Explainer) show(f *record.Failure, ev *evidence.Evidence) {
	x.History.Failed(&incident.Detail{
		Block: x.Block.ID, Verdict: f.Verdict, Rcode: f.Rcode, Question: f.Question, Asked: f.Asked, Group: f.Group,
		CheckingDisabled: ev.CheckingDisabled,
		Client:           x.Client.Address(f.Client), Namespace: f.Pod.Namespace, Pod: f.Pod.Name, Server: f.Server, Protocol: f.Protocol,
		Duration: f.Duration, Error: ev.Failure.Text(), Upstreams: ev.Upstreams,
	})
}

// record writes f down before the answer is passed on.
func (x *Explainer) record(run *observe.Run, f *record.Failure, ev *evidence.Evidence) {
	record.Count(f)
	record.Label(run.Context, f)
	record.Tag(run.Context, f)
	if !isProbe(run) && x.Log.Wants(f) {
		f.Error = ev.Failure.Text()
		x.Log.Write(f)
	}
}
