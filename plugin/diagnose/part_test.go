package diagnose_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
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
				if madeUpName(m.Question[0].Name) {
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
		if causeOf(f) != want || n == 30 && !strings.Contains(f.Text, "a changed access list, or it forwards only other names") {
			t.Errorf("after %d answers: %s, %s", n, causeOf(f), f.Text)
		}
	}
}

// One that recurses for nobody answered for zones of its own, and refuses all else for ever.
func TestAnswersForItsOwnZonesMakeNoRateLimit(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
		r := new(dns.Msg).SetRcode(m, dns.RcodeRefused)
		if dns.IsSubDomain("example.net.", m.Question[0].Name) {
			r.Rcode, r.Authoritative = dns.RcodeSuccess, true
		}
		return r
	})
	c := failing(question("www.example.org."), up)
	c.Answered = func() uint64 { return 30 }
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, "zones that it serves") || !strings.Contains(f.Verdict.Advice, "is a resolver") {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// refusing is an upstream that refuses www.example.org as told.
func refusing(how func(m *dns.Msg, tcp bool) *dns.Msg) diagnose.Resolver {
	return new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if m.Question[0].Name == "www.example.org." {
			return how(m, tcp)
		}
		return answering(m, tcp)
	})
}

// says is another resolver that gives each name the same rcode, and AD if it validates.
func says(code int, validates bool) diagnose.Resolver {
	return diagnose.Resolver{Name: "192.0.2.54:53", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		r := rcode(m, code)
		r.AuthenticatedData = validates
		return r, nil
	}}
}

// What another resolver answers does not make a policy a fault, to be led around.
func TestAPolicyOfAnUpstreamIsNoFault(t *testing.T) {
	for _, code := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
		c := failing(question("www.example.org."), refusing(func(m *dns.Msg, _ bool) *dns.Msg { return rcode(m, dns.RcodeRefused) }))
		c.Others = []diagnose.Resolver{says(code, false)}
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
		if causeOf(f) != "upstream_refuses_name" || strings.Contains(f.Verdict.Advice, "failover") || f.Verdict.Lasts != cause.Persistent {
			t.Errorf("the other says %s: %s, %s", dns.RcodeToString[code], causeOf(f), f.Text)
		}
	}
	// One that refuses all has no policy for this name.
	c := failing(question("www.example.org."), new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg { return rcode(m, dns.RcodeRefused) }))
	c.Others = []diagnose.Resolver{says(dns.RcodeSuccess, false)}
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	if causeOf(f) != "upstream_at_fault" || f.Verdict.Lasts == cause.Transient || strings.Contains(f.Verdict.Advice, "failover") {
		t.Errorf("got %s, %+v", causeOf(f), f.Verdict)
	}
}

// A filter is blamed only for a name that is refused each time, and alone.
func TestARateLimitThatRefusesIsNoFilter(t *testing.T) {
	asked := 0
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("www.example.org."), refusing(func(m *dns.Msg, tcp bool) *dns.Msg {
		if asked++; asked > 1 {
			return answering(m, tcp)
		}
		return rcode(m, dns.RcodeRefused)
	})))
	if f.Outcome != diagnose.Resolves {
		t.Errorf("it is answered after the controls: %s, %s", causeOf(f), f.Text)
	}
	// One answer among refusals does not show that they have passed.
	asked = 0
	f = (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(question("www.example.org."), refusing(func(m *dns.Msg, tcp bool) *dns.Msg {
		if asked++; asked == 2 {
			return answering(m, tcp)
		}
		return rcode(m, dns.RcodeRefused)
	})))
	if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, "now and then REFUSED") || !strings.Contains(f.Verdict.Advice, "limits") {
		t.Errorf("it is refused again: %s, %s", causeOf(f), f.Text)
	}
	// Every second question is refused from the fourth on.
	asked = 0
	c := failing(question("www.example.org."), new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if asked++; m.Question[0].Name == "www.example.org." || asked > 4 {
			return rcode(m, dns.RcodeRefused)
		}
		return answering(m, tcp)
	}))
	c.Others = []diagnose.Resolver{says(dns.RcodeSuccess, false)}
	f = (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
	if f.Outcome != diagnose.Undecided || !strings.Contains(f.Text, "a rate limit may be the reason") || !strings.Contains(f.Verdict.Advice, "rate limit") {
		t.Errorf("a control is refused later: %s, %s", causeOf(f), f.Text)
	}
}

