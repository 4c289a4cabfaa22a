package compare

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// server answers by name; what it does not know it refuses.
type server map[string]Ask

func (s server) ask(ctx context.Context, q dns.Question) (*dns.Msg, error) {
	if a := s[q.Name]; a != nil {
		return a(ctx, q)
	}
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: dns.RcodeRefused}}, nil
}

func owner(name string) Ask {
	return func(_ context.Context, q dns.Question) (*dns.Msg, error) {
		m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}}
		m.Answer = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET}}}
		return m, nil
	}
}

func TestControl(t *testing.T) {
	ok, timeout := says(dns.RcodeSuccess), errs(os.ErrDeadlineExceeded)
	limited := says(dns.RcodeRefused) // with RA
	tests := []struct {
		name    string
		server  server
		hint    string
		kind    ControlKind
		codes   []uint16
		text    string
		queries int
	}{
		{
			name: "authoritative only", server: server{"example.org.": owner("example.org.")}, hint: "Example.ORG",
			kind: NotRecursive, codes: []uint16{20}, text: "answers with authority for its own zone and refuses recursion", queries: 3,
		},
		{
			name: "authoritative only, with upward referrals", server: server{"example.org.": owner("example.org."), ".": refers, "arpa.": refers}, hint: "example.org.",
			kind: NotRecursive, codes: []uint16{20}, text: "answers with authority for its own zone and refuses recursion", queries: 3,
		},
		{
			name: "an ACL, overload or a server for other zones", server: server{}, hint: "example.org.",
			kind: RefusesAll, text: "refuses questions for the root too: an access list, overload, or no recursion at all", queries: 3,
		},
		{
			name: "the same without a hint", server: server{},
			kind: RefusesAll, text: "refuses questions for the root too: an access list, overload, or no recursion at all", queries: 2,
		},
		{
			name: "a resolver, by what it says", server: server{".": limited, "arpa.": limited},
			kind: RefusesAll, text: "refuses questions for the root too, and says that it recurses: an access list, a limit, or its load", queries: 2,
		},
		{
			name: "authority for the zone above the hint shows nothing of it", server: server{"sub.example.org.": owner("example.org.")}, hint: "sub.example.org.",
			kind: RefusesAll, text: "refuses questions for the root too: an access list, overload, or no recursion at all", queries: 3,
		},
		{
			name: "recursion works", server: server{".": ok, "arpa.": ok, "example.org.": owner("example.org.")}, hint: "example.org.",
			kind: RefusesTheName, text: "recurses for other questions: it refused this name, or the refusal has passed", queries: 2,
		},
		{
			name: "recursion is offered but fails", server: server{"arpa.": says(dns.RcodeServerFailure)}, hint: "example.org.",
			text: "refused this question, and failed one for the root: its load, its own connection to the Internet, or a loop", queries: 2,
		},
		{
			name: "one control fails, and one is answered", server: server{".": ok, "arpa.": says(dns.RcodeServerFailure)},
			kind: RefusesTheName, text: "recurses for other questions: it refused this name, or the refusal has passed", queries: 2,
		},
		{
			name: "silence shows nothing", server: server{".": timeout, "arpa.": timeout}, hint: "example.org.",
			text: "questions for the root showed nothing", queries: 2,
		},
		{
			name: "half silent, half refused", server: server{".": timeout},
			text: "questions for the root showed nothing", queries: 2,
		},
		{
			name: "no reply and no error", server: server{".": nothing, "arpa.": nothing}, hint: "a..b",
			text: "questions for the root showed nothing", queries: 2,
		},
		{
			name: "it has the root zone itself", server: server{".": owner("."), "arpa.": owner("arpa.")},
			text: "questions for the root showed nothing", queries: 2,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := Control(t.Context(), Resolver{Name: "192.0.2.1:53", Ask: tt.server.ask}, tt.hint)
			if res.Kind != tt.kind || !slices.Equal(res.Codes, tt.codes) || res.Text != tt.text || res.Queries != tt.queries {
				t.Errorf("got %s %v %q, %d questions\nwant %s %v %q, %d\n%s", res.Kind, res.Codes, res.Text, res.Queries,
					tt.kind, tt.codes, tt.text, tt.queries, res.FullText)
			}
		})
	}
}

func TestControlFullTextShowsTheEvidence(t *testing.T) {
	s := server{"example.org.": owner("example.org."), "arpa.": errs(context.DeadlineExceeded)}
	res := Control(t.Context(), Resolver{Name: "192.0.2.1:53", Ask: s.ask}, "example.org.")
	const want = "192.0.2.1:53 answers with authority for its own zone and refuses recursion (. NS: REFUSED, arpa. SOA: timeout, example.org. SOA: NOERROR AA)"
	if res.FullText != want {
		t.Errorf("got %q\nwant %q", res.FullText, want)
	}
}

func TestNamesOfValuesAreClosed(t *testing.T) {
	for _, s := range []string{Verdict(99).String(), Kind(99).String(), ControlKind(99).String()} {
		if s != "unknown" {
			t.Errorf("got %q", s)
		}
	}
}

// A limit refuses in turn what comes, a policy refuses the name.
func TestARefusalIsOfTheNameOnlyIfItLasts(t *testing.T) {
	ok, refused, timeout := says(dns.RcodeSuccess), says(dns.RcodeRefused), errs(os.ErrDeadlineExceeded)
	// then answers n times with before, and with after from then on.
	then := func(n int, before, after Ask) Ask {
		return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
			if n--; n >= 0 {
				return before(ctx, q)
			}
			return after(ctx, q)
		}
	}
	for name, tc := range map[string]struct {
		server Ask // for the name
		root   Ask
		want   Refusal
	}{
		"a policy":                        {refused, ok, RefusalOfName},
		"it is answered now":              {ok, ok, RefusalPassed},
		"it is answered a little later":   {then(2, refused, ok), ok, RefusalPassed},
		"it does not exist now":           {says(dns.RcodeNameError), ok, RefusalPassed},
		"the root is refused a bit later": {refused, then(2, ok, refused), RefusalVaries},
		"the root gets no reply later":    {refused, then(2, ok, timeout), RefusalUnclear},
		"no reply":                        {timeout, ok, RefusalUnclear},
		"it fails now":                    {says(dns.RcodeServerFailure), ok, RefusalUnclear},
	} {
		t.Run(name, func(t *testing.T) {
			s := server{".": tc.root, "arpa.": ok, www.Name: tc.server}
			up := Resolver{Name: "192.0.2.1:53", Ask: s.ask}
			res := Control(t.Context(), up, www.Name)
			if got := res.Again(t.Context(), up, www); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}
