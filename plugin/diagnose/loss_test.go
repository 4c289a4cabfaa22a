package diagnose_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// path loses packets at random, the same ones in each run.
type path struct {
	mu   sync.Mutex
	dice *rand.Rand
	loss float64
}

func newPath(loss float64) *path {
	return &path{dice: rand.New(rand.NewPCG(1, uint64(loss*100))), loss: loss}
}

func (p *path) loses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dice.Float64() < p.loss
}

// lossy is x over the path. What is lost is waited for as long as forward does.
func (p *path) lossy(x diagnose.Exchange) diagnose.Exchange {
	return func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if p.loses() {
			time.Sleep(2 * time.Second)
			return nil, os.ErrDeadlineExceeded
		}
		return x(ctx, m)
	}
}

// timedOut is the case of an upstream that gave no reply in time.
func timedOut(q dns.Question, r diagnose.Resolver) diagnose.Case {
	return diagnose.Case{Question: q, Failing: r, TimedOut: true, Verdict: cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Upstream: r.Name, Question: q, Asked: q,
		Failure: evidence.Failure{Kind: evidence.Timeout, Err: os.ErrDeadlineExceeded},
	})}
}

// blamed tells a finding that names DNSSEC or a zone.
func blamed(f diagnose.Finding) bool {
	return f.Outcome == diagnose.Explained && (f.Verdict.Owner == cause.Zone || strings.HasPrefix(f.Verdict.Cause.ID, "dnssec_"))
}

// Whatever is lost on the way: a zone that is in order is never blamed, nor DNSSEC.
func TestNoLostProbeBlamesAZone(t *testing.T) {
	names := 1000
	if testing.Short() {
		names = 100
	}
	b := bed.New(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), bed.Case{Name: "one"}, bed.Case{Name: "two"}, bed.Case{Name: "three", Before: bed.Unsigned})
	exchange := b.Exchange()
	for _, loss := range []float64{0.1, 0.3, 0.5} {
		for _, how := range []string{"no reply", "SERVFAIL", "no reply, with the zone's servers"} {
			t.Run(fmt.Sprintf("%.0f %% and %s", 100*loss, how), func(t *testing.T) {
				p := newPath(loss)
				x := p.lossy(func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) { return exchange(ctx, m.Question[0]) })
				up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: x, UDP: x, TCP: x}
				for i := range names {
					q := question(fmt.Sprintf("n%d.%s.edetest.", i, []string{"one", "two", "three"}[i%3]))
					if i%2 == 0 {
						q.Name = "www." + strings.SplitN(q.Name, ".", 2)[1]
					}
					synctest.Test(t, func(t *testing.T) {
						e := engine(b)
						e.Now = time.Now
						c := timedOut(q, up)
						if how == "SERVFAIL" {
							c = failing(q, up)
						}
						if strings.Contains(how, "servers") {
							direct := b.Direct(700 * time.Millisecond)
							e.Delegation = &delegation.Prober{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.53.0/24")},
								Direct: func(ctx context.Context, server netip.AddrPort, m *dns.Msg) (*dns.Msg, error) {
									if p.loses() {
										time.Sleep(400 * time.Millisecond)
										return nil, os.ErrDeadlineExceeded
									}
									return direct(ctx, server, m)
								}}
						}
						f := e.Diagnose(context.Background(), c)
						if blamed(f) {
							t.Errorf("%s: %s: %s; %v", q.Name, f.Verdict.Cause.ID, f.Text, f.Steps)
						}
						time.Sleep(5 * time.Second)
					})
				}
			})
		}
	}
}

// And most zones that are not in order are still found.
func TestOnAPathThatLosesPacketsBogusZonesAreFound(t *testing.T) {
	var cases []bed.Case
	for i := range 40 {
		cases = append(cases, bed.Case{Name: fmt.Sprintf("z%d", i), After: bed.Times(dns.TypeA, -40*day, -10*day)})
	}
	b := bed.New(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), cases...)
	exchange := b.Exchange()
	for _, how := range []string{"no reply", "SERVFAIL"} {
		t.Run(how, func(t *testing.T) {
			found, of := 0, 0
			// One path is too few: chance decides what it loses.
			for _, loss := range []float64{0.27, 0.28, 0.29, 0.3} {
				of += len(cases)
				x := newPath(loss).lossy(func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
					if q := m.Question[0]; !m.CheckingDisabled && q.Qtype == dns.TypeA && strings.HasPrefix(q.Name, "z") {
						return servfail(m)
					}
					return exchange(ctx, m.Question[0])
				})
				up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: x, UDP: x, TCP: x}
				for i := range cases {
					synctest.Test(t, func(t *testing.T) {
						e := engine(b)
						e.Now = time.Now
						c := failing(question(fmt.Sprintf("z%d.edetest.", i)), up)
						if how == "no reply" {
							c = timedOut(c.Question, up)
						}
						if f := e.Diagnose(context.Background(), c); f.Outcome == diagnose.Explained && f.Verdict.Codes()[0] == 7 {
							found++
						}
						time.Sleep(5 * time.Second)
					})
				}
			}
			t.Logf("%d of %d are found", found, of)
			if found < of/2 {
				t.Errorf("%d of %d are found, want half of them", found, of)
			}
		})
	}
}