// A resolver that does not validate is no witness against one that does, with CD=1 too.
func TestWhoDoesNotValidateIsNoWitnessAgainstWhoDoes(t *testing.T) {
	for name, tc := range map[string]struct {
		validates, others bool // the upstream, and those that answer
		code              int
		cause             string
	}{
		"the upstream validates alone":          {true, false, dns.RcodeSuccess, "undecided"},
		"it validates alone, of no such name":   {true, false, dns.RcodeNameError, "undecided"},
		"both validate":                         {true, true, dns.RcodeSuccess, "upstream_at_fault"},
		"both validate, and there is no name":   {true, true, dns.RcodeNameError, "upstreams_differ"},
		"neither validates":                     {false, false, dns.RcodeSuccess, "upstream_at_fault"},
		"neither does, and there is no name":    {false, false, dns.RcodeNameError, "upstreams_differ"},
		"the other validates, the upstream not": {false, true, dns.RcodeSuccess, "upstream_at_fault"},
	} {
		t.Run(name, func(t *testing.T) {
			up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
				if dns.IsSubDomain("example.org.", m.Question[0].Name) {
					return rcode(m, dns.RcodeServerFailure)
				}
				if madeUp(m) {
					return fetching(m, dns.RcodeNameError)
				}
				r := answering(m, tcp)
				r.AuthenticatedData = tc.validates && !m.CheckingDisabled
				return r
			})
			for _, compared := range []bool{false, true} {
				c, e := failing(question("www.example.org."), up), &diagnose.Engine{Now: time.Now}
				if others := []diagnose.Resolver{says(tc.code, tc.others)}; compared {
					e.Compare = others
				} else {
					c.Others = others
				}
				want := tc.cause
				if compared && want == "upstreams_differ" {
					want = "undecided"
				}
				f := e.Diagnose(context.Background(), c)
				if causeOf(f) != want {
					t.Errorf("got %s, %s; want %s", causeOf(f), f.Text, want)
				}
				if tc.cause == "undecided" && (f.Verdict == nil || strings.Contains(f.Verdict.Advice, "failover")) {
					t.Errorf("the advice leads around a validation: %+v", f.Verdict)
				}
			}
		})
	}
}

// Where the top-level domain exists, one upstream may fail the zone and the other be right
// that it has no such name.
func TestWhoFailsAZoneNeedNotHaveItsNames(t *testing.T) {
	for zone, want := range map[string]cause.Owner{".": cause.Us, "example.org.": cause.Nobody} {
		c := failing(question("www.example.org."), new(counter).plain(func(m *dns.Msg, _ bool) *dns.Msg {
			switch name := m.Question[0].Name; {
			case dns.IsSubDomain("example.org.", name):
				return rcode(m, dns.RcodeServerFailure)
			case madeUpName(name):
				return fetching(m, dns.RcodeNameError)
			}
			return fetching(m, dns.RcodeSuccess)
		}))
		c.Others = []diagnose.Resolver{{Name: "192.0.2.54:53", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
			r := rcode(m, dns.RcodeNameError)
			r.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}, Ns: "ns.example.", Mbox: "hostmaster.example."}}
			return r, nil
		}}}
		f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
		if causeOf(f) != "upstreams_differ" || f.Verdict.Owner != want {
			t.Errorf("denied by %s: %s by %s, %s", zone, causeOf(f), f.Verdict.Owner, f.Text)
		}
	}
}

// A name that another resolver answers is not said to be missing.
func TestANameThatIsAnsweredElsewhereIsNotSaidToBeMissing(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if m.Question[0].Name != "." {
			return rcode(m, dns.RcodeServerFailure)
		}
		r := answering(m, tcp)
		r.AuthenticatedData = !m.CheckingDisabled
		return r
	})
	e := &diagnose.Engine{Now: time.Now, Compare: []diagnose.Resolver{says(dns.RcodeSuccess, false)}}
	if f := e.Diagnose(context.Background(), failing(question("www.example.org."), up)); f.Outcome != diagnose.Undecided {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}
