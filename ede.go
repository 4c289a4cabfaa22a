// Package ede implements a CoreDNS plugin that explains failed queries: it
// finds out why an answer is SERVFAIL or REFUSED, attaches Extended DNS Errors
// (RFC 8914) to it, and logs and counts the cause.
//
// This package is glue: the Corefile, the chain, and the order of the stages.
// plugin/observe gathers evidence, plugin/cause turns it into a verdict,
// plugin/incident remembers it, plugin/record writes it down, and plugin/option
// puts it on the wire.
package ede

import (
	"context"
	"time"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// Ede explains the failures of one server block.
type Ede struct {
	Next plugin.Handler

	block   block
	ladder  *observe.Ladder
	process *process
}

// ServeDNS implements plugin.Handler. A success goes straight through; a
// failure is explained before its one answer leaves. The error of the chain is
// returned unchanged, so that errors logs it as without ede.
//
// Its frame is on the stack of every query, and kept small, see observe.Run:
// what only some queries need stands in functions of its own.
func (e *Ede) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if e.block.why && e.takesWhy(w, r) {
		return e.answerWhy(w, r)
	}
	if len(r.Question) == 0 || !e.block.explains(r.Question[0].Name) {
		return e.pass(ctx, w, r)
	}
	run := e.ladder.Begin(ctx, w, r)
	defer e.recorded(run, r)
	rcode, err := 0, error(nil)
	if e.Next == nil || run.Traced() {
		rcode, err = e.pass(run, run, r)
	} else {
		// NextOrFailure would put a writer above the plugin below, for whoever
		// wants to know which plugin writes. A run does not.
		rcode, err = e.Next.ServeDNS(run, run, r)
	}
	return e.served(run, r, rcode, err)
}

// pass asks the plugin below as any plugin does.
//
//go:noinline
func (e *Ede) pass(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure(e.Name(), e.Next, ctx, w, r)
}

// served answers the query if its chain, which returned (rcode, err), left it
// with a failure.
func (e *Ede) served(run *observe.Run, r *dns.Msg, rcode int, err error) (int, error) {
	if run.Untroubled(rcode, err) && e.process.quiet() {
		return rcode, err
	}
	shape, failure, failed := run.Outcome(rcode, err)
	if failed {
		rcode, err = e.failed(run, r, shape, failure, rcode, err)
	} else {
		e.process.history.Succeeded(e.block.id, run.Question())
		e.succeeded(run)
		rcode, err = run.Release(rcode, err)
	}
	run.End()
	return rcode, err
}

// failed answers a query whose chain left it with failure in the way of shape,
// and returned (rcode, err).
func (e *Ede) failed(run *observe.Run, r *dns.Msg, shape evidence.Shape, failure, rcode int, err error) (int, error) {
	ev := run.Evidence(shape, failure, err)
	if run.Nested() {
		// The query around it is the one that is explained, by what is found here.
		e.lookedUp(run, ev)
		return run.Hand(ev, rcode, err)
	}
	var f record.Failure
	kept := e.explain(&f, run, r, ev)
	reply := e.answer(&f, run, r, shape, failure)
	e.record(run.Context, &f, ev)
	if !kept {
		ev.Free()
	}
	if reply == nil {
		return rcode, err
	}
	_ = run.ResponseWriter.WriteMsg(reply)
	return dns.RcodeSuccess, err
}

// lookedUp takes note of an internal lookup that failed with ev. What cache keeps
// of it may be the target of the next alias.
func (e *Ede) lookedUp(run *observe.Run, ev *evidence.Evidence) {
	ev.Scope.Block = e.block.id
	v := cause.Classify(ev)
	if ev.CacheQuestion.Name != "" && !ev.CacheHit && ev.Rcode == dns.RcodeServerFailure {
		e.process.table.Remember(keyOf(e.block.id, ev), v, e.block.groupOf(ev.Name))
	}
	e.refine(run, ev, v)
}

// answer returns the answer to a query that failed, or nil if it is left to the
// chain or the server core, and notes in f what became of its options.
func (e *Ede) answer(f *record.Failure, run *observe.Run, r *dns.Msg, shape evidence.Shape, failure int) *dns.Msg {
	if e.block.shadow {
		return nil
	}
	option.Withdraw(r, run.Request)
	if shape == evidence.Returned && !run.Request.HasOPT() {
		// Nothing to attach and nothing to repair: the server core answers.
		return nil
	}
	opts := e.options(f.Verdict, f)
	limit := limitOf(run.ResponseWriter, r, run.Request)
	reply := run.Reply(failure)
	if reply != nil {
		reply = option.Attach(reply, run.Request, limit, opts)
	} else {
		// rewrite may have left another question in r than the client asked.
		reply = option.Answer(r, run.Question(), failure, run.Request, limit, opts)
	}
	if f.Sent != record.SentYes {
		return reply
	}
	sent := sentOptions(reply, opts)
	if len(sent) == 0 {
		f.Sent = record.NotSent
	}
	record.CountOptions(f.Server, sent)
	return reply
}

// Name implements plugin.Handler.
func (e *Ede) Name() string { return "ede" }

