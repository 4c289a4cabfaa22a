package option

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var (
	always = Rule{Always: true}
	object = `{"c":["mailto:noc@example.org"],"j":"policy \"a\""}`
	// asking is a query with an EDE option.
	asking = Request{size: 1232, bits: hasOPT | hasEDE}
	// digging is one with AD set.
	digging = Request{size: 1232, bits: hasOPT | hasAD}
	// silent is one that shows no interest.
	silent = Request{size: 1232, bits: hasOPT | hasDO}
)

func TestOptionsGoToWhoShowsInterest(t *testing.T) {
	const servfail, refused = dns.RcodeServerFailure, dns.RcodeRefused
	for name, tc := range map[string]struct {
		rule  Rule
		rcode int
		req   Request
		want  Reason
	}{
		"SERVFAIL to AD":                       {Rule{}, servfail, digging, ""},
		"SERVFAIL to EDE":                      {Rule{}, servfail, asking, ""},
		"SERVFAIL to NSID":                     {Rule{}, servfail, Request{bits: hasOPT | hasNSID}, ""},
		"SERVFAIL to DO":                       {Rule{}, servfail, silent, NoInterest},
		"SERVFAIL to an OPT alone":             {Rule{}, servfail, Request{bits: hasOPT}, NoInterest},
		"SERVFAIL without OPT":                 {Rule{}, servfail, plainQuery, NoEDNS},
		"SERVFAIL where the network wants it":  {always, servfail, silent, ""},
		"SERVFAIL there, without OPT":          {always, servfail, plainQuery, NoEDNS},
		"REFUSED to AD":                        {Rule{}, refused, digging, ""},
		"REFUSED to DO":                        {Rule{}, refused, silent, ""},
		"REFUSED without OPT":                  {Rule{}, refused, plainQuery, NoEDNS},
		"REFUSED where the network wants it":   {always, refused, silent, ""},
		"an rcode that is not ede's, without":  {Rule{}, dns.RcodeNotImplemented, silent, NoInterest},
		"what is taken out changes nothing":    {Rule{DropUpstream: true, WithoutText: true}, servfail, silent, NoInterest},
		"what is taken out changes nothing, 2": {Rule{DropUpstream: true, WithoutText: true}, servfail, digging, ""},
	} {
		if got := tc.rule.Withholds(tc.rcode, tc.req); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestNotReadyIsNeverFirstWhereNobodyShowedInterest(t *testing.T) {
	for name, tc := range map[string]struct {
		rule     Rule
		rcode    int
		in, want []Option
	}{
		"14 alone":            {always, dns.RcodeServerFailure, []Option{{14, "not loaded", Local}}, []Option{{0, "not loaded", Local}, {14, "", Local}}},
		"an upstream's":       {always, dns.RcodeServerFailure, []Option{{14, "from upstream: x", Upstream}, {22, "y", Upstream}}, []Option{{0, "from upstream: x", Upstream}, {14, "", Upstream}, {22, "y", Upstream}}},
		"three":               {always, dns.RcodeServerFailure, []Option{{14, "a", Local}, {22, "b", Local}, {23, "c", Local}}, []Option{{0, "a", Local}, {14, "", Local}, {22, "b", Local}}},
		"a 0 behind it":       {always, dns.RcodeServerFailure, []Option{{14, "a", Local}, {0, "b", Local}, {23, "c", Local}}, []Option{{0, "a", Local}, {14, "", Local}, {23, "c", Local}}},
		"no text":             {always, dns.RcodeServerFailure, []Option{{14, "", Local}}, nil},
		"no text, others too": {always, dns.RcodeServerFailure, []Option{{14, "", Local}, {22, "", Local}}, nil},
		"14 second":           {always, dns.RcodeServerFailure, []Option{{22, "a", Local}, {14, "b", Local}}, []Option{{22, "a", Local}, {14, "b", Local}}},
		"REFUSED":             {always, dns.RcodeRefused, []Option{{14, "a", Local}}, []Option{{14, "a", Local}}},
		"who showed interest": {Rule{}, dns.RcodeServerFailure, []Option{{14, "a", Local}}, []Option{{14, "a", Local}}},
		"another code":        {always, dns.RcodeServerFailure, []Option{{23, "a", Local}}, []Option{{23, "a", Local}}},
		"nothing":             {always, dns.RcodeServerFailure, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(tc.in)
			for _, req := range []Request{silent, digging} {
				sameOptions(t, tc.rule.Suit(tc.in, tc.rcode, req), tc.want)
			}
			if !slices.Equal(before, tc.in) {
				t.Errorf("argument is now %v", tc.in)
			}
		})
	}
}

func TestWhereTheTextBeforeNotReadyDoesNotFitNothingIsSent(t *testing.T) {
	opts := always.Suit([]Option{{14, "zone example.org. is not loaded yet", Local}}, dns.RcodeServerFailure, silent)
	whole := bareLen + 2*emptyOption + len(opts[0].Text)
	for limit := bareLen - 1; limit <= whole+1; limit++ {
		got := codes(Attach(failure("example.org."), ednsQuery, limit, opts))
		switch {
		case limit >= whole && len(got) != 2, len(got) > 0 && (got[0].Code != 0 || got[0].Text == ""):
			t.Errorf("limit %d of %d: %v", limit, whole, got)
		}
	}
}

func TestAStructuredTextGoesOnlyToWhoAsksForEDE(t *testing.T) {
	in := []Option{{17, object, Upstream}, {15, "from upstream: filtered", Upstream}}
	sameOptions(t, Rule{}.Suit(in, dns.RcodeRefused, asking), in)
	sameOptions(t, always.Suit(in, dns.RcodeServerFailure, asking), in)
	for _, req := range []Request{digging, silent} {
		sameOptions(t, Rule{}.Suit(in, dns.RcodeRefused, req), in[1:])
		sameOptions(t, Rule{}.Suit(in[:1], dns.RcodeRefused, req), nil)
	}
	if in[0].Text != object || len(in) != 2 {
		t.Errorf("argument is now %v", in)
	}
}

func TestAStructuredTextGoesWholeOrNotAtAll(t *testing.T) {
	opts := Arrange([]Option{{17, object, Upstream}})
	whole := bareLen + emptyOption + len(object)
	sameOptions(t, codes(Attach(failure("example.org."), asking, whole, opts)), []Option{{Code: 17, Text: object}})
	sameOptions(t, codes(Attach(failure("example.org."), asking, whole-1, opts)), []Option{{Code: 17}})
	sameOptions(t, codes(Attach(failure("example.org."), asking, whole, []Option{{Code: 15, Text: strings.Repeat("x", 20)}, opts[0]})),
		[]Option{{Code: 15, Text: strings.Repeat("x", 20)}, {Code: 17}})
}

func TestSuitingMostOptionsAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { always.Suit(two, dns.RcodeServerFailure, digging) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLeaveTakesOutOnlyWhatTheRuleTakes(t *testing.T) {
	cookie := &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "00112233445566778899aabbccddeeff"}
	raw := &dns.EDNS0_LOCAL{Code: dns.EDNS0EDE, Data: []byte{0, 22, 'x'}}
	reply := func() *dns.Msg {
		m := failure("example.org.", ede(6, "bogus \"x\"\x1b"), cookie, ede(0, "why"), raw, ede(14, ""))
		m.Extra = append([]dns.RR{address("a.example.org.")}, append(m.Extra, tsig(""))...)
		return m
	}
	for name, tc := range map[string]struct {
		rule      Rule
		upstreams bool
		want      []dns.EDNS0 // nil where the reply itself leaves
	}{
		"as it is":                 {Rule{}, true, nil},
		"always":                   {always, true, nil},
		"drop":                     {Rule{DropUpstream: true}, true, []dns.EDNS0{cookie}},
		"no text":                  {Rule{WithoutText: true}, true, []dns.EDNS0{ede(6, ""), cookie, ede(0, "why"), &dns.EDNS0_LOCAL{Code: dns.EDNS0EDE, Data: []byte{0, 22}}, ede(14, "")}},
		"drop and no text":         {Rule{DropUpstream: true, WithoutText: true}, true, []dns.EDNS0{cookie}},
		"drop of a plugin's own":   {Rule{DropUpstream: true}, false, nil},
		"no text, of a plugin own": {Rule{WithoutText: true}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := reply()
			before := m.Copy()
			out := tc.rule.Leave(m, silent, tc.upstreams)
			if m.String() != before.String() {
				t.Fatalf("reply was changed:\n%v", m)
			}
			if tc.want == nil {
				if out != m {
					t.Errorf("a copy leaves: %v", out)
				}
				return
			}
			if got := types(out.Extra); out == m || !slices.Equal(got, []uint16{dns.TypeA, dns.TypeOPT, dns.TypeTSIG}) {
				t.Fatalf("additional section %v", got)
			}
			before.IsEdns0().Option = tc.want
			if out.String() != before.String() {
				t.Errorf("got\n%v\nwant\n%v", out, before)
			}
		})
	}
}

