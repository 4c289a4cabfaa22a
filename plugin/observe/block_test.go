package observe

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/cache" // the set-ups that tests run
	_ "github.com/coredns/coredns/plugin/erratic"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/coredns/coredns/plugin/test"
	_ "github.com/coredns/coredns/plugin/transfer"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/invariant"
)

// block is a server block of real plugins or fakes under a ladder.
type block struct {
	cfg    *dnsserver.Config
	ladder *Ladder
	top    plugin.Handler
}

// setUp runs the real set-up of each directive in a server block for ".", in
// the order given.
func setUp(t *testing.T, directives ...string) *dnsserver.Config {
	t.Helper()
	c := caddy.NewTestController("dns", "")
	c.ServerBlockKeys = []string{"."}
	for _, text := range directives {
		name := strings.Fields(text)[0]
		action, err := caddy.DirectiveAction("dns", name)
		if err != nil {
			t.Fatal(err)
		}
		c.Dispenser = caddyfile.NewDispenser("Corefile", strings.NewReader(text))
		if err := action(c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return dnsserver.GetConfig(c)
}

// under compiles the plugins of cfg under a ladder, as dnsserver does.
func under(cfg *dnsserver.Config) *block {
	b := &block{cfg: cfg, ladder: NewLadder(cfg)}
	b.ladder.Install(-1)
	b.top = b.ladder.Top(compile(cfg))
	return b
}

// fake is a plugin that does as it is told.
type fake struct {
	name  string
	next  plugin.Handler
	serve func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error)
}

func (f *fake) Name() string { return f.name }
func (f *fake) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return f.serve(f, ctx, w, r)
}

// pass goes on to the next plugin with w and r.
func (f *fake) pass(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	return plugin.NextOrFailure(f.name, f.next, ctx, w, r)
}

func underWay(name string) *fake {
	return &fake{name: name, serve: (*fake).pass}
}

func fakes(all ...*fake) *dnsserver.Config {
	cfg := &dnsserver.Config{}
	for _, f := range all {
		cfg.AddPlugin(func(next plugin.Handler) plugin.Handler { f.next = next; return f })
	}
	return cfg
}

// messages is a client that keeps what it is sent.
type messages struct {
	test.ResponseWriter
	mu   sync.Mutex
	sent []*dns.Msg
}

func (m *messages) WriteMsg(msg *dns.Msg) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, msg)
	return nil
}

func (m *messages) rcodes() (all []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.sent {
		all = append(all, msg.Rcode)
	}
	return all
}

// served is what became of one query.
type served struct {
	run    *Run
	client *messages
	rcode  int
	err    error
	shape  evidence.Shape
	left   int
	failed bool
	// dropped is true where no answer is wanted.
	dropped bool
}

// serve asks b, and ends the run as the root plugin does.
func (b *block) serve(ctx context.Context, r *dns.Msg) served {
	s := served{client: new(messages)}
	s.run = b.ladder.Begin(ctx, s.client, r)
	s.rcode, s.err = plugin.NextOrFailure("ede", b.top, s.run, s.run, r)
	o := s.run.End(s.rcode, s.err)
	s.shape, s.left, s.failed, s.dropped = o.Shape, o.Rcode, o.Failed, o.Dropped
	switch {
	case !s.failed:
		s.rcode, s.err = s.run.Release(o, s.rcode, s.err)
	case s.run.Nested():
	case !b.ladder.PassThrough:
		reply := s.run.Reply(s.left)
		if reply == nil {
			reply = new(dns.Msg).SetRcode(r, s.left)
		}
		_ = s.client.WriteMsg(reply)
	}
	return s
}

// fails asks b and returns the evidence of the failure.
func (b *block) fails(t *testing.T, r *dns.Msg) (*evidence.Evidence, served) {
	t.Helper()
	s := b.serve(context.Background(), r)
	if !s.failed {
		t.Fatalf("the query did not fail: rcode %d, error %v, sent %v", s.rcode, s.err, s.client.rcodes())
	}
	e := s.run.Evidence(s.shape, s.left, s.err)
	invariant.Hold(t, e)
	return e, s
}

func ask(name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, qtype)
	return m.SetEdns0(1232, false)
}
