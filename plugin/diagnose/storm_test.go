package diagnose_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

// An upstream that a storm of queries keeps busy, perhaps of this server's own, refuses what
// it has no room for. That is no filter for the name that was asked.
func TestAStormOfQueriesIsNoPolicyForAName(t *testing.T) {
	const name = "www.example.org."
	const hurried = "the time is up before a made-up name is answered"
	const refused, failed, silent = dns.RcodeRefused, dns.RcodeServerFailure, -1
	for _, tc := range []struct {
		what                string
		root, madeUp, other int // what the root, a made-up name and another type of the name get
		later               int // what the root gets after its first two questions
		cause               string
		says                string
	}{
		{"a policy for the name", 0, dns.RcodeNameError, refused, 0, "upstream_refuses_name", "a filter blocks it"},
		{"a policy for the type", 0, dns.RcodeNameError, 0, 0, "only_one_type_fails", "it refuses the type A"},
		{"the root fails", failed, refused, refused, failed, "undecided", "failed one for the root"},
		{"the root fails later", 0, dns.RcodeNameError, refused, failed, "undecided", ""},
		{"a made-up name is refused", 0, refused, refused, 0, "undecided", "a made-up name is answered REFUSED"},
		{"a made-up name is refused, another type answered", 0, refused, 0, 0, "undecided", "a made-up name is answered REFUSED"},
		{"a made-up name fails", 0, failed, refused, 0, "undecided", "a made-up name is answered SERVFAIL"},
		{"a made-up name gets no reply", 0, silent, refused, 0, "undecided", "a made-up name gets no reply"},
		{hurried, 0, silent, refused, 0, "undecided", "there was no time to wait for the answer to a made-up name"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
					code := tc.root
					switch q := m.Question[0]; {
					case q.Name == name && q.Qtype == dns.TypeA:
						code = refused
					case q.Name == name:
						code = tc.other
					case madeUpName(q.Name):
						code = tc.madeUp
					default:
						if asked++; asked > 2 {
							code = tc.later
						}
					}
					if code == silent {
						return nil
					}
					return rcode(m, code)
				})
				ctx := t.Context()
				if tc.what == hurried {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second/2)
					defer cancel()
				}
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(ctx, failing(question(name), up))
				time.Sleep(10 * time.Second) // of the bubble's clock, for the query that nobody waits for
				if causeOf(f) != tc.cause || !strings.Contains(f.Text, tc.says) {
					t.Errorf("got %s, %s; want %s, %q", causeOf(f), f.Text, tc.cause, tc.says)
				}
				if f.Outcome == diagnose.Undecided && (f.Verdict.Owner == cause.Zone || slices.Contains(f.Verdict.Codes(), 18)) {
					t.Errorf("blamed is %s, codes %v", f.Verdict.Owner, f.Verdict.Codes())
				}
			})
		})
	}
}
