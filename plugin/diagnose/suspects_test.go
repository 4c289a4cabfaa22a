package diagnose_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// asked counts what an upstream is asked over both transports.
type counter struct{ udp, tcp atomic.Int64 }

func (c *counter) all() int64 { return c.udp.Load() + c.tcp.Load() }

// plain is an upstream in plain DNS that answers as it is told to, or not at all for
// two seconds.
func (c *counter) plain(answer func(m *dns.Msg, tcp bool) *dns.Msg) diagnose.Resolver {
	over := func(n *atomic.Int64, tcp bool) diagnose.Exchange {
		return func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
			n.Add(1)
			if r := answer(m, tcp); r != nil {
				return r, nil
			}
			time.Sleep(2 * time.Second)
			return nil, os.ErrDeadlineExceeded
		}
	}
	r := diagnose.Resolver{Name: "192.0.2.53:53", UDP: over(&c.udp, false), TCP: over(&c.tcp, true)}
	r.Exchange = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		reply, err := r.UDP(ctx, m)
		if err != nil || !reply.Truncated {
			return reply, err
		}
		if reply, err = r.TCP(ctx, m); err != nil {
			return nil, &exchange.CutError{Err: err}
		}
		return reply, nil
	}
	return r
}

func answering(m *dns.Msg, _ bool) *dns.Msg {
	r := new(dns.Msg).SetReply(m)
	r.RecursionAvailable = true
	return r
}

func rcode(m *dns.Msg, code int) *dns.Msg {
	r := new(dns.Msg).SetRcode(m, code)
	r.RecursionAvailable = true
	return r
}

// causeOf is what a finding names: the cause, or the outcome.
func causeOf(f diagnose.Finding) string {
	if f.Outcome != diagnose.Explained {
		return f.Outcome.String()
	}
	return f.Verdict.Cause.ID
}

// namesWhomItRulesOut reports whether f lists a suspect as ruled out that it names.
func namesWhomItRulesOut(f diagnose.Finding) bool {
	suspects := map[cause.Owner]string{cause.Us: "this server", cause.Network: "the path", cause.Upstream: "the upstream", cause.Zone: "the zone"}
	return f.Outcome == diagnose.Explained && slices.ContainsFunc(f.Seen, func(s string) bool {
		suspect, ok := suspects[f.Verdict.Owner]
		return ok && (strings.HasPrefix(s, suspect+":") || strings.HasPrefix(s, suspect+", not ruled out:"))
	})
}

func TestThePathIsToldFromTheUpstream(t *testing.T) {
	const www = "www.example.org."
	ours := func(m *dns.Msg) bool { return m.Question[0].Name == www }
	for _, tc := range []struct {
		name   string
		answer func(m *dns.Msg, tcp bool) *dns.Msg
		cause  string
		most   int64 // probes
	}{
		{"nothing answers", func(*dns.Msg, bool) *dns.Msg { return nil }, "undecided", 3},
		{"UDP is lost", func(m *dns.Msg, tcp bool) *dns.Msg {
			if !tcp {
				return nil
			}
			return answering(m, tcp)
		}, "path_udp_lost", 5},
		{"TCP is lost, and the answer truncated", func(m *dns.Msg, tcp bool) *dns.Msg {
			if tcp {
				return nil
			}
			r := answering(m, tcp)
			r.Truncated = ours(m)
			return r
		}, "path_tcp_closed", 7},
		{"one answer is lost over UDP", func(m *dns.Msg, tcp bool) *dns.Msg {
			if ours(m) && !tcp {
				return nil
			}
			return answering(m, tcp)
		}, "path_answer_lost", 9},
		{"it answers nothing for which it asks others", func(m *dns.Msg, tcp bool) *dns.Msg {
			if m.RecursionDesired {
				return nil
			}
			return answering(m, tcp)
		}, "undecided", 6},
		{"this question alone has no reply", func(m *dns.Msg, tcp bool) *dns.Msg {
			if ours(m) {
				return nil
			}
			return answering(m, tcp)
		}, "undecided", 10},
		{"it answers now", answering, "resolves", 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := new(counter)
				e := &diagnose.Engine{Now: time.Now}
				f := e.Diagnose(context.Background(), timedOut(question(www), c.plain(tc.answer)))
				if got := causeOf(f); got != tc.cause {
					t.Errorf("got %s, %s", got, f.Text)
				}
				if namesWhomItRulesOut(f) {
					t.Errorf("%s is by %s, and ruled out is %q", causeOf(f), f.Verdict.Owner, f.Seen)
				}
				time.Sleep(10 * time.Second)
				if n := c.all(); n > tc.most {
					t.Errorf("%d probes, want at most %d", n, tc.most)
				}
				if f.Outcome == diagnose.Undecided && (f.Verdict == nil || f.Verdict.Cause.ID != "upstream_timeout" || !strings.Contains(f.Verdict.Text(), f.Text)) {
					t.Errorf("what was seen is not in the words: %+v", f.Verdict)
				}
			})
		})
	}
}

// The transports may fail in different ways, and no suspect reads as ruled out that was
// not.
func TestWhatIsSilentIsSaidByTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := new(counter).plain(func(*dns.Msg, bool) *dns.Msg { return nil })
		up.TCP = func(context.Context, *dns.Msg) (*dns.Msg, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(question("www.example.org."), up))
		if want := "the upstream does not answer for the root either, over UDP: no reply, over TCP: connection refused"; f.Text != want {
			t.Errorf("got %q, want %q", f.Text, want)
		}
		if len(f.Seen) == 0 || slices.ContainsFunc(f.Seen, func(s string) bool { return !strings.Contains(s, ", not ruled out: ") }) {
			t.Errorf("ruled out are %q", f.Seen)
		}
	})
}

