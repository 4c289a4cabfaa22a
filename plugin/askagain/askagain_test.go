package askagain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
	"github.com/seed-1b7246af/coredns-ede/test/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

var bare = cause.Classify(&evidence.Evidence{
	Rcode: dns.RcodeServerFailure, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, NoEDNS: true, Reply: evidence.Reply{Written: true, RecursionAvailable: true},
})

// failure is one of the question number n that is asked again with ask.
func failure(n int, ask func(*dns.Msg) (*dns.Msg, error)) Failure {
	name := fmt.Sprintf("host%d.example.org.", n)
	return Failure{
		Of:       remarks.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET, Rcode: dns.RcodeServerFailure},
		Question: dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}, RecursionDesired: true,
		Upstream: "192.0.2.53:53", Verdict: bare,
		Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) { return ask(m) },
	}
}

// reply fails with rcode and codes, with an OPT unless there are none.
func reply(rcode int, codes ...uint16) func(*dns.Msg) (*dns.Msg, error) {
	return func(m *dns.Msg) (*dns.Msg, error) {
		r := new(dns.Msg).SetRcode(m, rcode)
		if codes == nil {
			return r, nil
		}
		r.SetEdns0(1232, false)
		for _, code := range codes {
			r.IsEdns0().Option = append(r.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code, ExtraText: "said"})
		}
		return r, nil
	}
}

// answers collects what an Asker hears.
type answers struct {
	mu  sync.Mutex
	all []Answer
}

func (a *answers) add(answer Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, answer)
}

func (a *answers) results() []Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Result
	for _, answer := range a.all {
		all = append(all, answer.Result)
	}
	return all
}

func newAsker(perSecond int) (*Asker, *answers) {
	heard := new(answers)
	return New(remarks.New(1000, time.Now), perSecond, heard.add), heard
}

func TestWhatComesOfAskingAgain(t *testing.T) {
	for name, test := range map[string]struct {
		ask  func(*dns.Msg) (*dns.Msg, error)
		want Result
	}{
		"the same failure with a reason":      {reply(dns.RcodeServerFailure, 9), Reason},
		"with a reason in addition to 13":     {reply(dns.RcodeServerFailure, 13, 22), Reason},
		"with 13 alone":                       {reply(dns.RcodeServerFailure, 13), NoReason},
		"with an OPT and no reason":           {reply(dns.RcodeServerFailure, []uint16{}...), NoReason},
		"without an OPT":                      {reply(dns.RcodeServerFailure), NoEDNS},
		"an answer":                           {reply(dns.RcodeSuccess), Resolves},
		"an answer with a reason":             {reply(dns.RcodeNameError, 15), Resolves},
		"another failure, with its reason":    {reply(dns.RcodeRefused, 18), Differs},
		"FORMERR":                             {reply(dns.RcodeFormatError), NoEDNS},
		"NOTIMP":                              {reply(dns.RcodeNotImplemented), NoEDNS},
		"BADVERS":                             {reply(dns.RcodeBadVers, 0), NoEDNS},
		"nothing":                             {func(*dns.Msg) (*dns.Msg, error) { return nil, errors.New("timeout") }, NoReply},
		"FORMERR with an OPT and with a code": {reply(dns.RcodeFormatError, 9), NoEDNS},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, heard := newAsker(50)
				defer a.Stop()
				f := failure(1, test.ask)
				if skip := a.Ask(f); skip != Asked {
					t.Fatalf("skipped: %s", skip)
				}
				synctest.Wait()
				if got := heard.results(); !slices.Equal(got, []Result{test.want}) {
					t.Errorf("got %v, want %s", got, test.want)
				}
				if _, ok := a.Heard(f.Of); ok != (test.want == Reason) {
					t.Errorf("a reason is remembered: %v", ok)
				}
				if a.Wants(f.Of) {
					t.Error("it would be asked once more")
				}
				time.Sleep(life)
				if !a.Wants(f.Of) {
					t.Error("it would never be asked again")
				}
			})
		})
	}
}

