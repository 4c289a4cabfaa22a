package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

var www = dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}

func says(rcode int) Ask {
	return func(context.Context, dns.Question) (*dns.Msg, error) {
		return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, RecursionAvailable: true, Rcode: rcode}}, nil
	}
}

func errs(err error) Ask {
	return func(context.Context, dns.Question) (*dns.Msg, error) { return nil, err }
}

func nothing(context.Context, dns.Question) (*dns.Msg, error) { return nil, nil }

func refers(context.Context, dns.Question) (*dns.Msg, error) {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true}}
	m.Ns = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET}, Ns: "a.root-servers.net."}}
	return m, nil
}

func TestCompare(t *testing.T) {
	ok, nx := says(dns.RcodeSuccess), says(dns.RcodeNameError)
	servfail, refused := says(dns.RcodeServerFailure), says(dns.RcodeRefused)
	timeout := errs(os.ErrDeadlineExceeded)
	tests := []struct {
		name    string
		failing Ask
		others  []Ask
		foreign bool // the others are no upstreams of the same forward
		verdict Verdict
		text    string
		advice  string
	}{
		{
			name: "another upstream answers", failing: servfail, others: []Ask{ok},
			verdict: UpstreamAtFault, text: "1 of 1 other resolvers answer where this upstream gives SERVFAIL",
			advice: "Add failover SERVFAIL to the forward block: another upstream in it answers this question.",
		},
		{
			name: "NXDOMAIN is no better answer", failing: servfail, others: []Ask{nx, servfail},
			verdict: Differ, text: "this upstream gives SERVFAIL, 1 of 2 others say that the name does not exist (NXDOMAIN)",
		},
		{
			name: "a resolver outside the forward answers", failing: servfail, others: []Ask{ok}, foreign: true,
			verdict: UpstreamAtFault, text: "1 of 1 other resolvers answer where this upstream gives SERVFAIL",
		},
		{
			name: "refused here, answered there", failing: refused, others: []Ask{ok},
			verdict: UpstreamAtFault, text: "1 of 1 other resolvers answer where this upstream gives REFUSED",
		},
		{
			name: "one answers, one fails, one is silent", failing: servfail, others: []Ask{timeout, servfail, ok},
			verdict: UpstreamAtFault, text: "1 of 3 other resolvers answer where this upstream gives SERVFAIL",
			advice: "Add failover SERVFAIL to the forward block: another upstream in it answers this question.",
		},
		{
			name: "all fail", failing: servfail, others: []Ask{servfail, servfail},
			verdict: ZoneAtFault, text: "2 of 2 other resolvers fail too, none answers",
		},
		{
			name: "one fails, one is silent", failing: servfail, others: []Ask{servfail, timeout},
			verdict: ZoneAtFault, text: "1 of 2 other resolvers fail too, none answers",
		},
		{
			name: "the others are silent", failing: servfail, others: []Ask{timeout, nothing},
			text: "no verdict from 2 other resolvers: 0 answer, 0 fail, 0 refuse, 2 give nothing usable",
		},
		{
			name: "the others refuse", failing: servfail, others: []Ask{refused, says(dns.RcodeNotImplemented)},
			text: "no verdict from 2 other resolvers: 0 answer, 0 fail, 2 refuse, 0 give nothing usable",
		},
		{
			name: "a referral is no answer", failing: servfail, others: []Ask{refers},
			text: "no verdict from 1 other resolvers: 0 answer, 0 fail, 1 refuse, 0 give nothing usable",
		},
		{
			name: "refused here, failing there", failing: refused, others: []Ask{servfail},
			text: "no verdict from 1 other resolvers: 0 answer, 1 fail, 0 refuse, 0 give nothing usable",
		},
		{
			name: "it answers when asked again", failing: ok, others: []Ask{ok, servfail},
			text: "the upstream answers when asked again",
		},
		{
			name: "it is silent when asked again", failing: timeout, others: []Ask{ok},
			text: "no verdict from 1 other resolvers: 1 answer, 0 fail, 0 refuse, 0 give nothing usable",
		},
		{name: "nobody to ask", failing: servfail, text: "no other resolver to ask"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var others []Resolver
			for i, a := range tt.others {
				others = append(others, Resolver{Name: fmt.Sprintf("192.0.2.%d:53", i+1), Ask: a, SameForward: !tt.foreign})
			}
			res := Compare(t.Context(), www, Resolver{Name: "192.0.2.99:53", Ask: tt.failing}, others)
			if res.Verdict != tt.verdict || res.Text != tt.text || res.Advice != tt.advice {
				t.Errorf("got %s %q advice %q\nwant %s %q advice %q", res.Verdict, res.Text, res.Advice, tt.verdict, tt.text, tt.advice)
			}
			if strings.Contains(res.Text, "192.0.2.") {
				t.Errorf("Text names a resolver: %q", res.Text)
			}
			if res.Queries != len(tt.others)+1 {
				t.Errorf("%d questions", res.Queries)
			}
		})
	}
}

