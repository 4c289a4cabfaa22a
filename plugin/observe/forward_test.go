package observe

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/invariant"
	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// upstreamOn serves DNS on loopback with the given handler.
func upstreamOn(t *testing.T, serve dns.HandlerFunc) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	s := &dns.Server{PacketConn: c, Handler: serve, NotifyStartedFunc: func() { close(ready) }}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() { _ = s.Shutdown(); <-ended })
	return c.LocalAddr().String()
}

// startForward starts the forward that is the first plugin of a block.
func startForward(t *testing.T, top plugin.Handler) {
	t.Helper()
	f := forwardOf(top)
	if err := f.OnStartup(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.OnShutdown() })
}

func failsWithin(t *testing.T, b *block, withMetadata bool) (*evidence.Evidence, served) {
	t.Helper()
	ctx := context.Background()
	if withMetadata {
		ctx = metadata.ContextWithMetadata(ctx)
	}
	s := b.serve(ctx, ask("www.example.org.", dns.TypeA))
	if !s.failed {
		t.Fatalf("the query did not fail: %v", s.client.rcodes())
	}
	e := s.run.Evidence(s.shape, s.left, s.err)
	invariant.Hold(t, e)
	return e, s
}

func TestAnAnswerOfTheUpstreamIsItsFailureAndALaterOneItsLastGood(t *testing.T) {
	var rcode atomic.Int32
	up := upstreamOn(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetRcode(r, int(rcode.Load()))
		m.RecursionAvailable = true
		_ = w.WriteMsg(m)
	})
	b := under(setUp(t, "forward . "+up))
	startForward(t, forwardBelow(b.top))

	if s := b.serve(context.Background(), ask("www.example.org.", dns.TypeA)); s.failed {
		t.Fatal("a NOERROR was taken for a failure")
	}
	rcode.Store(dns.RcodeServerFailure)
	e, _ := b.fails(t, ask("www.example.org.", dns.TypeA))
	if !e.UpstreamAnswered || !e.Reply.RecursionAvailable || e.Upstream != up || e.Shape != evidence.Written {
		t.Errorf("answered %v, RA %v, upstream %s, shape %v", e.UpstreamAnswered, e.Reply.RecursionAvailable, e.Upstream, e.Shape)
	}
	if e.LastGood.IsZero() {
		t.Error("the good answer before was not noted")
	}
	first := e.LastGood
	if e, _ = b.fails(t, ask("www.example.org.", dns.TypeA)); !e.LastGood.Equal(first) {
		t.Error("a SERVFAIL counts as a good answer")
	}
}

// Of two upstreams one answers what the other does not.
func TestAnAnswerIsASignOfLifeOfTheUpstreamThatGaveIt(t *testing.T) {
	lives := upstreamOn(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if strings.HasPrefix(r.Question[0].Name, "www.") {
			_ = w.WriteMsg(new(dns.Msg).SetReply(r))
		}
	})
	dead := port.Free(t)
	for _, order := range [][]string{{lives, dead}, {dead, lives}} {
		b := under(setUp(t, "forward . "+strings.Join(order, " ")+" {\n policy sequential\n max_fails 0\n read_timeout 100ms\n max_connect_attempts 2\n}"))
		startForward(t, forwardBelow(b.top))
		if s := b.serve(context.Background(), ask("www.example.org.", dns.TypeA)); s.failed {
			t.Fatal("nobody answers")
		}
		e, _ := b.fails(t, ask("silent.example.org.", dns.TypeA))
		if e.Upstream != order[1] || e.LastAnswer.IsZero() == (e.Upstream == lives) {
			t.Errorf("of %v, %s failed last: its last answer was at %v", order, e.Upstream, e.LastAnswer)
		}
	}
}

