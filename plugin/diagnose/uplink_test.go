package diagnose_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// at is a resolver of that name, which answers at once.
func at(name string, answer func(m *dns.Msg) *dns.Msg) diagnose.Resolver {
	return diagnose.Resolver{Name: name, Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) { return answer(m), nil }}
}

// fetching answers as a resolver does that speaks DNSSEC, and got no signature: with the SOA
// of the zone that is asked, which does not have the record.
func fetching(m *dns.Msg, code int) *dns.Msg {
	r := rcode(m, code)
	r.SetEdns0(1232, true)
	zone := m.Question[0].Name
	if madeUpName(zone) {
		_, zone, _ = strings.Cut(zone, ".")
	}
	header := dns.RR_Header{Name: dns.Fqdn(zone), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}
	r.Ns = []dns.RR{&dns.SOA{Hdr: header, Ns: "ns.example.", Mbox: "hostmaster.example.", Minttl: 300}}
	return r
}

// madeUpName tells a name that no cache can have.
func madeUpName(name string) bool {
	label, _, _ := strings.Cut(name, ".")
	return strings.HasSuffix(label, "-ede")
}

// madeUp tells a question that no cache can answer.
func madeUp(m *dns.Msg) bool {
	q := m.Question[0]
	return madeUpName(q.Name) || q.Qtype >= 32770 && q.Qtype < 65280
}

// offline has lost its uplink: what it remembers it answers, the root always, and all else
// it fails.
func offline(remembers ...uint16) func(m *dns.Msg) *dns.Msg {
	return func(m *dns.Msg) *dns.Msg {
		q := m.Question[0]
		if q.Name == "." && !madeUp(m) || q.Name != "." && slices.Contains(remembers, q.Qtype) && !madeUp(m) {
			return fetching(m, dns.RcodeSuccess)
		}
		return rcode(m, dns.RcodeServerFailure)
	}
}

// online reaches the Internet, and fails what is under example.org.
func online(m *dns.Msg) *dns.Msg {
	if dns.IsSubDomain("example.org.", m.Question[0].Name) {
		return rcode(m, dns.RcodeServerFailure)
	}
	if madeUpName(m.Question[0].Name) {
		return fetching(m, dns.RcodeNameError)
	}
	return fetching(m, dns.RcodeSuccess)
}

// hiding is online, and says SERVFAIL for NXDOMAIN.
func hiding(m *dns.Msg) *dns.Msg {
	r := online(m)
	if r.Rcode == dns.RcodeNameError {
		return rcode(m, dns.RcodeServerFailure)
	}
	return r
}

// What an upstream that has lost its uplink still remembers clears neither it nor the path
// to the zone: the root, one type of a name.
func TestWhatAnUpstreamRemembersBlamesNobodyElse(t *testing.T) {
	second := func(answer func(*dns.Msg) *dns.Msg) []diagnose.Resolver {
		return []diagnose.Resolver{at("192.0.2.54:53", answer)}
	}
	denies := func(m *dns.Msg) *dns.Msg { return fetching(m, dns.RcodeNameError) }
	only := func(fails ...uint16) func(m *dns.Msg) *dns.Msg {
		return func(m *dns.Msg) *dns.Msg {
			if q := m.Question[0]; q.Name == "www.example.org." && slices.Contains(fails, q.Qtype) {
				return rcode(m, dns.RcodeServerFailure)
			}
			return fetching(m, dns.RcodeSuccess)
		}
	}
	for _, tc := range []struct {
		name    string
		failing func(*dns.Msg) *dns.Msg
		others  []diagnose.Resolver
		cause   string
		says    string
	}{
		{"two upstreams, both offline", offline(), second(offline()), "undecided", "the Internet"},
		{"two upstreams, the first offline", offline(), second(online), "undecided", "the Internet"},
		{"two upstreams, the second offline", online, second(offline()), "undecided", "none of these is seen to reach the Internet"},
		{"two upstreams, both online", online, second(online), "zone_at_fault", ""},
		{"one upstream, offline", offline(), nil, "undecided", "its connection to the Internet may be lost, or it answers SERVFAIL in place of NXDOMAIN"},
		{"one upstream hides NXDOMAIN", hiding, nil, "upstream_hides_nxdomain", ""},
		{"both hide NXDOMAIN", hiding, second(hiding), "upstream_hides_nxdomain", ""},
		{"one hides NXDOMAIN, another says it", hiding, second(denies), "upstream_hides_nxdomain", "another upstream says NXDOMAIN"},
		{"one offline, another says NXDOMAIN", offline(), second(denies), "upstream_at_fault", "or has lost its connection to the Internet"},
		{"one offline, another answers", offline(), second(only()), "upstream_at_fault", ""},
		{"another type is remembered", offline(dns.TypeAAAA), nil, "undecided", "the type AAAA is answered, without records, which it may remember"},
		{"one type fails", only(dns.TypeA), nil, "only_one_type_fails", "only the type A of the name fails"},
		{"what the name does not have fails", only(dns.TypeA, 65280), nil, "undecided", "perhaps all types fail that the name does not have"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := failing(question("www.example.org."), at("192.0.2.53:53", tc.failing))
			c.Others = tc.others
			f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), c)
			if causeOf(f) != tc.cause || !strings.Contains(f.Text, tc.says) {
				t.Errorf("got %s, %s; want %s, %q", causeOf(f), f.Text, tc.cause, tc.says)
			}
			if f.Outcome == diagnose.Undecided && f.Verdict.Owner == cause.Zone {
				t.Error("the zone is blamed")
			}
		})
	}
}

