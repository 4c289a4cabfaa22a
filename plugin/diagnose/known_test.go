package diagnose

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

func TestWhatIsKnownIsBounded(t *testing.T) {
	r := NewRunner(&Engine{Now: time.Now}, 1, 1, nil)
	defer r.Stop()
	v := &cause.Verdict{Cause: cause.ByID("zone_at_fault")}
	for i := range 4 * maxKnown {
		name := fmt.Sprintf("n%d.zone%d.example.", i, i)
		r.remember(Case{}, key{question: dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}},
			Finding{Outcome: Explained, Verdict: v, Zone: name[len(fmt.Sprintf("n%d.", i)):], Cut: true})
	}
	for what, n := range map[string]int{"questions": r.known.Len(), "zones": r.zones.Len()} {
		if n > maxKnown || n < maxKnown/2 {
			t.Errorf("%d %s are known, want at most %d and about as many", n, what, maxKnown)
		}
	}
}

// silenceOf is a runner that knows of a question that its upstream does not answer.
func silenceOf(t *testing.T, upstream string) (r *Runner, remember func(), k key) {
	t.Helper()
	r = NewRunner(&Engine{Now: time.Now}, 1, 1, nil)
	t.Cleanup(r.Stop)
	k = key{question: dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}
	v := &cause.Verdict{Cause: cause.ByID("upstream_timeout")}
	return r, func() {
		r.remember(Case{Failing: Resolver{Name: upstream}}, k, Finding{Outcome: Undecided, Verdict: v, Silent: true, Elapsed: time.Second})
	}, k
}

func TestAnAnswerOfAnotherUpstreamBreaksNoSilence(t *testing.T) {
	const dead = "192.0.2.53:53"
	for _, answers := range []string{"192.0.2.54:53", "", dead} {
		r, remember, k := silenceOf(t, dead)
		remember()
		r.Answered(k.scope, k.question, answers, time.Now())
		_, _, known := r.Lookup(k.scope, k.question)
		_, silent := r.silent[dead]
		if want := answers != dead; known != want || silent != want {
			t.Errorf("%q answers: the finding is known %v, the upstream is silent %v", answers, known, silent)
		}
	}
}

func TestAnAnsweringUpstreamIsNotTakenForTheSilenceOfNone(t *testing.T) {
	r, _, k := silenceOf(t, "")
	v := &cause.Verdict{Cause: cause.ByID("upstream_at_fault")}
	r.remember(Case{Failing: Resolver{Name: "192.0.2.53:53"}}, k, Finding{Outcome: Explained, Verdict: v})
	r.Answered(k.scope, k.question, "", time.Now())
	if _, _, known := r.Lookup(k.scope, k.question); !known {
		t.Error("a finding that rests on no silence is forgotten")
	}
}

// What succeeds is known of no more, whatever is told of its upstream at the same time.
func TestNothingComesBackThatASuccessForgot(t *testing.T) {
	const up = "192.0.2.53:53"
	r, remember, k := silenceOf(t, up)
	for range 20_000 {
		remember()
		var both sync.WaitGroup
		both.Go(func() { r.Answered(k.scope, k.question, up, time.Now()) })
		both.Go(func() { r.Succeeded(k.scope, k.question) })
		both.Wait()
		if r.known.Len() != 0 || !r.Quiet() {
			t.Fatalf("%d questions are known, quiet %v", r.known.Len(), r.Quiet())
		}
	}
}
