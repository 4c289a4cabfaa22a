package diagnose_test

import (
	"context"
	"net/netip"
	"os"
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
)

func setsDO(m *dns.Msg) bool { return m.IsEdns0() != nil && m.IsEdns0().Do() }

// Controls have EDNS and the DO bit: an upstream that gives no reply to those is not silent.
func TestAnUpstreamThatAnswersWithoutEDNSIsNotCalledSilent(t *testing.T) {
	for _, tc := range []struct {
		name  string
		drops func(m *dns.Msg) bool
		says  []string
	}{
		{"EDNS", func(m *dns.Msg) bool { return m.IsEdns0() != nil }, []string{"without EDNS, and gives no reply with EDNS", "answered NOERROR without EDNS"}},
		{"DO", setsDO, []string{"gives no reply if the DO bit is set"}},
		{"EDNS, and the name fails too", func(m *dns.Msg) bool { return m.IsEdns0() != nil || m.Question[0].Name != "." }, []string{"gets no reply without EDNS either"}},
		{"EDNS over UDP", func(m *dns.Msg) bool { return m.IsEdns0() != nil }, []string{"no reply with EDNS"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
					if tc.drops(m) && !(tcp && strings.Contains(tc.name, "UDP")) {
						return nil
					}
					return answering(m, tcp)
				})
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(question("www.example.org."), up))
				if f.Outcome != diagnose.Undecided || f.Silent || strings.Contains(f.Text, "root in time either") {
					t.Errorf("got %s, silent %v: %s", causeOf(f), f.Silent, f.Text)
				}
				for _, want := range tc.says {
					if !strings.Contains(f.Text, want) {
						t.Errorf("got %q, want %q", f.Text, want)
					}
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

func TestAFailureThatTheDOBitDecidesIsTold(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if setsDO(m) && m.Question[0].Name != "." {
			return rcode(m, dns.RcodeServerFailure)
		}
		return answering(m, tcp)
	})
	c := failing(question("www.example.org."), up)
	c.DNSSECOK = true
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, "answered without the DO bit") {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

func TestAnUpstreamThatTakesNoEDNSIsTold(t *testing.T) {
	for _, code := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented} {
		up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
			if m.IsEdns0() != nil {
				return rcode(m, code)
			}
			return rcode(m, dns.RcodeServerFailure)
		})
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("www.example.org."), up))
		if want := "asked with EDNS, it answers " + dns.RcodeToString[code] + ", and without EDNS SERVFAIL"; f.Outcome != diagnose.Undecided || f.Text != want {
			t.Errorf("got %s, %q, want %q", causeOf(f), f.Text, want)
		}
		if strings.Contains(f.Verdict.Advice, "With diagnose") {
			t.Errorf("a diagnosis advises to diagnose: %s", f.Verdict.Advice)
		}
	}
}

// Of several servers at one address one may fail.
func TestAnUpstreamThatFailsNowAndThenHasNotRecovered(t *testing.T) {
	for name, fails := range map[string]func(n int64) bool{
		"every other time": func(n int64) bool { return n%2 == 0 },
		"no more":          func(int64) bool { return false },
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
				if fails(asked.Add(1)) {
					return rcode(m, dns.RcodeServerFailure)
				}
				return answering(m, tcp)
			})
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("www.example.org."), up))
			if passed := name == "no more"; passed != (f.Outcome == diagnose.Resolves) || passed == strings.Contains(f.Text, "now and then") {
				t.Errorf("got %s, %s", causeOf(f), f.Text)
			}
		})
	}
}

