package diagnose_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// An upstream that fails at random may answer once with CD=1 where it failed with CD=0: that
// it answers only with CD=1 takes more than one try of each.
func TestOneAnswerWithCD1IsNoSignOfAValidation(t *testing.T) {
	const only = "answers only with CD=1"
	for _, tc := range []struct {
		name    string
		fails   func(cd bool, try int) bool // counted from 1
		special bool
		cause   string
		says    string
	}{
		{"it validates", func(cd bool, _ int) bool { return !cd }, false, "undecided", only},
		{"it validates a private name", func(cd bool, _ int) bool { return !cd }, true, "upstream_own_zone", "answered only with CD=1"},
		{"it fails with CD=1 later", func(cd bool, try int) bool { return !cd || try > 2 }, false, "undecided", "of 3 tries with CD=1 it answered 2, and of 3 with CD=0 0"},
		{"it answers with CD=0 later", func(cd bool, try int) bool { return !cd && try < 4 }, false, "undecided", "of 3 tries with CD=1 it answered 3, and of 3 with CD=0 1"},
		{"it fails a private name now and then", func(cd bool, try int) bool { return !cd || try > 2 }, true, "undecided", "does not answer alike"},
		{"it answers all from now on", func(cd bool, try int) bool { return !cd && try < 3 }, false, "resolves", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := bed.New(t, now, bed.Case{Name: "valid"})
			exchange, q := b.Exchange(), question("www.valid.edetest.")
			var mu sync.Mutex
			tries := make(map[bool]int)
			up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				if m.Question[0] == q {
					mu.Lock()
					defer mu.Unlock()
					if tries[m.CheckingDisabled]++; tc.fails(m.CheckingDisabled, tries[m.CheckingDisabled]) {
						return servfail(m)
					}
				}
				return exchange(ctx, m.Question[0])
			}}
			e := engine(b)
			if tc.special {
				e.Private = []string{"edetest."}
			}
			f := e.Diagnose(context.Background(), failing(q, up))
			if causeOf(f) != tc.cause || !strings.Contains(f.Text, tc.says) || strings.Contains(f.Text, only) && tc.says != only {
				t.Errorf("got %s, %s; want %s, %q", causeOf(f), f.Text, tc.cause, tc.says)
			}
		})
	}
}

// Nor is it one of signatures that something strips, though the root fails once as well.
func TestAFailureAtRandomIsNoSignOfStrippedSignatures(t *testing.T) {
	for name, tc := range map[string]struct {
		fails func(cd bool, try int) bool
		cause string
	}{
		"it validates":                 {func(cd bool, _ int) bool { return !cd }, "dnssec_stripped"},
		"it fails with CD=1 later":     {func(cd bool, try int) bool { return !cd || try > 2 }, "undecided"},
		"it answers with CD=0 at last": {func(cd bool, try int) bool { return !cd && try < 4 }, "undecided"},
	} {
		t.Run(name, func(t *testing.T) {
			q := question("www.example.org.")
			var mu sync.Mutex
			tries := make(map[bool]int)
			up := at("192.0.2.53:53", func(m *dns.Msg) *dns.Msg {
				mu.Lock()
				defer mu.Unlock()
				fails := !m.CheckingDisabled
				if m.Question[0] == q {
					tries[m.CheckingDisabled]++
					fails = tc.fails(m.CheckingDisabled, tries[m.CheckingDisabled])
				}
				if fails {
					return rcode(m, dns.RcodeServerFailure)
				}
				return fetching(m, dns.RcodeSuccess)
			})
			e := engine(bed.New(t, now, bed.Case{Name: "valid"}))
			if f := e.Diagnose(context.Background(), failing(q, up)); causeOf(f) != tc.cause {
				t.Errorf("got %s, %s; want %s", causeOf(f), f.Text, tc.cause)
			}
		})
	}
}

// The same holds for other ways to ask: an upstream that fails at random answers one of them.
func TestOneAnswerInAnotherWayShowsNothingOfTheWay(t *testing.T) {
	const www = "www.example.org."
	once := func(is func(m *dns.Msg) bool) func(*dns.Msg) bool {
		seen := false
		return func(m *dns.Msg) bool {
			first := is(m) && !seen
			seen = seen || is(m)
			return first
		}
	}
	another := func(m *dns.Msg) bool { return m.Question[0].Qtype == dns.TypeAAAA }
	for name, answers := range map[string]func(m *dns.Msg) bool{
		"the DO bit":            func(m *dns.Msg) bool { return m.IsEdns0() != nil && !setsDO(m) && m.Question[0].Name == www },
		"another type":          another,
		"another type, refused": another,
	} {
		code := dns.RcodeServerFailure
		if strings.HasSuffix(name, "refused") {
			code = dns.RcodeRefused
		}
		for _, always := range []bool{false, true} {
			answers := answers
			if !always {
				answers = once(answers)
			}
			c := failing(question(www), new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
				if m.Question[0].Name == www && m.Question[0].Qtype < 32770 && !answers(m) {
					return rcode(m, code)
				}
				if madeUpName(m.Question[0].Name) {
					return fetching(m, dns.RcodeNameError)
				}
				return fetching(m, dns.RcodeSuccess)
			}))
			c.DNSSECOK = name == "the DO bit"
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
			if varies := strings.Contains(f.Text, "was not seen to do the same each time"); varies == always || !always && f.Outcome != diagnose.Undecided {
				t.Errorf("%s, always %v: %s, %s", name, always, causeOf(f), f.Text)
			}
		}
	}
}

// Nor one without EDNS, of an upstream that drops queries at random.
func TestOneAnswerWithoutEDNSDoesNotBlameEDNS(t *testing.T) {
	for _, once := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			answered := false
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(question("www.example.org."), new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
				if m.Question[0].Name != "." && (m.IsEdns0() != nil || once && answered) {
					return nil
				}
				answered = answered || m.Question[0].Name != "."
				return answering(m, tcp)
			})))
			if blames := strings.Contains(f.Verdict.Advice, "drops queries with EDNS"); blames == once {
				t.Errorf("once %v: %s, %s", once, f.Text, f.Verdict.Advice)
			}
			time.Sleep(10 * time.Second)
		})
	}
}

// EDNS is the reason for a failure only where it goes without.
func TestAFailureWithoutEDNSTooIsNotPutDownToEDNS(t *testing.T) {
	for name, tc := range map[string]struct {
		code func(edns bool, try int) int
		edns bool
	}{
		"with EDNS alone": {func(edns bool, _ int) int {
			return map[bool]int{true: dns.RcodeNotImplemented, false: dns.RcodeServerFailure}[edns]
		}, true},
		"without it too": {func(bool, int) int { return dns.RcodeNotAuth }, false},
		"now and then": {func(_ bool, try int) int {
			return []int{dns.RcodeServerFailure, dns.RcodeNotImplemented}[try%2]
		}, false},
	} {
		try := 0
		up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
			try++
			return rcode(m, tc.code(m.IsEdns0() != nil, try))
		})
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("www.example.org."), up))
		if f.Outcome != diagnose.Undecided || strings.Contains(f.Verdict.Advice, "does not take EDNS") != tc.edns {
			t.Errorf("%s: %s, %s; %s", name, causeOf(f), f.Text, f.Verdict.Advice)
		}
	}
}
