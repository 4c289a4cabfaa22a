package ede

import (
	"context"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// pass is a plugin that passes every query on.
type pass struct {
	name string
	next plugin.Handler
}

func (p *pass) Name() string { return p.name }
func (p *pass) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure(p.name, p.next, ctx, w, r)
}

// end is a plugin that passes no query on.
type end struct {
	name  string
	serve plugin.HandlerFunc
}

func (e *end) Name() string { return e.name }
func (e *end) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return e.serve(ctx, w, r)
}

type discard struct{ test.ResponseWriter }

func (*discard) WriteMsg(*dns.Msg) error { return nil }

// chain compiles directive, or nothing if it is empty, above five plugins that
// pass on and last, as dnsserver does, and returns what the plugin above it
// calls.
func chain(tb testing.TB, directive string, last plugin.Handler) plugin.Handler {
	tb.Helper()
	c := caddy.NewTestController("dns", directive)
	c.ServerBlockKeys = []string{".:53"}
	cfg := dnsserver.GetConfig(c)
	if directive != "" {
		if err := setup(c); err != nil {
			tb.Fatal(err)
		}
	}
	for _, name := range []string{"rewrite", "acl", "loadbalance", "header", "minimal"} {
		p := &pass{name: name}
		cfg.AddPlugin(func(next plugin.Handler) plugin.Handler { p.next = next; return p })
	}
	cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return last })
	if err := loads.parsed(c.Context()); err != nil {
		tb.Fatal(err)
	}
	var stack plugin.Handler
	for i := len(cfg.Plugin) - 1; i >= 0; i-- {
		stack = cfg.Plugin[i](stack)
	}
	return stack
}

// serve is one query's way from the plugin above ede, in the context that the
// server core makes.
func serve(h plugin.Handler, query *dns.Msg) func() {
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, new(dnsserver.Server))
	ctx = context.WithValue(ctx, dnsserver.LoopKey{}, 0)
	w := new(discard)
	return func() { _, _ = plugin.NextOrFailure("dnstap", h, ctx, w, query) }
}

func success() (query *dns.Msg, answer plugin.Handler) {
	query = new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	reply := new(dns.Msg).SetReply(query)
	reply.Answer = []dns.RR{test.A("www.example.org. 60 IN A 192.0.2.1")}
	return query, &end{"cache", func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		return dns.RcodeSuccess, w.WriteMsg(reply)
	}}
}

func TestASuccessThroughTheHandlerCostsAtMostTwoAllocations(t *testing.T) {
	query, answer := success()
	without := testing.AllocsPerRun(1000, serve(chain(t, "", answer), query))
	with := testing.AllocsPerRun(1000, serve(chain(t, "ede", answer), query))
	if with > without+2 {
		t.Errorf("%v allocations with ede, %v without", with, without)
	}
}

// BenchmarkSuccess is the way of a success through six plugins, without and
// with ede above them.
func BenchmarkSuccess(b *testing.B) {
	query, answer := success()
	for _, bm := range []struct{ name, directive string }{{"without", ""}, {"with", "ede"}} {
		b.Run(bm.name, func(b *testing.B) {
			f := serve(chain(b, bm.directive, answer), query)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
