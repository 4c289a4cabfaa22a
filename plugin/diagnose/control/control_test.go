package control

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestWhatIsAnsweredServesForAWhileAndSilenceDoesNot(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	asked, code, silent := 0, dns.RcodeServerFailure, errors.New("i/o timeout")
	var lost error
	ask := func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		asked++
		return new(dns.Msg).SetRcode(m, code), lost
	}
	var a Answers
	get := func(want int) Reply {
		t.Helper()
		r, err := a.Get(t.Context(), "192.0.2.53:53", ask, RootKeys, clock)
		if err != nil && lost == nil || asked != want {
			t.Errorf("asked %d times, want %d; %v", asked, want, err)
		}
		return r
	}
	get(1)
	get(1)
	now = now.Add(Lifetime)
	get(2)
	a.Recovered()
	code = dns.RcodeSuccess
	if r := get(3); !r.Answers() {
		t.Error("a failure outlives the recovery")
	}
	a.Recovered()
	get(3)
	now = now.Add(Lifetime)
	lost = silent
	get(4)
	get(5)
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var a Answers
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ask := func(_ context.Context, m *dns.Msg) (*dns.Msg, error) { return new(dns.Msg).SetReply(m), nil }
	for i := range 4 * maxAnswers {
		if _, err := a.Get(t.Context(), fmt.Sprint(i), ask, RootKeys, func() time.Time { return begin.Add(time.Duration(i)) }); err != nil {
			t.Fatal(err)
		}
		if len(a.known) != min(i+1, maxAnswers) {
			t.Fatalf("%d answers are remembered of %d", len(a.known), i+1)
		}
		if _, ok := a.known[key{fmt.Sprint(max(0, i+1-maxAnswers)), RootKeys}]; !ok {
			t.Fatal("not the oldest went")
		}
	}
}

func TestTheClockIsInDoubtByTheCertificatesOfAllUpstreams(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	invalid := func(from, to time.Time) error {
		return fmt.Errorf("tls: %w", x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{NotBefore: from, NotAfter: to}})
	}
	later, past := invalid(now.AddDate(1, 0, 0), now.AddDate(2, 0, 0)), invalid(now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))
	older, soon := invalid(now.AddDate(-2, 0, 0), now.AddDate(-1, -1, 0)), invalid(now.Add(20*time.Minute), now.AddDate(1, 0, 0))
	sameDay := invalid(now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0).Add(time.Minute))
	for name, tc := range map[string]struct {
		failures []error
		want     bool
	}{
		"none is valid yet":              {[]error{later, later}, true},
		"the only one is not valid yet":  {[]error{later}, true},
		"it begins in twenty minutes":    {[]error{soon}, false},
		"both begin in twenty minutes":   {[]error{soon, soon}, false},
		"all of several have expired":    {[]error{past, older}, true},
		"two share one that has expired": {[]error{past, past}, false},
		"two expired in one go":          {[]error{past, sameDay}, false},
		"the only one has expired":       {[]error{past}, false},
		"one of two is fine":             {[]error{later, nil}, false},
		"one fails otherwise":            {[]error{later, errors.New("closed")}, false},
		"one is early and one late":      {[]error{later, past}, false},
		"nothing":                        {nil, false},
	} {
		if text, ok := Clock(now, tc.failures); ok != tc.want || ok == (text == "") {
			t.Errorf("%s: %v %q", name, ok, text)
		}
	}
}