// What an upstream answered serves all names for half a minute; an outage is found
// with two probes a name then, and with none of the answers before it is over.
func TestControlsAreSharedBetweenNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, broken := new(counter), true
		up := c.plain(func(m *dns.Msg, tcp bool) *dns.Msg {
			if broken {
				return rcode(m, dns.RcodeServerFailure)
			}
			return answering(m, tcp)
		})
		r := diagnose.NewRunner(&diagnose.Engine{Now: time.Now}, 1000, 4, func(diagnose.Case, diagnose.Finding) {})
		defer r.Stop()
		probes := func(name string) int64 {
			before := c.all()
			ended, _ := r.Start(failing(question(name), up))
			<-ended
			return c.all() - before
		}
		if n := probes("a.example.org."); n > 4 {
			t.Errorf("%d probes for the first name", n)
		}
		for _, name := range []string{"b.example.org.", "c.example.org."} {
			if n := probes(name); n > 2 {
				t.Errorf("%s: %d probes", name, n)
			}
		}
		v, _, ok := r.Lookup(failing(question("b.example.org."), up).Scope, question("b.example.org."))
		if !ok || v.Cause.ID != "upstream_resolves_nothing" {
			t.Errorf("found %+v", v)
		}
		// It recovers, and fails one name only.
		r.Succeeded(failing(question("b.example.org."), up).Scope, question("b.example.org."))
		broken = false
		only := c.plain(func(m *dns.Msg, tcp bool) *dns.Msg {
			if m.Question[0].Name == "d.example.org." {
				return rcode(m, dns.RcodeServerFailure)
			}
			return answering(m, tcp)
		})
		ended, _ := r.Start(failing(question("d.example.org."), only))
		<-ended
		if v, _, _ := r.Lookup(failing(question("d.example.org."), only).Scope, question("d.example.org.")); v != nil && v.Cause.ID == "upstream_resolves_nothing" {
			t.Error("what it answered before it recovered counts")
		}
		synctest.Wait()
	})
}

// An upstream of private names alone need not resolve the root.
func TestAServerOfPrivateNamesNeedNotResolveTheRoot(t *testing.T) {
	c := failing(question("db.corp.example."), new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg { return rcode(m, dns.RcodeServerFailure) }))
	c.Private = []string{"corp.example."}
	if f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c); f.Outcome != diagnose.Undecided {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// A root that cannot be judged here convicts no upstream's validator.
func TestAnAnchorThatFitsNothingConvictsNobody(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	other := bed.New(t, now, bed.Case{Name: "valid"})
	exchange := b.Exchange()
	up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if !m.CheckingDisabled {
			return servfail(m)
		}
		return exchange(ctx, m.Question[0])
	}}
	e := engine(other)
	if f := e.Diagnose(context.Background(), failing(question("valid.edetest."), up)); causeOf(f) == "upstream_validator" || blamed(f) && f.Verdict.Owner == "zone" {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// An upstream's validator is named only if the top-level domain was answered SERVFAIL as the
// root was. No reply is no answer.
func TestTheValidatorIsNamedOnlyByAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bed.New(t, now, bed.Case{Name: "valid"})
		exchange := b.Exchange()
		for name, below := range map[string]func(*dns.Msg) (*dns.Msg, error){
			"SERVFAIL": servfail,
			"no reply": func(*dns.Msg) (*dns.Msg, error) { return nil, context.DeadlineExceeded },
			"REFUSED":  func(m *dns.Msg) (*dns.Msg, error) { return new(dns.Msg).SetRcode(m, dns.RcodeRefused), nil },
		} {
			up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				switch {
				case m.CheckingDisabled:
					return exchange(ctx, m.Question[0])
				case m.Question[0].Name == "edetest.":
					return below(m)
				}
				return servfail(m)
			}}
			f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), up))
			if named := causeOf(f) == "upstream_validator"; named != (name == "SERVFAIL") {
				t.Errorf("%s: got %s, %s", name, causeOf(f), f.Text)
			}
		}
	})
}

// A finding that names the upstream does not list it as ruled out; what is said of the
// path stays.
func TestWhoIsNamedIsNotRuledOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bed.New(t, now, bed.Case{Name: "valid"})
		exchange := b.Exchange()
		up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
			if !m.CheckingDisabled {
				return servfail(m)
			}
			return exchange(ctx, m.Question[0])
		}}
		f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), up))
		if causeOf(f) != "upstream_validator" || namesWhomItRulesOut(f) || !slices.ContainsFunc(f.Seen, func(s string) bool { return strings.HasPrefix(s, "the path: ") }) {
			t.Errorf("got %s, and ruled out is %q", causeOf(f), f.Seen)
		}
	})
}

// The table of the documentation has every suspect, in the order of the code.
func TestTheTableOfSuspectsIsThatOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/diagnosis.md")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, name := range diagnose.Suspects() {
		i := strings.Index(string(text)[at:], "\n| "+name+" |")
		if i < 0 {
			t.Fatal(errors.New("docs/diagnosis.md lacks " + name + ", or it stands elsewhere"))
		}
		at += i
	}
}
