package ede

import (
	"context"
	"net"
	"slices"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"

	"github.com/seed-1b7246af/coredns-ede/plugin/instance"

	"github.com/miekg/dns"
)

// link is a plugin of a chain. It passes queries on if serve is nil.
type link struct {
	name  string
	serve func(next plugin.Handler, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error)
	next  plugin.Handler
}

func (l *link) Name() string { return l.name }
func (l *link) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	if l.serve == nil {
		return plugin.NextOrFailure(l.name, l.next, ctx, w, r)
	}
	return l.serve(l.next, ctx, w, r)
}

// discard is a client over UDP that takes every answer.
type discard struct{ test.ResponseWriter }

var client = &net.UDPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 40112}

func (*discard) RemoteAddr() net.Addr    { return client }
func (*discard) WriteMsg(*dns.Msg) error { return nil }

// chain compiles directive, or nothing if it is empty, above five plugins that
// pass on and those of below, as dnsserver does, and returns what the plugin
// above it calls.
func chain(tb testing.TB, directive string, below ...*link) plugin.Handler {
	tb.Helper()
	c := caddy.NewTestController("dns", directive)
	c.ServerBlockKeys = []string{".:53"}
	cfg := dnsserver.GetConfig(c)
	if directive != "" {
		if err := setup(c); err != nil {
			tb.Fatal(err)
		}
	}
	for i, name := range []string{"rewrite", "acl", "loadbalance", "header", "minimal"} {
		below = slices.Insert(below, i, &link{name: name})
	}
	for _, l := range below {
		cfg.AddPlugin(func(next plugin.Handler) plugin.Handler { l.next = next; return l })
	}
	if err := instance.Parsed(c.Context()); err != nil {
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

func success() (query *dns.Msg, answer *link) {
	query = new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	reply := new(dns.Msg).SetReply(query)
	reply.Answer = []dns.RR{test.A("www.example.org. 60 IN A 192.0.2.1")}
	return query, &link{name: "cache", serve: func(_ plugin.Handler, _ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		return dns.RcodeSuccess, w.WriteMsg(reply)
	}}
}

// One for the query, and one for the recorder below rewrite.
func TestASuccessThroughTheHandlerCostsTwoAllocationsBelowRewrite(t *testing.T) {
	query, answer := success()
	without := testing.AllocsPerRun(1000, serve(chain(t, "", answer), query))
	for _, directive := range []string{"ede", "ede {\n diagnose\n}"} {
		with := testing.AllocsPerRun(1000, serve(chain(t, directive, answer), query))
		if with > without+2 {
			t.Errorf("%v allocations with %q, %v without", with, directive, without)
		}
	}
}

// BenchmarkSuccess is the way of a success through six plugins, without and
// with ede above them, and with one that would diagnose.
func BenchmarkSuccess(b *testing.B) {
	query, answer := success()
	for _, bm := range []struct{ name, directive string }{
		{"without", ""}, {"with", "ede"}, {"diagnosing", "ede {\n diagnose\n}"},
		{"not asking again", "ede {\n ask_again off\n}"}, {"keeping answers", "ede {\n answers keep\n}"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			f := serve(chain(b, bm.directive, answer), query)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
