package diagnose_test

import (
	"context"
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
)

// pathRuledOut reports whether f lists the path as ruled out.
func pathRuledOut(f diagnose.Finding) bool {
	return slices.ContainsFunc(f.Seen, func(s string) bool { return strings.HasPrefix(s, "the path") })
}

// What the path loses and what the upstream drops look alike: the path alone is named only
// by what a rate limit cannot do.
func TestARateLimitThatDropsIsNotCalledThePath(t *testing.T) {
	const www = "www.example.org."
	ours := func(m *dns.Msg) bool { return m.Question[0].Name == www }
	overTCP := func(m *dns.Msg, tcp bool) *dns.Msg {
		if tcp {
			return answering(m, tcp)
		}
		return nil
	}
	first := func() func(m *dns.Msg, tcp bool) *dns.Msg {
		var lost atomic.Bool
		return func(m *dns.Msg, tcp bool) *dns.Msg {
			if ours(m) || m.RecursionDesired && !lost.Swap(true) {
				return nil
			}
			return answering(m, tcp)
		}
	}
	for _, tc := range []struct {
		name     string
		answer   func(m *dns.Msg, tcp bool) *dns.Msg
		answered uint64
		cause    string
		owner    cause.Owner
	}{
		{"UDP is lost, it answered before", overTCP, 20, "path_udp_lost", cause.Nobody},
		{"UDP is lost, it answered nothing ever", overTCP, 0, "path_udp_lost", cause.Nobody},
		{"one answer is lost", func(m *dns.Msg, tcp bool) *dns.Msg {
			if ours(m) && !tcp {
				return nil
			}
			return answering(m, tcp)
		}, 20, "path_answer_lost", cause.Nobody},
		{"one answer is lost where it is large", func(m *dns.Msg, tcp bool) *dns.Msg {
			if ours(m) && !tcp && m.IsEdns0().UDPSize() > dns.MinMsgSize {
				return nil
			}
			return answering(m, tcp)
		}, 20, "path_answer_lost", cause.Network},
		{"some are lost", first(), 20, "path_loses_packets", cause.Nobody},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := timedOut(question(www), new(counter).plain(tc.answer))
				c.Answered = func() uint64 { return tc.answered }
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
				if causeOf(f) != tc.cause || f.Verdict.Owner != tc.owner {
					t.Fatalf("got %s, %s", causeOf(f), f.Text)
				}
				both := strings.Contains(f.Text, "the upstream drops") || strings.Contains(f.Text, "or it drops some")
				if named := tc.owner == cause.Network; both == named || !named && !strings.Contains(f.Verdict.Advice, "rate limit") || !named && f.Verdict.Lasts == cause.Persistent {
					t.Errorf("%s: %s; %s; %s", f.Verdict.Owner, f.Text, f.Verdict.Lasts, f.Verdict.Advice)
				}
				if pathRuledOut(f) {
					t.Errorf("ruled out is %q", f.Seen)
				}
				if s := f.Verdict.Statements[0].Brief; len(s) > 180 {
					t.Errorf("%d octets will be cut: %s", len(s), s)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

// An answer to another question does not rule out the path to which this one was lost.
func TestAPathThatLosesPacketsIsNotRuledOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost atomic.Bool
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(question("www.example.org."), new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
			if !tcp && m.Question[0].Name != "." && !m.CheckingDisabled && !lost.Swap(true) {
				return nil
			}
			return answering(m, tcp)
		})))
		if f.Outcome != diagnose.Resolves || !strings.Contains(f.Text, "packets get lost") {
			t.Errorf("got %s, %s", causeOf(f), f.Text)
		}
		if slices.ContainsFunc(f.Seen, func(s string) bool { return strings.HasPrefix(s, "the path: ") }) {
			t.Errorf("ruled out is %q", f.Seen)
		}
		time.Sleep(10 * time.Second)
	})
}