func TestLeaveTakesAnOPTFromAnAnswerToAQueryWithout(t *testing.T) {
	reply := failure("example.org.", ede(15, "by acl"))
	if out := (Rule{}).Leave(reply, plainQuery, false); optOf(out) != nil || optOf(reply) == nil {
		t.Errorf("got %v of %v", out, reply)
	}
	reply.Rcode = dns.RcodeBadCookie
	if out := (Rule{}).Leave(reply, plainQuery, false); out != reply {
		t.Error("an extended RCODE has lost its OPT")
	}
	plain := failure("example.org.")
	for _, req := range []Request{plainQuery, silent} {
		if out := (Rule{DropUpstream: true, WithoutText: true}).Leave(plain, req, true); out != plain {
			t.Errorf("a copy leaves: %v", out)
		}
	}
}

func TestAMessageOfAnotherServerIsKnownByItsOPT(t *testing.T) {
	theirs, _ := overTheWire(t, failure("example.org.", ede(22, "x")))
	if !Received(theirs) || !Received(theirs.Copy()) {
		t.Error("a received message is taken for one that was made here")
	}
	added := theirs.Copy()
	added.IsEdns0().Option = append(added.IsEdns0().Option, ede(15, ""))
	bare, _ := overTheWire(t, failure("example.org."))
	query, _ := overTheWire(t, queryWithOPT(1232, false, nsid()))
	echoed := failure("example.org.")
	echoed.Extra = []dns.RR{query.IsEdns0()}
	query.IsEdns0().Option = append(query.IsEdns0().Option, ede(15, ""))
	for name, m := range map[string]*dns.Msg{
		"nothing": nil, "made here": failure("example.org.", ede(22, "x")), "no OPT": bare,
		"an option added here": added, "the OPT of the query with an option added": echoed,
	} {
		if Received(m) {
			t.Errorf("%s is taken for the message of another server", name)
		}
	}
}