func TestMaxConcurrentOfAnyForwardInARowIsRecognized(t *testing.T) {
	h := handler(t, "forward example.org 192.0.2.53 {\n max_concurrent 1\n}\nforward . 192.0.2.54 {\n max_concurrent 7\n}")
	f := forwardOf(h)
	for ; f != nil; f = forwardOf(f.Next) {
		if f.ErrLimitExceeded == nil {
			t.Fatal("forward makes the error elsewhere")
		}
		if got := interpret(f.ErrLimitExceeded, h, ""); got.Kind != evidence.LimitExceeded {
			t.Errorf("%v is of kind %v", f.ErrLimitExceeded, got.Kind)
		}
		if got := interpret(f.ErrLimitExceeded, underWay("forward"), ""); got.Kind != evidence.Other {
			t.Errorf("of a foreign plugin: %v", got.Kind)
		}
	}
}

func TestTheRealForwardReturnsTheErrorOfItsLimit(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	arrived := sync.OnceFunc(func() { close(held) })
	up := upstreamOn(t, func(w dns.ResponseWriter, r *dns.Msg) {
		arrived()
		<-release
		_ = w.WriteMsg(new(dns.Msg).SetReply(r))
	})
	b := under(setUp(t, "forward . "+up+" {\n max_concurrent 1\n max_fails 0\n read_timeout 1m\n}"))
	startForward(t, forwardBelow(b.top))
	done := make(chan struct{})
	go func() { defer close(done); b.serve(context.Background(), ask("slow.example.org.", dns.TypeA)) }()
	<-held
	e, _ := b.fails(t, ask("www.example.org.", dns.TypeA))
	close(release)
	<-done
	if e.Failure.Kind != evidence.LimitExceeded || e.Rcode != dns.RcodeRefused || e.Upstream != "" || e.UpstreamAnswered {
		t.Errorf("kind %v, rcode %d, upstream %q", e.Failure.Kind, e.Rcode, e.Upstream)
	}
}

func TestACanceledQueryThatTriedNobodyIsUntried(t *testing.T) {
	b := under(setUp(t, "forward . "+port.Free(t)))
	startForward(t, forwardBelow(b.top))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := b.serve(ctx, ask("www.example.org.", dns.TypeA))
	e := s.run.Evidence(s.shape, s.left, s.err)
	invariant.Hold(t, e)
	if !e.Untried || e.Upstream != "" || e.Failure.Kind != evidence.NoHealthy {
		t.Errorf("untried %v, upstream %q, kind %v", e.Untried, e.Upstream, e.Failure.Kind)
	}
}

func TestTheForwardThatANameGoesToIsTheFirstForIt(t *testing.T) {
	b := under(setUp(t, "forward example.org 192.0.2.53\nforward sub.example.net 192.0.2.54\nforward example.net 192.0.2.55\nforward . 192.0.2.56"))
	for name, want := range map[string]string{
		"example.org.": "example.org.", "a.example.org.": "example.org.", "A.EXAMPLE.ORG.": "example.org.",
		"sub.example.net.": "sub.example.net.", "example.net.": "example.net.", "example.com.": ".", ".": ".",
	} {
		if got, known := b.ladder.ForwardZone(name); got != want || !known {
			t.Errorf("%s goes to the forward for %s, want %s", name, got, want)
		}
	}
	if got, known := under(setUp(t, "hosts")).ladder.ForwardZone("example.org."); got != "." || !known {
		t.Errorf("without a forward: %s", got)
	}
}

// A forward names the upstream that it asks in the metadata. Where it has one only,
// there is nothing to name, and no map is made for it.
func TestOnlyAForwardThatChoosesGetsAMapOfMetadata(t *testing.T) {
	for upstreams, want := range map[string]bool{port.Free(t): false, port.Free(t) + " " + port.Free(t): true} {
		b := under(setUp(t, "forward . "+upstreams))
		startForward(t, forwardBelow(b.top))
		e, s := b.fails(t, ask("www.example.org.", dns.TypeA))
		if got := metadata.ValueFuncs(s.run.noted().asked.ctx) != nil; got != want {
			t.Errorf("forward to %s: a map %t, want %t", upstreams, got, want)
		}
		if !strings.Contains(upstreams, e.Upstream) || e.Upstream == "" {
			t.Errorf("forward to %s: upstream %q", upstreams, e.Upstream)
		}
	}
}

// forwardBelow is the forward below the tap top.
func forwardBelow(top plugin.Handler) plugin.Handler { return top.(asking).next }