// What is answered in another way shows where to look.
func TestATypeThatGetsNoReplyIsToldFromTheName(t *testing.T) {
	for name, tc := range map[string]struct {
		drops func(m *dns.Msg) bool
		says  string
	}{
		"a type":    {func(m *dns.Msg) bool { return m.Question[0].Qtype == dns.TypeAAAA }, "the type A of the name is answered"},
		"with EDNS": {func(m *dns.Msg) bool { return m.Question[0].Name != "." && m.IsEdns0() != nil }, "without EDNS this question is answered"},
		"the name":  {func(m *dns.Msg) bool { return m.Question[0].Name != "." }, "and not this question in time"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
					if tc.drops(m) {
						return nil
					}
					return answering(m, tcp)
				})
				q := question("www.example.org.")
				q.Qtype = dns.TypeAAAA
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(q, up))
				if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, tc.says) {
					t.Errorf("got %s, %s", causeOf(f), f.Text)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

// A reply that forward does not take is not lost on the way.
func TestRepliesFromElsewhereAreNotCalledLost(t *testing.T) {
	other := netip.MustParseAddrPort("192.0.2.99:53")
	for _, tc := range []struct {
		name    string
		tcp     bool
		heard   func(m *dns.Msg) (exchange.Heard, error)
		outcome string
		owner   cause.Owner
		says    string
	}{
		{"another address", true, func(m *dns.Msg) (exchange.Heard, error) {
			return exchange.Heard{Reply: m, From: other, Elsewhere: true}, nil
		}, "path_udp_lost", cause.Nobody, "come from another address than the one that is asked: 192.0.2.99:53"},
		{"another address, and no TCP", false, func(m *dns.Msg) (exchange.Heard, error) {
			return exchange.Heard{Reply: m, From: other, Elsewhere: true}, nil
		}, "undecided", cause.Upstream, "come from another address"},
		{"another ID", true, func(m *dns.Msg) (exchange.Heard, error) {
			r := m.Copy()
			r.Id++
			return exchange.Heard{Reply: r}, nil
		}, "path_udp_lost", cause.Upstream, "have another ID than the query"},
		{"nothing", true, func(*dns.Msg) (exchange.Heard, error) { return exchange.Heard{}, os.ErrDeadlineExceeded }, "path_udp_lost", cause.Nobody, "got no reply"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
					if !tcp || !tc.tcp {
						return nil
					}
					return answering(m, tcp)
				})
				up.Anywhere = func(_ context.Context, m *dns.Msg) (exchange.Heard, error) { return tc.heard(m) }
				c := timedOut(question("www.example.org."), up)
				c.Answered = func() uint64 { return 0 }
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
				if causeOf(f) != tc.outcome || f.Verdict.Owner != tc.owner || !strings.Contains(f.Text, tc.says) {
					t.Errorf("got %s, %s: %s", causeOf(f), f.Verdict.Owner, f.Text)
				}
				if strings.Contains(f.Verdict.Statements[0].Brief, "192.0.2.") {
					t.Errorf("brief shows an address: %s", f.Verdict.Statements[0].Brief)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

// An upstream to which there is no way has not been asked.
func TestAnUpstreamWithoutARouteIsNotCalledSilent(t *testing.T) {
	none := func(context.Context, *dns.Msg) (*dns.Msg, error) {
		return nil, os.NewSyscallError("connect", syscall.ENETUNREACH)
	}
	up := diagnose.Resolver{Name: "[2001:db8::53]:53", Exchange: none, UDP: none, TCP: none}
	c := failing(question("www.example.org."), up)
	c.Verdict = cause.Diagnosed(c.Verdict, "upstream_unreachable", nil, "", "", "")
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	said := f.Text + "; " + strings.Join(f.Seen, "; ")
	if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, "no route to the upstream") || strings.Contains(said, "does not answer") || strings.Contains(said, "in time") {
		t.Errorf("got %s, %s", causeOf(f), said)
	}
}

// One that refuses was not waited for, over one transport or two.
func TestAnUpstreamThatRefusesIsNotCalledLate(t *testing.T) {
	refused := func(context.Context, *dns.Msg) (*dns.Msg, error) {
		return nil, os.NewSyscallError("read", syscall.ECONNREFUSED)
	}
	for _, up := range []diagnose.Resolver{
		{Name: "192.0.2.53:53", Exchange: refused, UDP: refused, TCP: refused},
		{Name: "192.0.2.53:853", Exchange: refused},
	} {
		c := failing(question("www.example.org."), up)
		c.Verdict = cause.Diagnosed(c.Verdict, "upstream_unreachable", nil, "", "", "")
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
		said := f.Text + "; " + strings.Join(f.Seen, "; ")
		if f.Outcome != diagnose.Undecided || strings.Count(said, "refuses the connection for the root too") != 2 || strings.Contains(said, "in time") || strings.Contains(said, "does not answer") {
			t.Errorf("%s: got %s, %s", up.Name, causeOf(f), said)
		}
	}
}
