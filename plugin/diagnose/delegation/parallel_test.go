package delegation

import (
	"context"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// slow answers as the world does after a time; what is not there, and a server that
// stays silent, takes the patience of a try.
func (w *world) slow(after func(a netip.AddrPort, n int) time.Duration) Direct {
	const patience = 700 * time.Millisecond
	tries := map[netip.AddrPort]int{}
	return func(ctx context.Context, a netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
		w.count(a, q)
		w.mu.Lock()
		tries[a]++
		wait := after(a, tries[a])
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(wait, patience)):
		}
		if wait > patience {
			return nil, os.ErrDeadlineExceeded
		}
		return w.servers[a.Addr()].reply(q), nil
	}
}

const silence = time.Hour

func TestALostDatagramCostsNoMoreThanTheNextTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, delegatedTo2)
		p := w.prober()
		p.Direct = w.slow(func(a netip.AddrPort, n int) time.Duration {
			if a.Addr().String() == ns1Addr && n == 1 {
				return silence
			}
			return 20 * time.Millisecond
		})
		r := newRun(t.Context(), p)
		began := time.Now()
		rep := r.ask(t.Context(), server{"ns1.example.org.", addrPort(ns1Addr)}, "example.org.", "www.example.org.", dns.TypeA, maxTries)
		if took := time.Since(began); rep.outcome != Answers || took != retryAfter+20*time.Millisecond {
			t.Errorf("%s after %v", rep.outcome, took)
		}
	})
}

func TestASilentServerIsNotWaitedForOnceAnotherAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, delegatedTo2)
		p := w.prober()
		p.Direct = w.slow(func(a netip.AddrPort, _ int) time.Duration {
			if a.Addr().String() == ns1Addr {
				return silence
			}
			return 20 * time.Millisecond
		})
		s := p.Source(t.Context())
		began := time.Now()
		m, err := s.Ask(dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET})
		if err != nil || len(m.Answer) != 1 {
			t.Fatalf("%v, %v", m, err)
		}
		// Two questions of the descent come to the silent one first.
		if took := time.Since(began); took > 2*retryAfter+200*time.Millisecond {
			t.Errorf("%v", took)
		}
	})
}

// Each of the tries that a silent server gets goes out while the one before waits.
func TestSilenceIsToldByTriesInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, delegatedTo2+signed)
		p := w.prober()
		p.Direct = w.slow(func(a netip.AddrPort, _ int) time.Duration {
			if a.Addr().String() == ns1Addr || a.Addr().String() == ns2Addr {
				return silence
			}
			return 20 * time.Millisecond
		})
		began := time.Now()
		f := p.Probe(t.Context(), "www.example.org.", dns.TypeA)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%v", took)
		}
		if f.Kind != Unreachable || f.Queries != w.asked["all"] {
			t.Errorf("got %s %q, %d queries of %d", f.Kind, f.Text, f.Queries, w.asked["all"])
		}
		sent := 0
		for what, n := range w.asked {
			if len(what) > len(ns1Addr) && what[:len(ns1Addr)+1] == ns1Addr+":" {
				sent += n
			}
		}
		if sent != silentTries {
			t.Errorf("%d tries on a silent server, want %d", sent, silentTries)
		}
	})
}

// A server that is only slow is not called silent, and its answer to the first try
// counts while others are under way.
func TestASlowServerIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, delegatedTo2+signed)
		p := w.prober()
		p.Direct = w.slow(func(netip.AddrPort, int) time.Duration { return 650 * time.Millisecond })
		if f := p.Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Healthy {
			t.Errorf("got %s %q", f.Kind, f.FullText)
		}
	})
}