func TestFullTextNamesWhoSaidWhat(t *testing.T) {
	res := Compare(t.Context(), www, Resolver{Name: "192.0.2.1:53", Ask: says(dns.RcodeServerFailure)}, []Resolver{
		{Name: "192.0.2.2:53", Ask: says(dns.RcodeSuccess)},
		{Name: "192.0.2.3:53", Ask: errs(errors.New("secret \x1b[31m text"))},
		{Name: "192.0.2.4:53", Ask: errs(os.ErrDeadlineExceeded)},
	})
	const want = "1 of 3 other resolvers answer where this upstream gives SERVFAIL (192.0.2.1:53: SERVFAIL; 192.0.2.2:53: NOERROR, 192.0.2.3:53: error, 192.0.2.4:53: timeout)"
	if res.FullText != want {
		t.Errorf("got %q\nwant %q", res.FullText, want)
	}
}

func TestValidatedTellsWhetherAnAnswerHadAD(t *testing.T) {
	validating := func(context.Context, dns.Question) (*dns.Msg, error) {
		return &dns.Msg{MsgHdr: dns.MsgHdr{AuthenticatedData: true}}, nil
	}
	for _, tt := range []struct {
		other Ask
		want  bool
	}{{validating, true}, {says(dns.RcodeSuccess), false}} {
		res := Compare(t.Context(), www, Resolver{Ask: says(dns.RcodeServerFailure)}, []Resolver{{Ask: tt.other}})
		if res.Validated != tt.want {
			t.Errorf("Validated is %v, want %v", res.Validated, tt.want)
		}
	}
}

func TestCompareIsParallelAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, asked atomic.Int32
		var mu sync.Mutex
		slow := func(context.Context, dns.Question) (*dns.Msg, error) {
			n := now.Add(1)
			mu.Lock()
			most.Store(max(most.Load(), n))
			mu.Unlock()
			asked.Add(1)
			time.Sleep(time.Second)
			now.Add(-1)
			return says(dns.RcodeServerFailure)(nil, www)
		}
		others := make([]Resolver, 50)
		for i := range others {
			others[i] = Resolver{Name: strings.Repeat("é", 200), Ask: slow}
		}
		start := time.Now()
		res := Compare(t.Context(), www, Resolver{Ask: slow}, others)
		if most.Load() != maxParallel || asked.Load() != maxOthers+1 || len(res.Others) != maxOthers {
			t.Errorf("%d at once, %d asked, %d votes", most.Load(), asked.Load(), len(res.Others))
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("nine questions, four at a time, took %v of the fake clock", took)
		}
		if len(res.Text) > maxText || len(res.FullText) > maxFullText || strings.ToValidUTF8(res.FullText, "") != res.FullText {
			t.Errorf("texts of %d and %d octets", len(res.Text), len(res.FullText))
		}
	})
}
