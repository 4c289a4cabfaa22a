package diagnose_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

// Of an address that is several servers, one of which fails all that it gets, some made-up
// names are answered: then nothing is said of all of them, and no NXDOMAIN is hidden.
func TestAnAddressThatAnswersSomeMissingNamesHidesNone(t *testing.T) {
	remembers := func(m *dns.Msg, code int) *dns.Msg { return rcode(m, code) }
	for _, tc := range []struct {
		name     string
		answers  func(m *dns.Msg, code int) *dns.Msg
		answered func(m *dns.Msg) bool // a question that the good server gets
		others   []diagnose.Resolver
		says     string
	}{
		{"names of com are answered, with nothing fresh", remembers, below("com."), nil, "some names that cannot exist"},
		{"names of com are fetched", fetching, below("com."), nil, "some names that cannot exist"},
		{"names of org are fetched", fetching, below("org."), nil, "some names that cannot exist"},
		{"names of com are answered, and another says NXDOMAIN", remembers, below("com."), []diagnose.Resolver{says(dns.RcodeNameError, false)}, "some names that cannot exist"},
		{"types are answered, and no name", remembers, func(m *dns.Msg) bool { return !madeUpName(m.Question[0].Name) }, nil, "the root and unused types, which it may remember, and SERVFAIL for a name that cannot exist"},
		{"nothing is answered", remembers, func(*dns.Msg) bool { return false }, nil, "answers the root, which it may remember, and SERVFAIL for a name that cannot exist"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
					q := m.Question[0]
					switch {
					case q.Name == "." && !madeUp(m):
						return tc.answers(m, dns.RcodeSuccess)
					case dns.IsSubDomain("example.org.", q.Name), !tc.answered(m):
						return rcode(m, dns.RcodeServerFailure)
					case madeUpName(q.Name):
						return tc.answers(m, dns.RcodeNameError)
					}
					return tc.answers(m, dns.RcodeSuccess)
				})
				c := failing(question("www.example.org."), up)
				c.Others = tc.others
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
				if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, tc.says) || strings.Contains(f.Text, "all that it cannot know") {
					t.Errorf("got %s, %s; want undecided, %q", causeOf(f), f.Text, tc.says)
				}
			})
		})
	}
}

// below tells a made-up name in zone.
func below(zone string) func(m *dns.Msg) bool {
	return func(m *dns.Msg) bool {
		return madeUpName(m.Question[0].Name) && dns.IsSubDomain(zone, m.Question[0].Name)
	}
}
