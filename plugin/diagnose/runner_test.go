package diagnose_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// bench runs diagnoses against one upstream, in the time of a synctest bubble.
type bench struct {
	*diagnose.Runner
	upstream diagnose.Resolver
	probes   atomic.Int64
	ended    atomic.Int64
}

func newBench(perSecond, concurrent int, anchors []dns.RR, answer func(*dns.Msg) (*dns.Msg, error)) *bench {
	b := new(bench)
	b.upstream = diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		b.probes.Add(1)
		return answer(m)
	}}
	e := &diagnose.Engine{Now: time.Now, Anchors: anchors}
	b.Runner = diagnose.NewRunner(e, perSecond, concurrent, func(diagnose.Case, diagnose.Finding) { b.ended.Add(1) })
	return b
}

func servfail(m *dns.Msg) (*dns.Msg, error) {
	return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
}

func nameOf(i int) dns.Question {
	return dns.Question{Name: fmt.Sprintf("n%d.example.org.", i), Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

func (b *bench) start(q dns.Question) diagnose.Skip {
	_, skip := b.Start(failing(q, b.upstream))
	return skip
}

func TestTheRateOfDiagnosesIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(5, 1000, nil, servfail)
		defer b.Stop()
		started, skipped := 0, 0
		for i := range 1000 {
			switch b.start(nameOf(i)) {
			case diagnose.Started:
				started++
			case diagnose.OverRate:
				skipped++
			}
			time.Sleep(10 * time.Millisecond)
		}
		// Ten seconds, and the burst of the first moment.
		if started < 50 || started > 55 || started+skipped != 1000 {
			t.Errorf("%d started, %d over the rate", started, skipped)
		}
	})
}

func TestDiagnosesAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := newBench(1000, 4, nil, func(m *dns.Msg) (*dns.Msg, error) { <-release; return servfail(m) })
		defer b.Stop()
		for i := range 10 {
			want := diagnose.Started
			if i >= 4 {
				want = diagnose.Busy
			}
			if got := b.start(nameOf(i)); got != want {
				t.Errorf("diagnosis %d: %q, want %q", i, got, want)
			}
		}
		close(release)
		synctest.Wait()
		if got := b.start(nameOf(10)); got != diagnose.Started {
			t.Errorf("after the others have ended: %q", got)
		}
	})
}

func TestOneQuestionIsDiagnosedOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := newBench(1000, 4, nil, func(m *dns.Msg) (*dns.Msg, error) { <-release; return servfail(m) })
		defer b.Stop()
		first, _ := b.Start(failing(nameOf(1), b.upstream))
		upper := nameOf(1)
		upper.Name = "N1.Example.ORG."
		again, skip := b.Start(failing(upper, b.upstream))
		if skip != diagnose.Running || first != again {
			t.Errorf("got %q", skip)
		}
		close(release)
		<-again
		if n := b.ended.Load(); n != 1 {
			t.Errorf("%d diagnoses ended", n)
		}
	})
}

// RFC 9520: a failure is remembered for a second at least and five minutes at most.
func TestAQuestionIsLeftAloneForLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1000, 4, nil, servfail)
		defer b.Stop()
		want := time.Second
		for range 12 {
			if got := b.start(nameOf(1)); got != diagnose.Started {
				t.Fatalf("before %v: %q", want, got)
			}
			synctest.Wait()
			time.Sleep(want - time.Millisecond)
			if got := b.start(nameOf(1)); got != diagnose.Known {
				t.Fatalf("after %v: %q", want, got)
			}
			time.Sleep(time.Millisecond)
			want = min(2*want, 5*time.Minute)
		}
	})
}

// brokenZone has a zone whose DNSKEY matches no DS.
func brokenZone(t *testing.T) (*bed.Bed, dns.Question) {
	t.Helper()
	b := bed.New(t, time.Now(), bed.Case{Name: "broken", DS: bed.ChangedDS(func(ds *dns.DS) { ds.KeyTag++ })}, bed.Case{Name: "valid"})
	return b, dns.Question{Name: "www.broken.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

func TestABrokenZoneExplainsAllNamesBelowItWithoutAnotherQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree, q := brokenZone(t)
		exchange := tree.Exchange()
		b := newBench(1000, 4, tree.Anchor(), func(m *dns.Msg) (*dns.Msg, error) {
			if !m.CheckingDisabled && m.Question[0].Name != "." {
				return servfail(m)
			}
			return exchange(context.Background(), m.Question[0])
		})
		defer b.Stop()
		b.start(q)
		synctest.Wait()
		before := b.probes.Load()
		for i := range 100 {
			other := q
			other.Name = fmt.Sprintf("n%d.%s", i, "broken.edetest.")
			v, _, ok := b.Lookup(evidence.Scope{}, other)
			if !ok || v.Codes()[0] != 9 {
				t.Fatalf("%s is not explained", other.Name)
			}
			if got := b.start(other); got != diagnose.Known {
				t.Fatalf("%s: %q", other.Name, got)
			}
		}
		if n := b.probes.Load() - before; n > 0 {
			t.Errorf("%d more probes", n)
		}
		elsewhere := q
		elsewhere.Name = "www.valid.edetest."
		if _, _, ok := b.Lookup(evidence.Scope{}, elsewhere); ok {
			t.Error("a zone next to the broken one is explained by it")
		}
		for _, elsewhere := range []evidence.Scope{{Block: 2}, {Zone: "edetest."}} {
			if _, _, ok := b.Lookup(elsewhere, q); ok {
				t.Errorf("names that go to the upstreams of %+v are explained by others'", elsewhere)
			}
			b.Succeeded(elsewhere, q)
		}
		if _, _, ok := b.Lookup(evidence.Scope{}, q); !ok {
			t.Error("an answer of other upstreams made it forget")
		}
		time.Sleep(31 * time.Second)
		other := q
		other.Name = "later.broken.edetest."
		if got := b.start(other); got != diagnose.Started {
			t.Errorf("after half a minute: %q", got)
		}
	})
}

