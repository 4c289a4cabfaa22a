package promise_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// here is a server block for UDP and TCP.
func here(lines ...string) string {
	return ".:0 {\n bind 127.0.0.1\n " + strings.Join(lines, "\n ") + "\n}\n"
}

// interest is a query that shows interest in reasons, with an ID of its own.
func interest(name string) *dns.Msg {
	m := server.Message(name, dns.TypeA, server.EDNS())
	m.AuthenticatedData = true
	return m
}

const (
	asked   = 60
	allowed = 10
)

// A rate limiter lets as many answers out with ede as without, whatever they are,
// however it says that it dropped the rest, and whether it stands above a cache.
func TestARateLimiterIsNotDefeated(t *testing.T) {
	logs := server.Capture(t)
	for _, over := range []struct {
		name   string
		plugin func(*testing.T) string
	}{
		{"an answer", forwarding(upstream.Answer())},
		{"reasons", forwarding(reasoned())},
		{"a cached failure", forwarding(reasoned(), steady)},
	} {
		for _, what := range []string{"requests", "responses"} {
			for _, how := range []string{"error", "silent"} {
				limit := fmt.Sprintf("limiter %s %s %d", what, how, allowed)
				name := strings.ReplaceAll(fmt.Sprintf("%s-%s-%s.example.org.", what, how, over.name), " ", "-")
				t.Run(limit+" over "+over.name, func(t *testing.T) {
					t.Parallel()
					plugins := over.plugin(t)
					with := server.Start(t, here("errors", "ede {\n log summary 1s\n }", limit, plugins))
					stock := server.Start(t, here("errors", limit, plugins))
					got, want := flood(t, with, name), flood(t, stock, name)
					if want != allowed {
						t.Errorf("the limiter lets %d answers out without ede, want %d: this test has lost its point", want, allowed)
					}
					if got != want {
						t.Errorf("%d queries: %d answers with ede, %d without\nblock:\n%s\n%s", asked, got, want, limit, plugins)
					}
					toldOfDrops(t, logs, how, name)
				})
			}
		}
	}
}

// toldOfDrops expects a summary of drops that a plugin reported as an error, and
// nothing at all of the others: none is ever told in a line of its own.
func toldOfDrops(t *testing.T, logs *server.Logs, how, name string) {
	t.Helper()
	for _, line := range logs.Matching("qname=" + name) {
		if strings.Contains(line, "at=limiter") || strings.Contains(line, "sent=dropped") {
			t.Errorf("a drop has a line of its own: %s", line)
		}
	}
	summary := func(line string) bool {
		return strings.Contains(line, "plugin/ede: summary") && strings.Contains(line, "sent=dropped") && strings.Contains(line, "at=limiter")
	}
	if how == "error" {
		logs.WaitForFunc(t, summary, patience)
	}
}

// flood asks one name again and again and returns how many answers come.
func flood(t *testing.T, s *server.Server, name string) (n int) {
	t.Helper()
	all := make([]query, asked)
	for i := range all {
		all[i] = kind{name, func(name string) *dns.Msg { return interest(name) }}.query(t, name)
	}
	outcomes, err := overUDP(s, all, func(i int) int { return min(1, max(0, allowed-i)) })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		n += len(o.answers)
	}
	return n
}

// What wrote nothing and said that all is well wanted no answer, wherever it
// stands; and none is logged that had no error.
func TestADropLeavesNoTrace(t *testing.T) {
	logs := server.Capture(t)
	for i, plugins := range []string{
		"limiter requests silent 0\nerrors", "shape dropped NOERROR", steady + "shape dropped NOERROR", "firewall SERVFAIL drop\nshape written SERVFAIL",
		"acl {\n drop net 127.0.0.0/8\n }\nerrors", "erratic {\n drop 1\n delay 0\n }", "minimal\nshape dropped NOERROR",
	} {
		t.Run(plugins, func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, here("ede {\n log all\n }", plugins))
			name := fmt.Sprintf("trace%d.example.org.", i)
			if got := server.Datagrams(t, s.UDP(), interest(name), 0, 2*silence); len(got) != 0 {
				t.Errorf("got %v, want no answer", got)
			}
			if lines := logs.Matching(name); len(lines) != 0 {
				t.Errorf("a drop is logged: %q", lines)
			}
		})
	}
}

// An answer that a plugin writes after it has returned reaches the client of stock
// CoreDNS, over UDP and TCP.
func TestALateAnswerStillLeaves(t *testing.T) {
	server.Capture(t)
	for _, rcode := range []string{"SERVFAIL", "REFUSED", "NXDOMAIN", "NOERROR"} {
		t.Run(rcode, func(t *testing.T) {
			t.Parallel()
			with, stock := server.Start(t, here("ede", "hostile late "+rcode+" NOERROR")), server.Start(t, here("hostile late "+rcode+" NOERROR"))
			for _, k := range clients {
				q := k.query(t, "late.example.org.")
				want := server.Packets(t, stock.UDP(), q.m, 1, silence/10)
				got, err := late(with, q)
				if err != nil {
					t.Fatal(err)
				}
				if wrong := (rule{}).judge(q, expectation{all: want}, got, false); wrong != "" {
					t.Errorf("%s: %s\n%s\n%s", k.name, wrong, outcome{answers: want}.text("without ede"), outcome{answers: got}.text("with ede"))
					break
				}
			}
		})
	}
}

func late(s *server.Server, q query) ([][]byte, error) {
	outcomes, err := overUDP(s, []query{q}, func(int) int { return 0 })
	if err != nil || len(outcomes[0].answers) > 0 {
		return outcomes[0].answers, err
	}
	// On a busy machine it may take longer, and it is asked once more.
	outcomes, err = overUDP(s, []query{q}, func(int) int { return 1 })
	return outcomes[0].answers, err
}

// A plugin that writes two messages is its own fault, and ede makes nothing worse
// of it: at least one leaves, none that stock CoreDNS would not send, and a success
// that came first stays first.
func TestTwoMessagesOfOnePluginGetNoWorse(t *testing.T) {
	server.Capture(t)
	codes := []string{"SERVFAIL", "REFUSED", "NXDOMAIN", "NOERROR"}
	for _, first := range codes {
		for _, second := range codes {
			t.Run(first+" then "+second, func(t *testing.T) {
				t.Parallel()
				plugin := "hostile twice " + first + " " + second
				with, stock := server.Start(t, here("ede", plugin)), server.Start(t, here(plugin))
				for _, k := range clients {
					q := k.query(t, "twice.example.org.")
					want := server.Packets(t, stock.UDP(), q.m, 2, time.Millisecond)
					got := server.Packets(t, with.UDP(), q.m, 1, silence)
					wrong := ""
					if len(got) > len(want) {
						wrong = "more answers than without ede"
					}
					for i, wire := range got {
						if (rule{}).judge(q, expectation{choices: want}, [][]byte{wire}, false) != "" {
							wrong = fmt.Sprintf("answer %d is none of those without ede", i+1)
						}
					}
					if first == "NOERROR" && (rule{}).judge(q, expectation{all: want[:1]}, got[:1], false) != "" {
						wrong = "the success does not come first"
					}
					if wrong != "" {
						t.Errorf("%s: %s\n%s\n%s", k.name, wrong, outcome{answers: want}.text("without ede"), outcome{answers: got}.text("with ede"))
						break
					}
				}
			})
		}
	}
}
