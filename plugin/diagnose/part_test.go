package diagnose_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

// Only an upstream that fails whatever is under local leaves it to multicast DNS.
func TestANameUnderLocalIsToldFromAllOfThem(t *testing.T) {
	const name = "printer.corp.local."
	inLocal := func(m *dns.Msg) bool { return dns.IsSubDomain("local.", m.Question[0].Name) }
	for _, tc := range []struct {
		name    string
		fails   func(m *dns.Msg) bool
		private []string
		cause   string
	}{
		{"all names under local fail", inLocal, nil, "upstream_local_name"},
		{"this name alone fails", func(m *dns.Msg) bool { return m.Question[0].Name == name }, nil, "undecided"},
		{"one type of this name fails", func(m *dns.Msg) bool { return m.Question[0].Name == name && m.Question[0].Qtype == dns.TypeA }, nil, "only_one_type_fails"},
		{"a forward is there for the zone", inLocal, []string{"corp.local."}, "undecided"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
				if tc.fails(m) {
					return rcode(m, dns.RcodeServerFailure)
				}
				if strings.HasPrefix(m.Question[0].Name, "ede-") {
					return fetching(m, dns.RcodeNameError)
				}
				return fetching(m, dns.RcodeSuccess)
			})
			c := failing(question(name), up)
			c.Private = tc.private
			e := &diagnose.Engine{Now: time.Now, Private: []string{"local."}}
			if f := e.Diagnose(context.Background(), c); causeOf(f) != tc.cause {
				t.Errorf("got %s, %s; want %s", causeOf(f), f.Text, tc.cause)
			}
		})
	}
}

// A filter may be for a name of one label, too.
func TestARefusalOfASingleLabelNamesBothReasons(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if m.Question[0].Name == "db." {
			return rcode(m, dns.RcodeRefused)
		}
		return answering(m, tcp)
	})
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("db."), up))
	if causeOf(f) != "upstream_refuses_name" || !strings.Contains(f.Text, "perhaps it does not forward names of one label, or a filter") {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// A resolver to compare with that denies the name confirms what hides NXDOMAIN.
func TestWhoHidesNXDOMAINIsHeldAgainstAResolverThatSaysIt(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg { return hiding(m) })
	says := func(code int) []diagnose.Resolver {
		return []diagnose.Resolver{{Name: "192.0.2.54:53", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) { return rcode(m, code), nil }}}
	}
	for code, want := range map[int]bool{dns.RcodeNameError: true, dns.RcodeRefused: false} {
		e := &diagnose.Engine{Now: time.Now, Compare: says(code)}
		f := e.Diagnose(context.Background(), failing(question("nope.example.org."), up))
		if causeOf(f) != "upstream_hides_nxdomain" || strings.Contains(f.Text, "another resolver says NXDOMAIN") != want {
			t.Errorf("a resolver says %s: %s, %s", dns.RcodeToString[code], causeOf(f), f.Text)
		}
	}
}

// An access list that was changed looks like a limit.
func TestALimitIsNotToldFromANewAccessList(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg { return rcode(m, dns.RcodeRefused) })
	for n, want := range map[uint64]string{30: "upstream_rate_limit", 3: "undecided"} {
		c := failing(question("www.example.org."), up)
		c.Answered = func() uint64 { return n }
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
		if causeOf(f) != want || n == 30 && !strings.Contains(f.Text, "or a changed access list") {
			t.Errorf("after %d answers: %s, %s", n, causeOf(f), f.Text)
		}
	}
}
