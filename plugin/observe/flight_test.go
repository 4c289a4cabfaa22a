package observe

import (
	"context"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// elsewhere is a forward that has nothing to do with the names below example.org: it passes
// them on. Its upstream has asked something, so that questions are followed.
func elsewhere(t *testing.T, below ...*fake) (*block, *circle) {
	t.Helper()
	cfg := setUp(t, "forward example.com 192.0.2.53")
	for _, f := range below {
		cfg.AddPlugin(func(next plugin.Handler) plugin.Handler { f.next = next; return f })
	}
	return followed(under(cfg))
}

func followed(b *block) (*block, *circle) {
	c := b.top.(asking).upstreams.circle
	c.begin(upstreamHost, asks(0))
	return b, c
}

func TestAQuestionIsFollowedUntilItsPluginHasReturned(t *testing.T) {
	var c *circle
	underWay := func() {
		t.Helper()
		if len(c.flights) != 1 {
			t.Errorf("%d questions are followed", len(c.flights))
		}
	}
	for name, serve := range map[string]func(f *fake, ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error){
		"it fails": func(*fake, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
			underWay()
			return dns.RcodeServerFailure, nil
		},
		"it panics": func(*fake, context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
			underWay()
			panic("a fault of a plugin")
		},
		"the query is asked in parallel": func(_ *fake, ctx context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
			underWay()
			if _, ok := runOf(ctx).enter(runOf(ctx).tapAt(1), r); ok {
				t.Error("the recording goes on")
			}
			return dns.RcodeServerFailure, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b *block
			b, c = elsewhere(t, &fake{name: "leaf", serve: serve})
			func() {
				defer func() { _ = recover() }()
				b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
			}()
			if len(c.flights) != 0 {
				t.Errorf("%d flights are left", len(c.flights))
			}
		})
	}
}

// A forward of one zone passes other names on, and grpc asks somebody else. That shows
// nothing of the upstreams of the forward, whatever these ask meanwhile.
func TestWhatGRPCBelowAForwardIsAskedShowsNothingOfTheForward(t *testing.T) {
	var c *circle
	rcode := dns.RcodeServerFailure
	up := upstream.Start(t, upstream.Config{Transport: upstream.GRPC, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		c.begin(upstreamHost, r.Question[0])
		_ = w.WriteMsg(new(dns.Msg).SetRcode(r, rcode))
	})})
	b, c := followed(under(setUp(t, "forward example.com 192.0.2.53", "grpc . "+up.Addr())))
	forward, grpc := b.ladder.taps[1], b.ladder.taps[2]
	for i := range provenAfter {
		e, _ := b.fails(t, ask(asks(i).Name, dns.TypeA))
		if e.At != "grpc" || e.Upstream != up.Addr() {
			t.Fatalf("at %s, upstream %s", e.At, e.Upstream)
		}
	}
	if c.row != 0 || len(c.flights) != 0 {
		t.Errorf("%d in a row came back, %d flights are left", c.row, len(c.flights))
	}
	rcode = dns.RcodeSuccess
	b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
	if forward.lastGood.Load() != 0 || grpc.lastGood.Load() == 0 {
		t.Errorf("the last good answer of forward is of %d, that of grpc of %d", forward.lastGood.Load(), grpc.lastGood.Load())
	}
}

// The metadata of a query are those of the lookups inside it, too.
func TestAnUpstreamOfAnotherPluginIsNotNamedForTheOneThatFailed(t *testing.T) {
	up := upstream.Closed(t)
	b := under(setUp(t, "grpc . "+up))
	ctx := metadata.ContextWithMetadata(context.Background())
	metadata.SetValueFunc(ctx, "forward/upstream", func() string { return "192.0.2.53:53" })
	s := b.serve(ctx, ask("www.example.org.", dns.TypeA))
	if e := s.run.Evidence(s.shape, s.left, s.err); e.At != "grpc" || e.Upstream != up {
		t.Errorf("at %s, upstream %s", e.At, e.Upstream)
	}
}