// Names of one broken zone fail together: the first diagnosis that finds the zone
// at fault ends those of the others.
func TestABrokenZoneEndsTheDiagnosesOfOtherNamesBelowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree, q := brokenZone(t)
		exchange := tree.Exchange()
		release := make(chan struct{})
		b := newBench(1000, 4, tree.Anchor(), func(m *dns.Msg) (*dns.Msg, error) {
			if m.Question[0].Name != q.Name && m.Question[0].Qtype == dns.TypeA {
				<-release
			}
			if !m.CheckingDisabled && m.Question[0].Name != "." {
				return servfail(m)
			}
			return exchange(context.Background(), m.Question[0])
		})
		defer b.Stop()
		defer close(release)
		other, elsewhere := q, q
		other.Name, elsewhere.Name = "mail.broken.edetest.", "www.valid.edetest."
		ended, _ := b.Start(failing(other, b.upstream))
		b.start(elsewhere)
		synctest.Wait()
		b.start(q)
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("a name below the zone is still diagnosed")
		}
		if v, _, ok := b.Lookup(evidence.Scope{}, other); !ok || v.Codes()[0] != 9 {
			t.Error("it is not explained")
		}
		if n := b.ended.Load(); n != 2 {
			t.Errorf("%d diagnoses ended, want the two of the zone and not that next to it", n)
		}
	})
}

func TestWhatWasFoundIsForgottenInTimeOrWhenTheNameResolves(t *testing.T) {
	for name, forget := range map[string]func(b *bench, q dns.Question){
		"five minutes later":      func(*bench, dns.Question) { time.Sleep(5 * time.Minute) },
		"the name resolves again": func(b *bench, q dns.Question) { b.Succeeded(evidence.Scope{}, q) },
		"it resolves, in other case": func(b *bench, q dns.Question) {
			q.Name = "WWW.Broken.EDETEST."
			b.Succeeded(evidence.Scope{}, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree, q := brokenZone(t)
				exchange := tree.Exchange()
				b := newBench(1000, 4, tree.Anchor(), func(m *dns.Msg) (*dns.Msg, error) {
					if !m.CheckingDisabled {
						return servfail(m)
					}
					return exchange(context.Background(), m.Question[0])
				})
				defer b.Stop()
				ended, _ := b.Start(failing(q, b.upstream))
				<-ended
				if _, _, ok := b.Lookup(evidence.Scope{}, q); !ok || b.Quiet() {
					t.Fatal("nothing was found")
				}
				forget(b, q)
				if _, _, ok := b.Lookup(evidence.Scope{}, q); ok {
					t.Error("it is still said")
				}
				if name != "five minutes later" && !b.Quiet() {
					t.Error("a success is taken for one that may end something")
				}
			})
		})
	}
}

func TestAnUpstreamThatAnswersNothingIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(1000, 4, nil, func(*dns.Msg) (*dns.Msg, error) { return nil, context.DeadlineExceeded })
		defer b.Stop()
		timedOut := func(i int) diagnose.Skip {
			c := failing(nameOf(i), b.upstream)
			c.TimedOut = true
			_, skip := b.Start(c)
			return skip
		}
		if got := timedOut(1); got != diagnose.Started {
			t.Fatalf("got %q", got)
		}
		synctest.Wait()
		if got := timedOut(2); got != diagnose.Silent {
			t.Errorf("another question: %q", got)
		}
		if n := b.probes.Load(); n != 3 {
			t.Errorf("%d probes, want the question and a control with EDNS and without", n)
		}
		time.Sleep(10 * time.Second)
		if got := timedOut(3); got != diagnose.Started {
			t.Errorf("ten seconds later: %q", got)
		}
	})
}

func TestAllStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		// As forward's transports, which end by their own time alone.
		b := newBench(1000, 4, nil, func(m *dns.Msg) (*dns.Msg, error) { <-release; return servfail(m) })
		ended, _ := b.Start(failing(nameOf(1), b.upstream))
		synctest.Wait()
		began := time.Now()
		b.Stop()
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		<-ended
		if n := b.ended.Load(); n != 0 {
			t.Error("a diagnosis that was cut off counts as one that ended")
		}
		if got := b.start(nameOf(2)); got != diagnose.Closing {
			t.Errorf("after the stop: %q", got)
		}
		close(release)
	})
}
