// Package ede implements a CoreDNS plugin that explains failed queries: it finds out why an
// answer is SERVFAIL or REFUSED, attaches Extended DNS Errors (RFC 8914) to it, and logs
// and counts the cause.
//
// This package is the directive in the Corefile and the handler in the chain. plugin/explain
// is the way of a failing query, plugin/instance what a load and a reload do.
package ede

import (
	"context"
	"net/netip"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
	"github.com/opentracing/opentracing-go"

	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/observe"
	"github.com/seed-1b7246af/coredns-ede/plugin/why"
)

// pluginName is the name of the plugin and of its directive.
const pluginName = "ede"

// Ede is the handler of one server block.
type Ede struct {
	// Next is the plugin below, or what answers where there is none.
	Next plugin.Handler

	explainer *explain.Explainer
	// why is nil where nobody may ask.
	why *why.Answerer
}

// ServeDNS implements plugin.Handler. It passes the query on, and has a failure explained
// before its one answer leaves. A success goes straight through.
func (e *Ede) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
	if e.why != nil && e.why.Takes(r, func() netip.Addr { return explain.ClientOf(w).Addr() }) {
		return e.why.Answer(w, r)
	}
	if len(r.Question) == 0 || !e.explainer.Block.Explains(r.Question[0].Name) {
		return plugin.NextOrFailure(e.Name(), e.Next, observe.Aside(ctx), w, r)
	}
	run := e.explainer.Ladder.Begin(ctx, w, r)
	defer func() {
		if v := recover(); v != nil {
			e.explainer.Panicked(run, r, v)
			panic(v) // the server core answers, as without ede
		}
	}()
	if opentracing.SpanFromContext(ctx) != nil {
		rcode, err = plugin.NextOrFailure(e.Name(), e.Next, run, run, r)
	} else {
		// This is what NextOrFailure does without a span, but for an allocation.
		rcode, err = e.Next.ServeDNS(run, run, r)
	}
	return e.explainer.Finish(run, r, rcode, err)
}

// below is what ede calls in a chain that goes on with next, which is nil at its end. alone is
// true for a block without any other plugin.
func below(next plugin.Handler, alone bool) plugin.Handler {
	switch {
	case alone:
		// The server core refuses what comes to a block without plugins.
		return plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
			return dns.RcodeRefused, nil
		})
	case next == nil:
		return plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			return plugin.NextOrFailure(pluginName, nil, ctx, w, r)
		})
	}
	return next
}

// Name implements plugin.Handler.
func (e *Ede) Name() string { return pluginName }
