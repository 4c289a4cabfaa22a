package diagnose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

// outages are upstreams and paths at fault, by how many probes a diagnosis may cost.
var outages = []struct {
	name   string
	loss   float64
	answer func(m *dns.Msg) *dns.Msg
	most   float64
}{
	{"dead", 1, nil, 1.2},
	{"loses 30 % of the packets", 0.3, func(m *dns.Msg) *dns.Msg { return answering(m, false) }, 6.5},
	{"fails the root too", 0, func(m *dns.Msg) *dns.Msg { return rcode(m, dns.RcodeServerFailure) }, 2.2},
}

// What 50 names cost that fail one after the other, each once those before are over.
func TestWhatAnOutageCosts(t *testing.T) {
	const names = 50
	for _, tc := range outages {
		t.Run(tc.name, func(t *testing.T) {
			p := newPath(tc.loss)
			synctest.Test(t, func(t *testing.T) {
				c := new(counter)
				up := c.plain(func(m *dns.Msg, _ bool) *dns.Msg {
					if p.loses() {
						return nil
					}
					return tc.answer(m)
				})
				e := &diagnose.Engine{Now: time.Now}
				var took time.Duration
				for i := range names {
					of := timedOut(question(fmt.Sprintf("www.example%d.org.", i)), up)
					if tc.loss == 0 {
						of = failing(of.Question, up)
					}
					f := e.Diagnose(context.Background(), of)
					if blamed(f) {
						t.Errorf("got %s", causeOf(f))
					}
					took += f.Elapsed
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(10 * time.Second)
				each := float64(c.all()) / names
				t.Logf("| %s | %.1f | %.1f s |", tc.name, each, took.Seconds()/names)
				if each > tc.most {
					t.Errorf("%.2f probes a name, want at most %.2f", each, tc.most)
				}
			})
		})
	}
}

// While one diagnosis waits for a sign of life, others of the same upstream do not ask
// for another, and what was seen of it is in the words of all.
func TestNamesThatFailAtOnceInAnOutageShareItsProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(counter)
		up := c.plain(func(*dns.Msg, bool) *dns.Msg { return nil })
		r := diagnose.NewRunner(&diagnose.Engine{Now: time.Now}, 1000, 4, func(diagnose.Case, diagnose.Finding) {})
		defer r.Stop()
		var ended <-chan struct{}
		for i := range 20 {
			ch, skip := r.Start(timedOut(question(fmt.Sprintf("www.example%d.org.", i)), up))
			if want := map[bool]diagnose.Skip{true: diagnose.Started, false: diagnose.Silent}[i == 0]; skip != want {
				t.Fatalf("name %d: %q, want %q", i, skip, want)
			}
			if ended == nil {
				ended = ch
			} else if ch != ended {
				t.Fatalf("name %d has nothing to wait for", i)
			}
		}
		if _, ok := r.OfUpstream(timedOut(question("other.example."), up).Verdict); ok {
			t.Error("something is said of the upstream before it was seen")
		}
		<-ended
		v, ok := r.OfUpstream(timedOut(question("other.example."), up).Verdict)
		if !ok || v.Cause.ID != "upstream_timeout" || !strings.Contains(v.Text(), "does not answer for the root in time either, over UDP and TCP (found ") {
			t.Errorf("the next name has %+v", v)
		}
		if strings.Contains(v.Statements[0].Brief, "192.0.2.53") {
			t.Errorf("brief shows the address: %s", v.Statements[0].Brief)
		}
		time.Sleep(10 * time.Second)
		if _, ok := r.OfUpstream(v); ok {
			t.Error("it is still said after ten seconds")
		}
		if n := c.all(); n != 3 {
			t.Errorf("%d probes, want 3", n)
		}
	})
}

// An upstream may lose every other packet, or limit its rate: it is not silent.
func TestAnUpstreamThatAnswersSinceIsNotCalledSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(counter)
		up := c.plain(func(*dns.Msg, bool) *dns.Msg { return nil })
		r := diagnose.NewRunner(&diagnose.Engine{Now: time.Now}, 1000, 4, func(diagnose.Case, diagnose.Finding) {})
		defer r.Stop()
		before := time.Now()
		time.Sleep(time.Second)
		failed := timedOut(question("www.example.org."), up)
		ended, _ := r.Start(failed)
		time.Sleep(time.Second)
		during := time.Now()
		<-ended
		other := timedOut(question("other.example."), up).Verdict
		r.Answered(failed.Scope, failed.Question, other.Upstream, before)
		if _, ok := r.OfUpstream(other); !ok {
			t.Error("an older answer counts")
		}
		if v, _, ok := r.Lookup(failed.Scope, failed.Question); !ok || !strings.Contains(v.Text(), "root in time either") {
			t.Error("nothing is known of the question")
		}
		r.Answered(failed.Scope, failed.Question, other.Upstream, during)
		if _, ok := r.OfUpstream(other); ok {
			t.Error("it is called silent, though it answers")
		}
		if v, _, ok := r.Lookup(failed.Scope, failed.Question); ok {
			t.Errorf("the question has still %s", v.Text())
		}
		ended, skip := r.Start(timedOut(question("third.example."), up))
		if skip != diagnose.Started {
			t.Fatalf("it is left alone: %s", skip)
		}
		<-ended
	})
}

// An upstream that has shown life has each name diagnosed.
func TestAnUpstreamThatLivesHasEachNameDiagnosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
			if strings.HasPrefix(m.Question[0].Name, "www.") {
				return nil
			}
			return answering(m, tcp)
		})
		r := diagnose.NewRunner(&diagnose.Engine{Now: time.Now}, 1000, 4, func(diagnose.Case, diagnose.Finding) {})
		defer r.Stop()
		for _, name := range []string{"www.example.org.", "www.example.com."} {
			if _, skip := r.Start(timedOut(question(name), up)); skip != diagnose.Started {
				t.Errorf("%s: %q", name, skip)
			}
			synctest.Wait()
		}
		time.Sleep(20 * time.Second)
	})
}

// The rest of one way is no evidence: UDP that is lost is found within a minute of an
// outage on all ways.
func TestAfterAnOutageAPathThatLosesUDPIsStillFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := true
		up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
			if dead || !tcp {
				return nil
			}
			return answering(m, tcp)
		})
		e := &diagnose.Engine{Now: time.Now}
		f := e.Diagnose(context.Background(), timedOut(question("www.example.org."), up))
		dead = false
		if g := e.Diagnose(context.Background(), timedOut(question("www.example.org."), up)); f.Outcome != diagnose.Undecided || g.Outcome != diagnose.Undecided {
			t.Errorf("got %s, then %s", causeOf(f), causeOf(g))
		}
		time.Sleep(time.Minute)
		if f := e.Diagnose(context.Background(), timedOut(question("www.example.org."), up)); causeOf(f) != "path_udp_lost" {
			t.Errorf("got %s, %s", causeOf(f), f.Text)
		}
		time.Sleep(10 * time.Second)
	})
}