// What does not listen refuses, and a filter drops: only silence names the path.
func TestATCPPortThatRefusesIsNotCalledThePath(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tc := range []struct {
		name  string
		err   error
		text  string
		owner cause.Owner
	}{
		{"refused", refused, "over TCP: connection refused; the upstream does not serve TCP, or a filter closes it", cause.Nobody},
		{"no connection", &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, "over TCP: no reply", cause.Network},
		{"connected and not answered", &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, "over TCP: no reply; the upstream does not serve TCP, or a filter", cause.Nobody},
		{"out of time", context.DeadlineExceeded, "over TCP: no reply", cause.Network},
	} {
		t.Run(tc.name, func(t *testing.T) {
			up := new(counter).plain(answering)
			up.TCP = func(context.Context, *dns.Msg) (*dns.Msg, error) { return nil, tc.err }
			up.Exchange = func(context.Context, *dns.Msg) (*dns.Msg, error) { return nil, &exchange.CutError{Err: tc.err} }
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("big.example.org."), up))
			if causeOf(f) != "path_tcp_closed" || f.Verdict.Owner != tc.owner || !strings.Contains(f.Text, tc.text) || pathRuledOut(f) {
				t.Errorf("got %s by %s, %s, ruled out is %q", causeOf(f), f.Verdict.Owner, f.Text, f.Seen)
			}
		})
	}
}

// A port that is closed is not called silent.
func TestAPortThatRefusesUDPIsNotCalledSilent(t *testing.T) {
	up := new(counter).plain(answering)
	up.UDP = func(context.Context, *dns.Msg) (*dns.Msg, error) {
		return nil, &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
	}
	up.Exchange = up.UDP
	c := failing(question("www.example.org."), up)
	c.Answered = func() uint64 { return 0 }
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	if causeOf(f) != "path_udp_lost" || f.Verdict.Owner != cause.Nobody || !strings.Contains(f.Text, "three questions over UDP failed (connection refused)") {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// over answers each question as the try says that it is, the last one for all that follow.
func over(tries ...error) diagnose.Exchange {
	var n atomic.Int64
	return func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		if err := tries[min(int(n.Add(1)), len(tries))-1]; err != nil {
			return nil, err
		}
		return answering(m, true), nil
	}
}

// One error of several is not taken for all.
func TestThePathIsBlamedByAllTries(t *testing.T) {
	lost := &net.OpError{Op: "read", Net: "udp", Err: os.ErrDeadlineExceeded}
	undialed := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	refused := &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
	unserved := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tc := range []struct {
		name  string
		up    diagnose.Resolver
		cause string
		owner cause.Owner
		says  string
	}{
		{"lost once, and refused twice", diagnose.Resolver{Exchange: over(lost, refused), TCP: over(nil)},
			"path_udp_lost", cause.Nobody, "three questions over UDP failed (no reply; connection refused), one over TCP was answered; the path loses UDP, or the upstream drops it (a rate limit) or does not serve it"},
		{"lost each time", diagnose.Resolver{Exchange: over(lost), TCP: over(nil)},
			"path_udp_lost", cause.Nobody, "three questions over UDP got no reply, one over TCP was answered; the path loses UDP, or the upstream drops it"},
		{"TCP is lost once, and refused twice", diagnose.Resolver{Exchange: over(undialed, unserved), UDP: over(nil), ByTCP: true},
			"path_tcp_closed", cause.Nobody, "three questions over TCP failed (no reply; connection refused), one over UDP was answered; the upstream does not serve TCP"},
		{"a refused question is not lost", diagnose.Resolver{Exchange: over(refused, nil), TCP: over(nil)},
			"undecided", "", "the same question for the root was answered once and failed (connection refused) once"},
		{"truncated, and only one try over TCP", diagnose.Resolver{Exchange: over(nil, &exchange.CutError{Err: undialed})},
			"undecided", "", "the answer over UDP is truncated; one try over TCP got no reply; no other was made"},
		{"truncated, and TCP is lost and refused", diagnose.Resolver{Exchange: over(nil, &exchange.CutError{Err: undialed}), TCP: over(unserved)},
			"path_tcp_closed", cause.Nobody, "two tries over TCP failed (no reply; connection refused)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.up.Name = "192.0.2.53:53"
			c := timedOut(question("www.example.org."), tc.up)
			c.Answered = func() uint64 { return 0 }
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
			if causeOf(f) != tc.cause || tc.owner != "" && f.Verdict.Owner != tc.owner || !strings.Contains(f.Text, tc.says) {
				t.Errorf("got %s by %s, %s", causeOf(f), f.Verdict.Owner, f.Text)
			}
		})
	}
}