// succeeded clears what is remembered of a question that resolves again. An answer
// out of the cache does not say that it does: it is older than the failure of the
// refresh that it set off itself, or than one that it is served stale for.
func (e *Ede) succeeded(run *observe.Run) {
	run.Passed()
	if e.process.quiet() || run.OutOfCache() {
		return
	}
	q := run.CacheQuestion()
	if diagnoses := e.process.diagnoses; diagnoses != nil {
		diagnoses.runner.Succeeded(e.scope(run, q.Name), q)
	}
	e.process.table.Succeeded(incident.Key{Block: e.block.id, Name: q.Name, Qtype: q.Qtype, Qclass: q.Qclass})
}

// explain fills f with what is recorded of ev: the verdict, out of memory if the
// failure came out of the cache, and its place in the incident table. kept
// reports whether ev goes on to be used.
func (e *Ede) explain(f *record.Failure, run *observe.Run, r *dns.Msg, ev *evidence.Evidence) (kept bool) {
	key := keyOf(e.block.id, ev)
	f.Time = time.Now()
	verdict, group, kept := e.classify(key, ev, f.Time)
	if e.process.diagnoses != nil {
		verdict = e.refine(run, ev, verdict)
		f.Time = time.Now() // it may have waited
	}
	fill(f, run, r, &e.block, ev, verdict)
	if group == "" {
		group = incident.ZoneOf(ev.Name, f.Zone)
	}
	f.Group = group
	f.Incident = incident.ID{Cause: verdict.Cause.ID, At: verdict.At, Upstream: verdict.Upstream, Zone: group}
	f.First = e.process.table.Failed(incident.Failure{
		Key: key, ID: f.Incident,
		Name: f.Question.Name, Verdict: verdict, Cached: ev.CacheHit, LastGood: ev.LastGood, Time: f.Time,
	}).Count == 1
	return kept
}

// classify returns the verdict on ev, which is the one that is remembered under
// key if ev lost its cause on the way, and the zone that the failure is known to
// count under, if it is. kept reports whether ev is held.
func (e *Ede) classify(key incident.Key, ev *evidence.Evidence, now time.Time) (v *cause.Verdict, zone string, kept bool) {
	kept = e.holds()
	if ev.CacheHit && ev.Shape != evidence.Panicked {
		if known, zone, ok := e.process.table.RecallCached(key, now); ok {
			return known, zone, kept
		}
	}
	switch {
	case ev.Nested != nil:
		v, kept = cause.ClassifyWith(ev, e.recall), true
	case kept:
		v = cause.Classify(ev)
	default:
		v, kept = e.process.classifier.Classify(ev)
	}
	if !ev.CacheHit && ev.Reply.Truncated && v.Cause.Rank <= cause.Generic {
		if known, found, ok := e.process.table.Recall(key); ok {
			v = known.Again(found)
		}
	}
	return v, "", kept
}

// recall returns the verdict that is remembered of an internal lookup whose
// failure came out of the cache of its server block.
func (e *Ede) recall(ev *evidence.Evidence) *cause.Verdict {
	v, _, _ := e.process.table.RecallCached(keyOf(ev.Scope.Block, ev), time.Now())
	return v
}

// holds reports whether evidence is used after its query has been answered: by a
// diagnosis, and by the page, which shows each failure with the facts of its own.
func (e *Ede) holds() bool { return e.process.diagnoses != nil || e.process.history != nil }

// record writes f down before the answer is passed on.
func (e *Ede) record(ctx context.Context, f *record.Failure, ev *evidence.Evidence) {
	record.Count(f)
	record.Label(ctx, f)
	e.remember(f, ev)
	if isProbe(f.Question) {
		return
	}
	if l := e.process.log; l.Wants(f) {
		f.Error = ev.Failure.Text()
		l.Write(f)
	}
}

// recorded records a panic of the chain, which the server core then answers,
// counts and logs.
func (e *Ede) recorded(run *observe.Run, r *dns.Msg) {
	v := recover()
	if v == nil {
		return
	}
	// Around a nested query the other one panics too, and is the one to be
	// recorded.
	if !run.Nested() {
		var f record.Failure
		ev := run.Panicked(v)
		e.explain(&f, run, r, ev)
		f.Sent = record.NotSent
		e.record(run.Context, &f, ev)
	}
	panic(v)
}

// refreshed hears of a refresh that cache did on its own. What failed there is
// what cache will answer with.
func (e *Ede) refreshed(run *observe.Run, rcode int, err error) {
	ev := run.BackgroundEvidence(rcode, err)
	if ev == nil {
		e.succeeded(run)
		return
	}
	if ev.Rcode == dns.RcodeRefused {
		// cache does not keep it: what it answers with is the failure before.
		return
	}
	verdict := cause.Classify(ev)
	group := e.block.groupOf(ev.Name)
	e.process.table.Remember(keyOf(e.block.id, ev), verdict, group)
}

// options are what a client may be told.
func (e *Ede) options(v *cause.Verdict, f *record.Failure) []option.Option {
	return v.Options(e.block.wordsFor(f.Client.Addr()), e.block.keepUpstream, f.Protocol == "udp")
}
