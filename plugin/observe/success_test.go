package observe

import (
	"context"
	"testing"

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

// answer is a plugin that answers every query with one message.
type answer struct{ m *dns.Msg }

func (a *answer) Name() string { return "cache" }
func (a *answer) ServeDNS(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
	return dns.RcodeSuccess, w.WriteMsg(a.m)
}

type discard struct{ test.ResponseWriter }

func (*discard) WriteMsg(*dns.Msg) error { return nil }

// chainOfSix compiles five plugins that pass on and one that answers, as
// dnsserver does.
func chainOfSix(m *dns.Msg) *dnsserver.Config {
	cfg := &dnsserver.Config{}
	for _, name := range []string{"rewrite", "acl", "loadbalance", "header", "minimal"} {
		p := &pass{name: name}
		cfg.AddPlugin(func(next plugin.Handler) plugin.Handler { p.next = next; return p })
	}
	cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return &answer{m} })
	return cfg
}

func compile(cfg *dnsserver.Config) plugin.Handler {
	var stack plugin.Handler
	for i := len(cfg.Plugin) - 1; i >= 0; i-- {
		stack = cfg.Plugin[i](stack)
	}
	return stack
}

// bare and tapped return one query's way without and with a ladder.
func bare(query, reply *dns.Msg) func() {
	h := compile(chainOfSix(reply))
	w, ctx := new(discard), context.Background()
	return func() { _, _ = plugin.NextOrFailure("ede", h, ctx, w, query) }
}

func tapped(query, reply *dns.Msg) func() {
	cfg := chainOfSix(reply)
	l := NewLadder(cfg)
	l.Install(-1)
	h := l.Top(compile(cfg))
	w, ctx := new(discard), context.Background()
	return func() {
		run := l.Begin(ctx, w, query)
		rcode, err := plugin.NextOrFailure("ede", h, run, run, query)
		outcome := run.End(rcode, err)
		if outcome.Failed {
			panic("a success was taken for a failure")
		}
		_, _ = run.Release(outcome, rcode, err)
	}
}

func success() (query, reply *dns.Msg) {
	query = new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	reply = new(dns.Msg).SetReply(query)
	reply.Answer = []dns.RR{test.A("www.example.org. 60 IN A 192.0.2.1")}
	return query, reply
}

// One for the query, and one for the recorder below rewrite.
func TestASuccessCostsTwoAllocationsBelowRewrite(t *testing.T) {
	query, reply := success()
	without := testing.AllocsPerRun(1000, bare(query, reply))
	with := testing.AllocsPerRun(1000, tapped(query, reply))
	if with > without+2 {
		t.Errorf("%v allocations with the ladder, %v without", with, without)
	}
}

// BenchmarkSuccess is the way of a success through six plugins, without and
// with a ladder: go test ./plugin/observe -bench Success -benchmem -count 10,
// compared by benchstat.
func BenchmarkSuccess(b *testing.B) {
	query, reply := success()
	for name, f := range map[string]func(){"bare": bare(query, reply), "tapped": tapped(query, reply)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