func TestTheQueryIsThatOfTheUpstreamWithAnOPT(t *testing.T) {
	f := failure(1, nil)
	f.Question.Name, f.RecursionDesired, f.CheckingDisabled = "WWW.example.org.", false, true
	m := f.query()
	opt := m.IsEdns0()
	if opt == nil || opt.UDPSize() != 1232 || opt.Do() || len(opt.Option) != 0 || opt.Version() != 0 {
		t.Fatalf("OPT %v", opt)
	}
	if !m.AuthenticatedData || m.RecursionDesired || !m.CheckingDisabled || m.Response || m.Opcode != dns.OpcodeQuery || len(m.Extra) != 1 ||
		len(m.Question) != 1 || m.Question[0] != f.Question {
		t.Errorf("%v", m)
	}
}

func TestOneQueryForEachQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, heard := newAsker(50)
		defer a.Stop()
		release := make(chan struct{})
		slow := failure(1, func(m *dns.Msg) (*dns.Msg, error) { <-release; return reply(dns.RcodeServerFailure, 9)(m) })
		a.Ask(slow)
		synctest.Wait()
		if a.Wants(slow.Of) || a.Ask(slow) != Waiting {
			t.Error("it is asked twice at once")
		}
		close(release)
		synctest.Wait()
		if n := len(heard.results()); n != 1 || a.Wants(slow.Of) {
			t.Errorf("%d answers, wanted again: %v", n, a.Wants(slow.Of))
		}
	})
}

// The budget, at its limit: however many fail, in no second are more asked.
func TestNoMoreAreAskedASecondThanTheRate(t *testing.T) {
	for _, perSecond := range []int{1, 50, 400} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := newAsker(perSecond)
			defer a.Stop()
			var mu sync.Mutex
			var times []time.Time
			for n := range maxWaiting {
				a.Ask(failure(n, func(m *dns.Msg) (*dns.Msg, error) {
					mu.Lock()
					times = append(times, time.Now())
					mu.Unlock()
					return reply(dns.RcodeServerFailure, 9)(m)
				}))
			}
			time.Sleep(20 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			if want := min(20*perSecond, maxWaiting); len(times) < want {
				t.Errorf("%d asked within 20 s, want at least %d", len(times), want)
			}
			for i := range times {
				if i+perSecond < len(times) && times[i+perSecond].Sub(times[i]) < time.Second-time.Microsecond {
					t.Fatalf("more than %d are asked within a second: %v", perSecond, times[i+perSecond].Sub(times[i]))
				}
			}
		})
	}
}

func TestWhatWaitsAndWhatIsUnderWayIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAsker(1000)
		var mu sync.Mutex
		now, most := 0, 0
		hang := func(m *dns.Msg) (*dns.Msg, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-a.ctx.Done()
			return nil, a.ctx.Err()
		}
		for n := range maxAtOnce {
			a.Ask(failure(n, hang))
		}
		time.Sleep(time.Second)
		taken, skipped := 0, 0
		for n := range 2 * maxWaiting {
			switch a.Ask(failure(1000+n, hang)) {
			case Asked:
				taken++
			case OverRate:
				skipped++
			}
		}
		synctest.Wait()
		if taken != maxWaiting || skipped != maxWaiting || most != maxAtOnce {
			t.Errorf("%d wait, %d do not, %d are under way; want %d, %d, %d", taken, skipped, most, maxWaiting, maxWaiting, maxAtOnce)
		}
		a.Stop()
		if a.Ask(failure(9999, hang)) != Closing {
			t.Error("it asks after its end")
		}
		if len(a.waiting) != 0 {
			t.Errorf("%d wait after the end", len(a.waiting))
		}
	})
}

func TestAFullForwardIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, heard := newAsker(50)
		defer a.Stop()
		full := true
		f := failure(1, func(m *dns.Msg) (*dns.Msg, error) {
			if full {
				t.Error("it is asked")
			}
			return reply(dns.RcodeServerFailure, 9)(m)
		})
		f.Full = func() bool { return full }
		a.Ask(f)
		synctest.Wait()
		if !a.Wants(f.Of) {
			t.Error("it counts as asked")
		}
		full = false
		a.Ask(f)
		time.Sleep(time.Second)
		if got := heard.results(); !slices.Equal(got, []Result{Full, Reason}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestAnUpstreamThatCannotTellIsLeftAlone(t *testing.T) {
	for want, test := range map[time.Duration]func(*dns.Msg) (*dns.Msg, error){
		restWithoutEDNS: reply(dns.RcodeFormatError),
		restOfSilence:   func(*dns.Msg) (*dns.Msg, error) { return nil, errors.New("timeout") },
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := newAsker(50)
			defer a.Stop()
			a.Ask(failure(1, test))
			synctest.Wait()
			if skip := a.Ask(failure(2, test)); skip != Resting {
				t.Errorf("got %q", skip)
			}
			time.Sleep(want)
			if skip := a.Ask(failure(2, test)); skip != Asked {
				t.Errorf("after %v: %q", want, skip)
			}
			synctest.Wait()
		})
	}
	a, _ := newAsker(50)
	for n := range 3 * maxResting {
		a.rest(fmt.Sprint(n), time.Hour)
	}
	if len(a.resting) > maxResting {
		t.Errorf("%d upstreams are remembered", len(a.resting))
	}
}

func TestWhatResolvesAgainIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, heard := newAsker(50)
		defer a.Stop()
		f := failure(1, reply(dns.RcodeServerFailure, 9))
		a.Ask(f)
		synctest.Wait()
		a.Succeeded(f.Of, []string{f.Of.Upstream})
		if _, ok := a.Heard(f.Of); ok || !a.Wants(f.Of) {
			t.Error("it is remembered")
		}
		// What is under way when the name resolves is of a failure that is over.
		release := make(chan struct{})
		f.Exchange = func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
			<-release
			return reply(dns.RcodeServerFailure, 9)(m)
		}
		a.Ask(f)
		time.Sleep(time.Second)
		a.Succeeded(f.Of, []string{f.Of.Upstream})
		close(release)
		synctest.Wait()
		if _, ok := a.Heard(f.Of); ok || len(heard.results()) != 1 {
			t.Error("a reason that came too late is remembered")
		}
	})
}

func TestAPanicEndsOneQuestionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, heard := newAsker(50)
		defer a.Stop()
		broken := failure(1, func(*dns.Msg) (*dns.Msg, error) { panic("for a test") })
		a.Ask(broken)
		a.Ask(failure(2, reply(dns.RcodeServerFailure, 9)))
		time.Sleep(time.Second)
		if got := heard.results(); !slices.Equal(got, []Result{Reason}) {
			t.Errorf("got %v", got)
		}
		if a.Wants(broken.Of) {
			t.Error("what panicked is asked again at once")
		}
	})
}

func TestNobodyAsksWhereNobodyMay(t *testing.T) {
	var a *Asker
	q := failure(1, nil).Of
	if _, ok := a.Heard(q); ok || a.Wants(q) {
		t.Error("no Asker asks")
	}
	a.Succeeded(q, []string{""})
	a.Continue(nil)
	a.Stop()
}

func TestAReasonIsOfTheUpstreamThatGaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAsker(50)
		defer a.Stop()
		f := failure(1, reply(dns.RcodeServerFailure, 9))
		f.Of.Upstream = f.Upstream
		a.Ask(f)
		synctest.Wait()
		other := f.Of
		other.Upstream = "192.0.2.54:53"
		if _, ok := a.Heard(other); ok || !a.Wants(other) {
			t.Error("it is told of another upstream")
		}
		if _, ok := a.Heard(f.Of); !ok {
			t.Error("it is not remembered")
		}
		a.Succeeded(remarks.Question{Name: f.Of.Name, Qtype: f.Of.Qtype, Qclass: f.Of.Qclass}, []string{other.Upstream, f.Upstream})
		if _, ok := a.Heard(f.Of); ok {
			t.Error("it is remembered, though the name resolves")
		}
	})
}

func TestAnAnswerWithoutValidationForgetsNoReasonOfAFailureWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newAsker(50)
		defer a.Stop()
		f := failure(1, reply(dns.RcodeServerFailure, 9))
		a.Ask(f)
		synctest.Wait()
		unvalidated := f.Of
		unvalidated.CD = true
		a.Succeeded(unvalidated, []string{""})
		if _, ok := a.Heard(f.Of); !ok {
			t.Error("it is forgotten")
		}
	})
}
