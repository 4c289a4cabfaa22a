package diagnosis_test

import (
	"flag"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var storm = flag.Duration("storm", 3*time.Second, "how long the storm of failing names lasts")

// The storm: different names that fail, from some clients at once, paced.
const (
	namesPerSecond = 10_000
	stormClients   = 16
	// leastNames are a storm, however long a slow machine takes for them.
	leastNames = 1000
	longest    = time.Minute
)

// A storm of failing names may not be turned into a storm of probes, nor into
// memory. Latencies are logged, for docs/diagnosis.md.
func TestProbesNeverExceedTheBudgetInAStorm(t *testing.T) {
	const perSecond, atOnce, queries = 5, 4, 60
	for name, wait := range map[string]string{"nothing is held": "0s", "answers are held": "2s"} {
		t.Run(name, func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
			s := server.Start(t, fmt.Sprintf(`.:0 {
				bind 127.0.0.1
				ede {
					log off
					diagnose {
						rate %d %d
						wait %s
					}
				}
				forward . %s
			}`, perSecond, atOnce, wait, u.Addr()))
			thirds := make([]third, 3)
			began := time.Now()
			for i := range thirds {
				thirds[i] = blow(t, s.UDP(), i, *storm/3, leastNames/len(thirds)+1)
			}
			// A diagnosis that began at the end is over within its ten seconds; the
			// storm is measured as it stands.
			asked := 0
			for i, third := range thirds {
				asked += len(third.latencies)
				t.Logf("third %d: %d names, latency %v median, %v at 99 %%, heap %d KiB", i+1, len(third.latencies),
					third.at(0.5), third.at(0.99), third.heap>>10)
			}
			seconds := int(time.Since(began)/time.Second) + 1
			probes := int64(u.Queries()) - int64(asked)
			budget := int64(perSecond * (seconds + 1) * queries)
			t.Logf("%d failing names in %d s, %d probes, at most %d allowed", asked, seconds, probes, budget)
			if asked < leastNames {
				t.Errorf("only %d names were asked for: no storm", asked)
			}
			if probes <= 0 || probes > budget {
				t.Errorf("%d probes for %d names, want some and at most %d", probes, asked, budget)
			}
			// The tables are full after the first names; from then on nothing grows.
			if first, last := thirds[0].heap, thirds[2].heap; last > first+first/2+8<<20 {
				t.Errorf("the heap grew from %d to %d octets", first, last)
			}
		})
	}
}

// third is a part of the storm.
type third struct {
	latencies []time.Duration // sorted
	heap      uint64
}

func (s third) at(share float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[int(share*float64(len(s.latencies)-1))].Round(time.Microsecond)
}

// blow asks for different names for a while, and until at least so many have been
// answered.
func blow(t *testing.T, addr string, part int, lasts time.Duration, least int) third {
	t.Helper()
	var mu sync.Mutex
	var result third
	var wait sync.WaitGroup
	began := time.Now()
	var answers atomic.Int64
	over := func() bool {
		passed := time.Since(began)
		return passed > lasts && (answers.Load() >= int64(least) || passed > longest)
	}
	for client := range stormClients {
		wait.Go(func() {
			conn, err := net.Dial("udp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			took := gusts(&dns.Conn{Conn: conn}, fmt.Sprintf("%d-%d", part, client), &answers, over)
			mu.Lock()
			defer mu.Unlock()
			result.latencies = append(result.latencies, took...)
		})
	}
	wait.Wait()
	slices.Sort(result.latencies)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	result.heap = m.HeapAlloc
	return result
}

// gusts asks for one name after the other, at the pace of one client.
func gusts(c *dns.Conn, label string, answers *atomic.Int64, over func() bool) []time.Duration {
	var took []time.Duration
	began := time.Now()
	for i := 0; !over(); i++ {
		due := began.Add(time.Duration(i) * stormClients * time.Second / namesPerSecond)
		if ahead := time.Until(due); ahead > 0 {
			time.Sleep(ahead)
		}
		sent := time.Now()
		m := new(dns.Msg).SetQuestion(fmt.Sprintf("n%s-%d.example.org.", label, i), dns.TypeA)
		_ = c.SetDeadline(sent.Add(5 * time.Second))
		if c.WriteMsg(m) != nil {
			continue
		}
		if _, err := c.ReadMsg(); err == nil {
			took = append(took, time.Since(sent))
			answers.Add(1)
		}
	}
	return took
}
