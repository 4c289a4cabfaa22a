package compare

import (
	"context"
	"os"
	"testing"

	"github.com/miekg/dns"
)

// checked is a resolver that answers q with rcode and ad, and the root with root.
func checked(rcode int, ad bool, root Ask) Ask {
	return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		if q.Name == "." {
			return root(ctx, q)
		}
		return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: rcode, AuthenticatedData: ad}}, nil
	}
}

func TestAnAnswerThatNobodyValidatedIsNoWitnessAgainstAValidator(t *testing.T) {
	ok, timeout := says(dns.RcodeSuccess), errs(os.ErrDeadlineExceeded)
	secure := func(context.Context, dns.Question) (*dns.Msg, error) {
		return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, AuthenticatedData: true}}, nil
	}
	for name, tc := range map[string]struct {
		failing Ask // what it answers for the root
		other   Ask
		want    bool
	}{
		"it does not validate either":           {ok, checked(dns.RcodeSuccess, false, ok), true},
		"it fails the root too":                 {says(dns.RcodeServerFailure), checked(dns.RcodeSuccess, false, ok), true},
		"it validates, the other does not":      {secure, checked(dns.RcodeSuccess, false, ok), false},
		"whether it validates is not known":     {timeout, checked(dns.RcodeSuccess, false, ok), false},
		"both validate, the zone is unsigned":   {secure, checked(dns.RcodeSuccess, false, secure), true},
		"both validate, the name is denied":     {secure, checked(dns.RcodeNameError, false, secure), true},
		"the other validates, and finds it so":  {secure, checked(dns.RcodeSuccess, true, timeout), true},
		"the other fails it when it validates":  {secure, checked(dns.RcodeServerFailure, false, secure), false},
		"whether the other validates is hidden": {secure, checked(dns.RcodeSuccess, false, timeout), false},
	} {
		t.Run(name, func(t *testing.T) {
			failing := Resolver{Ask: says(dns.RcodeServerFailure), Checked: checked(dns.RcodeServerFailure, false, tc.failing)}
			others := []Resolver{{Ask: timeout, Checked: secure}, {Ask: ok, Checked: tc.other}}
			res := Compare(t.Context(), www, failing, others)
			if got := res.Witnessed(t.Context(), www, failing, others); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
	res := Compare(t.Context(), www, Resolver{Ask: says(dns.RcodeServerFailure)}, []Resolver{{Ask: secure}})
	if !res.Witnessed(t.Context(), www, Resolver{Checked: timeout}, nil) {
		t.Error("an answer with AD does not count")
	}
}