// Some names under local fail everywhere while nothing is fetched.
func TestANameUnderLocalIsNotJudgedOffline(t *testing.T) {
	e := &diagnose.Engine{Now: time.Now, Private: []string{"local."}}
	if f := e.Diagnose(context.Background(), failing(question("printer.local."), at("192.0.2.53:53", offline()))); causeOf(f) != "undecided" {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// The controls of uplinks are asked only where a blame rests on them, before and after the
// failure that it rests on.
func TestTheUplinkIsAskedForWhereABlameRestsOnIt(t *testing.T) {
	var mu sync.Mutex // the controls are asked at once
	asked := map[string]int{}
	counts := func(name string, answer func(*dns.Msg) *dns.Msg) diagnose.Resolver {
		return at(name, func(m *dns.Msg) *dns.Msg {
			if madeUp(m) && m.Question[0].Name != "." && dns.CountLabel(m.Question[0].Name) < 3 {
				if q := m.Question[0]; strings.HasSuffix(q.Name, "org.") {
					mu.Lock()
					asked[name]++
					mu.Unlock()
				}
			}
			return answer(m)
		})
	}
	e := &diagnose.Engine{Now: time.Now}
	for _, name := range []string{"a.example.org.", "b.example.org.", "c.example.org."} {
		c := failing(question(name), counts("192.0.2.53:53", online))
		c.Others = []diagnose.Resolver{counts("192.0.2.54:53", online)}
		if f := e.Diagnose(context.Background(), c); causeOf(f) != "zone_at_fault" {
			t.Errorf("got %s, %s", causeOf(f), f.Text)
		}
	}
	for name, n := range asked {
		if n > 3*3 {
			t.Errorf("%s was asked %d questions", name, n)
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked were %v", asked)
	}
	clear(asked)
	c := failing(question("a.example.net."), counts("192.0.2.55:53", only404("a.example.net.")))
	c.Others = []diagnose.Resolver{at("192.0.2.56:53", func(m *dns.Msg) *dns.Msg { return fetching(m, dns.RcodeSuccess) })}
	if f := e.Diagnose(context.Background(), c); causeOf(f) != "upstream_at_fault" || len(asked) > 0 {
		t.Errorf("got %s, and asked were %v", causeOf(f), asked)
	}
}

// What an upstream fetched before it lost its uplink is no proof after.
func TestAnOutageEndsWhatWasProved(t *testing.T) {
	clock, answer := now, online
	e := &diagnose.Engine{Now: func() time.Time { return clock }}
	up := func(name string) diagnose.Resolver {
		return at(name, func(m *dns.Msg) *dns.Msg { return answer(m) })
	}
	for _, want := range []string{"zone_at_fault", "undecided"} {
		c := failing(question("www.example.org."), up("192.0.2.53:53"))
		c.Others = []diagnose.Resolver{up("192.0.2.54:53")}
		if f := e.Diagnose(context.Background(), c); causeOf(f) != want {
			t.Errorf("got %s, %s; want %s", causeOf(f), f.Text, want)
		}
		clock, answer = clock.Add(time.Millisecond), offline()
	}
}

// only404 fails one name, and says NXDOMAIN for what does not exist.
func only404(name string) func(m *dns.Msg) *dns.Msg {
	return func(m *dns.Msg) *dns.Msg {
		switch {
		case m.Question[0].Name == name:
			return rcode(m, dns.RcodeServerFailure)
		case madeUp(m):
			return fetching(m, dns.RcodeNameError)
		}
		return fetching(m, dns.RcodeSuccess)
	}
}

// remembering answers with CD=1 from b what it has had for a while, and fetches nothing
// new. What fails tells fails at all times.
func remembering(b *bed.Bed, checked, fails func(q dns.Question) bool) diagnose.Resolver {
	exchange := b.Exchange()
	return diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		q := m.Question[0]
		if madeUp(m) || fails(q) || !m.CheckingDisabled && !checked(q) {
			return servfail(m)
		}
		r, err := exchange(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, section := range [][]dns.RR{r.Answer, r.Ns} {
			for i, rr := range section {
				section[i] = dns.Copy(rr)
				section[i].Header().Ttl -= 200
			}
		}
		return r, nil
	}}
}

// Without an uplink BIND and others answer with CD=1 what they remember, and fail with
// CD=0: neither their clock nor the zone is at fault for that.
func TestWhatIsRememberedWithCD1BlamesNeitherValidatorNorZone(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	q := question("www.valid.edetest.")
	root := func(q dns.Question) bool { return q.Name == "." }
	of := func(name string, qtype uint16) func(dns.Question) bool {
		return func(q dns.Question) bool { return q.Name == name && q.Qtype == qtype }
	}
	for name, up := range map[string]diagnose.Resolver{
		"the root's SOA is not remembered":   remembering(b, never, never),
		"the top-level domain's keys fail":   remembering(b, root, of("edetest.", dns.TypeDNSKEY)),
		"the delegation of the zone fails":   remembering(b, root, of("valid.edetest.", dns.TypeDS)),
		"the keys of the zone fail":          remembering(b, root, of("valid.edetest.", dns.TypeDNSKEY)),
		"its reason is about DNSSEC as well": saying(remembering(b, never, never), 9),
	} {
		f := engine(b).Diagnose(context.Background(), failing(q, up))
		if f.Outcome == diagnose.Explained && f.Verdict.Cause.ID != "upstream_ede" || slices.Contains(f.Verdict.Codes(), 6) {
			t.Errorf("%s: got %s, %s", name, causeOf(f), f.Text)
		}
		if f.Outcome == diagnose.Undecided && !strings.Contains(f.Text, "whether it reaches the Internet is not known") {
			t.Errorf("%s: %s", name, f.Text)
		}
	}
}

// saying is r with a reason for each SERVFAIL.
func saying(r diagnose.Resolver, code uint16) diagnose.Resolver {
	exchange := r.Exchange
	r.Exchange = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		reply, err := exchange(ctx, m)
		if err == nil && reply.Rcode == dns.RcodeServerFailure && !madeUp(m) {
			reply.SetEdns0(1232, true)
			o := reply.IsEdns0()
			o.Option = append(o.Option, &dns.EDNS0_EDE{InfoCode: code})
		}
		return reply, err
	}
	return r
}

// An upstream that answers other names well may never have had an uplink.
func TestGoodAnswersCountAgainstAnUpstreamThatResolvesNothing(t *testing.T) {
	clock, answered := now, uint64(12)
	e := &diagnose.Engine{Now: func() time.Time { return clock }}
	diagnoseAt := func(later time.Duration) diagnose.Finding {
		clock = clock.Add(later)
		c := failing(question("db.lab.corp.example.com."), at("192.0.2.53:53", func(m *dns.Msg) *dns.Msg { return rcode(m, dns.RcodeServerFailure) }))
		c.Answered = func() uint64 { return answered }
		return e.Diagnose(context.Background(), c)
	}
	for i, step := range []struct {
		later time.Duration
		more  uint64
		cause string
	}{
		{0, 0, "undecided"},
		{5 * time.Second, 0, "undecided"},
		{6 * time.Second, 3, "undecided"},
		{5 * time.Second, 0, "undecided"},
		{6 * time.Second, 0, "upstream_resolves_nothing"},
	} {
		answered += step.more
		if f := diagnoseAt(step.later); causeOf(f) != step.cause {
			t.Errorf("step %d: got %s, %s; want %s", i, causeOf(f), f.Text, step.cause)
		}
	}
	answered = 0
	e = &diagnose.Engine{Now: func() time.Time { return clock }}
	if f := diagnoseAt(0); causeOf(f) != "upstream_resolves_nothing" {
		t.Errorf("it has answered nothing yet: got %s, %s", causeOf(f), f.Text)
	}
}

// A zone whose own servers were asked and gave no reason is not at fault because two
// upstreams fail it.
func TestAZoneWhoseServersAnswerIsNotAtFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bed.New(t, now, bed.Case{Name: "unsigned", Before: bed.Unsigned})
		exchange := b.Exchange()
		up := func(name string) diagnose.Resolver {
			return diagnose.Resolver{Name: name, Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				if dns.IsSubDomain("unsigned.edetest.", m.Question[0].Name) {
					return servfail(m)
				}
				return exchange(ctx, m.Question[0])
			}}
		}
		c := failing(question("www.unsigned.edetest."), up("192.0.2.53:53"))
		c.Others = []diagnose.Resolver{up("192.0.2.54:53")}
		e := engine(b)
		if f := e.Diagnose(context.Background(), c); causeOf(f) != "zone_at_fault" {
			t.Errorf("its servers were not asked: got %s, %s", causeOf(f), f.Text)
		}
		e.Delegation = &delegation.Prober{Direct: b.Direct(700 * time.Millisecond), Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.53.0/24")}}
		f := e.Diagnose(context.Background(), c)
		if causeOf(f) != "undecided" || !strings.Contains(f.Text, "no fault of theirs was seen") ||
			!slices.Contains(f.Seen, "the zone: its name servers give no reason for the failure") {
			t.Errorf("got %s, %s; %q", causeOf(f), f.Text, f.Seen)
		}
	})
}
