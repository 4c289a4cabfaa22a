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
func (e *Ede) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if e.block.why && !e.block.shadow && len(r.Question) == 1 && e.asksWhy(r, clientOf(w).Addr()) {
		return e.answerWhy(w, r)
	}
	if len(r.Question) == 0 || !e.block.explains(r.Question[0].Name) {
		return plugin.NextOrFailure(e.Name(), e.Next, ctx, w, r)
	}
	// Plugins may rewrite the question in place.
	asked := r.Question[0]
	run := e.ladder.Begin(ctx, w, r)
	defer func() {
		if v := recover(); v != nil {
			e.explainPanic(ctx, run, r, v)
			// The server core answers, counts and logs it.
			panic(v)
		}
	}()

	rcode, err := e.next(run, r)

	shape, failure, failed := run.Outcome(rcode, err)
	if !failed {
		e.process.history.Succeeded(e.block.id, asked)
		e.succeeded(run)
		return run.Release(rcode, err)
	}
	ev := run.Evidence(shape, failure, err)
	if run.Nested() {
		// The query around it is the one that is explained, by what is found here.
		e.refine(run, ev, cause.Classify(ev))
		return run.Hand(ev, rcode, err)
	}
	verdict, f := e.explain(ctx, run, w, r, ev)
	e.record(ctx, f)
	if e.block.shadow {
		return rcode, err
	}
	if shape == evidence.Returned && !run.Request.HasOPT() {
		// Nothing to attach and nothing to repair: the server core answers.
		return rcode, err
	}
	opts := e.options(verdict, w, f)
	reply := option.Attach(run.Reply(r, failure), run.Request, limitOf(w, r, run.Request), opts)
	if f.Sent == record.SentYes {
		record.CountOptions(f.Server, sentOptions(reply, opts))
	}
	_ = w.WriteMsg(reply)
	return dns.RcodeSuccess, err
}

// next asks the plugin below. NextOrFailure opens a span for it if the query is
// traced, and puts a writer above it that tells the one above which plugin
// writes. A run does not listen to that, so a query that is not traced is spared
// the writer.
func (e *Ede) next(run *observe.Run, r *dns.Msg) (int, error) {
	if e.Next == nil || run.Traced() {
		return plugin.NextOrFailure(e.Name(), e.Next, run, run, r)
	}
	return e.Next.ServeDNS(run, run, r)
}

// Name implements plugin.Handler.
func (e *Ede) Name() string { return "ede" }

// succeeded clears what is remembered of a question that resolves again.
func (e *Ede) succeeded(run *observe.Run) {
	run.Passed()
	diagnoses := e.process.diagnoses
	if e.process.table.Quiet() && (diagnoses == nil || diagnoses.runner.Quiet()) {
		return
	}
	q := run.CacheQuestion()
	if diagnoses != nil {
		diagnoses.runner.Succeeded(e.scope(run, q.Name), q)
	}
	e.process.table.Succeeded(incident.Key{Block: e.block.id, Name: q.Name, Qtype: q.Qtype, Qclass: q.Qclass})
}

// explain returns the verdict on ev, out of memory if the failure came out of
// the cache, and counts it in the incident table.
func (e *Ede) explain(ctx context.Context, run *observe.Run, w dns.ResponseWriter, r *dns.Msg, ev *evidence.Evidence) (*cause.Verdict, *record.Failure) {
	verdict := cause.Classify(ev)
	key := keyOf(e.block.id, ev)
	if ev.CacheHit || ev.Reply.Truncated && verdict.Cause.Rank <= cause.Generic {
		if known, found, ok := e.process.table.Recall(key); ok {
			if ev.CacheHit {
				verdict = known.FromMemory(found)
			} else {
				verdict = known.Again(found)
			}
		}
	}
	verdict = e.refine(run, ev, verdict)
	f := failureOf(ctx, w, r, e.block, ev, verdict)
	f.Incident = incident.ID{Cause: verdict.Cause.ID, At: verdict.At, Upstream: verdict.Upstream, Zone: f.Group}
	in := e.process.table.Failed(incident.Failure{
		Key: key, ID: f.Incident,
		Name: f.Question.Name, Verdict: verdict, Cached: ev.CacheHit, LastGood: ev.LastGood,
	})
	f.First = in.Count == 1
	e.remember(f, ev.Upstreams)
	return verdict, f
}

// record writes f down before the answer is passed on.
func (e *Ede) record(ctx context.Context, f *record.Failure) {
	record.Count(f)
	record.Label(ctx, f)
	if !isProbe(f.Question) {
		e.process.log.Failed(f)
	}
}

func (e *Ede) explainPanic(ctx context.Context, run *observe.Run, r *dns.Msg, v any) {
	if run.Nested() {
		// The query around it panics too, and is the one to be recorded.
		return
	}
	_, f := e.explain(ctx, run, run.ResponseWriter, r, run.Panicked(v))
	f.Sent = record.NotSent
	e.record(ctx, f)
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
	_, group := e.block.zoneOf(ev.Question.Name)
	e.process.table.Remember(keyOf(e.block.id, ev), verdict, group)
}

// options are what a client may be told.
func (e *Ede) options(v *cause.Verdict, w dns.ResponseWriter, f *record.Failure) []option.Option {
	return v.Options(e.block.wordsFor(f.Client.Addr()), e.block.keepUpstream, f.Protocol == "udp")
}
