package observe

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// switched answers until it is told to fail.
type switched struct {
	mu    sync.Mutex
	fail  *dns.Msg
	slow  time.Duration
	calls int
}

func (*switched) Name() string { return "switched" }
func (s *switched) ServeDNS(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	s.mu.Lock()
	fail, slow := s.fail, s.slow
	s.calls++
	s.mu.Unlock()
	time.Sleep(slow) // of the bubble's clock: a slow upstream
	if fail != nil {
		m := fail.Copy()
		m.SetRcode(r, fail.Rcode)
		return dns.RcodeSuccess, w.WriteMsg(m)
	}
	m := new(dns.Msg).SetReply(r)
	m.Answer = []dns.RR{test.A(r.Question[0].Name + " 10 IN A 192.0.2.1")}
	return dns.RcodeSuccess, w.WriteMsg(m)
}

func (s *switched) breaks(slow time.Duration) {
	m := new(dns.Msg)
	m.Rcode = dns.RcodeServerFailure
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "bogus"}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.slow = m, slow
}

// background is what a ladder heard of cache's own refreshes.
type background struct {
	mu   sync.Mutex
	seen []*evidence.Evidence
	good int
}

func (bg *background) heard(run *Run, rcode int, err error) {
	e := run.RefreshEvidence(rcode, err)
	bg.mu.Lock()
	defer bg.mu.Unlock()
	if e == nil {
		bg.good++
		return
	}
	bg.seen = append(bg.seen, e)
}

func TestRefreshesOfTheRealCacheReachTheLadderAndNeverTheClientsRun(t *testing.T) {
	for _, c := range []struct {
		name, cache string
		wait        time.Duration
		slow        time.Duration
	}{
		{"prefetch", "cache {\n prefetch 1 1h 90%\n}", 5 * time.Second, 0},
		{"serve_stale immediate", "cache {\n serve_stale 1h immediate\n}", 15 * time.Second, 0},
		{"serve_stale verify with a timeout that passes", "cache {\n serve_stale 1h verify 100ms\n}", 15 * time.Second, time.Second},
		{"serve_stale verify with a timeout that holds", "cache {\n serve_stale 1h verify 100ms\n}", 15 * time.Second, 0},
	} {
		for _, withMetadata := range []bool{false, true} {
			name := c.name
			if withMetadata {
				name += ", with the metadata plugin"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					upstream := new(switched)
					cfg := setUp(t, c.cache)
					cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return upstream })
					b, bg := under(cfg), new(background)
					b.ladder.Background = bg.heard
					query := func() served {
						ctx := context.Background()
						if withMetadata {
							ctx = metadata.ContextWithMetadata(ctx)
						}
						return b.serve(ctx, ask("www.example.org.", dns.TypeA))
					}

					for range 2 {
						if s := query(); s.failed || len(s.client.sent) != 1 {
							t.Fatalf("failed %v, sent %v", s.failed, s.client.rcodes())
						}
					}
					time.Sleep(c.wait)
					upstream.breaks(c.slow)
					s := query()
					if got := s.client.rcodes(); s.failed || !slices.Equal(got, []int{dns.RcodeSuccess}) {
						t.Errorf("failed %v, sent %v; want the answer from cache", s.failed, got)
					}
					time.Sleep(c.slow)
					synctest.Wait()

					bg.mu.Lock()
					defer bg.mu.Unlock()
					if len(bg.seen) != 1 {
						t.Fatalf("heard of %d failed refreshes (and %d good ones), want 1", len(bg.seen), bg.good)
					}
					e := bg.seen[0]
					if !e.Background || e.At != "switched" || e.CacheQuestion.Name != "www.example.org." || e.Rcode != dns.RcodeServerFailure {
						t.Errorf("background %v at %s, cached as %q", e.Background, e.At, e.CacheQuestion.Name)
					}
					if want := []option.Option{{Code: 6, Text: "bogus"}}; !slices.Equal(e.Options, want) {
						t.Errorf("options %v, want %v", e.Options, want)
					}
					if s.run.notes.Load() != nil || s.run.recorders != nil {
						t.Error("the refresh left notes in the client's run")
					}
				})
			})
		}
	}
}

// A failure from cache makes the client's run leave a trail while the
// refresh that the same query began looks at whose run it is. Only the race
// detector sees what is wrong with that.
func TestARefreshReadsNothingThatTheClientsRunWrites(t *testing.T) {
	for _, options := range []string{"prefetch 1 1h 90%", "prefetch 1 1h 90%\n serve_stale 1h immediate"} {
		upstream := new(switched)
		cfg := setUp(t, "cache {\n servfail 10s\n "+options+"\n}")
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return upstream })
		b, ended := under(cfg), make(chan struct{}, 1)
		b.ladder.Background = func(*Run, int, error) { ended <- struct{}{} }
		upstream.breaks(0)
		refreshed := false
		// cache refreshes what is asked for in the last tenth of its life.
		for deadline := time.Now().Add(30 * time.Second); !refreshed && time.Now().Before(deadline); {
			b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
			select {
			case <-ended:
				refreshed = true
			case <-time.After(10 * time.Millisecond):
			}
		}
		if !refreshed {
			t.Errorf("%s: no refresh of a failure", options)
		}
	}
}

func TestAGoodRefreshIsHeardOfAsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := setUp(t, "cache {\n prefetch 1 1h 90%\n}")
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return new(switched) })
		b, bg := under(cfg), new(background)
		b.ladder.Background = bg.heard
		for range 2 {
			b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
		}
		time.Sleep(5 * time.Second)
		b.serve(context.Background(), ask("www.example.org.", dns.TypeA))
		synctest.Wait()
		if bg.good != 1 || len(bg.seen) != 0 {
			t.Errorf("%d good, %d failed", bg.good, len(bg.seen))
		}
	})
}

func TestTheTapBelowTheRealCacheKeepsWhatCacheStrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		upstream := new(switched)
		upstream.breaks(0)
		cfg := setUp(t, "cache")
		cfg.AddPlugin(func(plugin.Handler) plugin.Handler { return upstream })
		b := under(cfg)

		first, s := b.fails(t, ask("www.Example.org.", dns.TypeA))
		if first.CacheHit || len(first.Options) != 1 || first.Options[0].Code != 6 || first.At != "switched" {
			t.Errorf("hit %v at %s, options %v", first.CacheHit, first.At, first.Options)
		}
		if len(option.Read(s.client.sent[0])) != 0 {
			t.Error("cache did not strip the OPT record: the tap below it is not needed any more")
		}
		second, _ := b.fails(t, ask("www.example.org.", dns.TypeA))
		if !second.CacheHit || second.At != "cache" || second.CacheQuestion != first.CacheQuestion {
			t.Errorf("hit %v at %s, %v and %v", second.CacheHit, second.At, first.CacheQuestion, second.CacheQuestion)
		}
	})
}
