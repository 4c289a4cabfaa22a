package cause

import (
	"testing"

	"github.com/miekg/dns"
)

// What was seen of one failure is not said of another one.
func TestAFindingIsOfTheFailureThatWasDiagnosed(t *testing.T) {
	of := func(c *Cause) *Verdict {
		return &Verdict{Cause: c, Owner: c.Owner, Lasts: c.Lasts, Upstream: "192.0.2.53:53", rcode: dns.RcodeServerFailure, Statements: []Statement{{Code: c.Code, Brief: c.Brief, Full: c.Full}}}
	}
	undecided := Observed(of(upstreamTimeout), "no reply; nor to the root", "no reply; nor to the root", "")
	lost := Diagnosed(of(upstreamTimeout), "path_udp_lost", nil, "", "", "")
	said := Relayed(of(upstreamServfail), nil)
	elsewhere := of(upstreamServfail)
	elsewhere.Upstream = "192.0.2.54:53"
	offline := Diagnosed(of(upstreamServfail), "upstream_resolves_nothing", nil, "", "", "")
	broken := Diagnosed(of(upstreamServfail), "dnssec_signature_expired", nil, "", "", "example.org.")
	refused := of(upstreamServfail)
	refused.rcode = dns.RcodeRefused
	reason := of(upstreamEDE)
	fromCache := of(cachedFailure)
	fromCache.Cached = true
	recalled := of(upstreamServfail)
	recalled.Cached = true
	for _, tc := range []struct {
		what     string
		found    *Verdict
		now      *Verdict
		explains bool
	}{
		{"undecided, and the same failure", undecided, of(upstreamTimeout), true},
		{"undecided, and a closed port", undecided, of(upstreamUnreachable), false},
		{"undecided, and an answer", undecided, of(upstreamServfail), false},
		{"undecided, and another failure from cache", undecided, recalled, false},
		{"undecided, and one from cache whose cause is lost", undecided, fromCache, true},
		{"a path that loses UDP, and a closed port", lost, of(upstreamUnreachable), false},
		{"a path that loses UDP, and an answer", lost, of(upstreamServfail), false},
		{"a path that loses UDP, and the same failure", lost, of(upstreamTimeout), true},
		{"an upstream that resolves nothing, and a closed port", offline, of(upstreamUnreachable), false},
		{"an upstream that resolves nothing, and another upstream", offline, elsewhere, false},
		{"an upstream that resolves nothing, and its answer with a reason", offline, reason, true},
		{"an upstream that resolves nothing, and a refusal", offline, refused, false},
		{"a broken zone, and its SERVFAIL from another upstream", broken, elsewhere, true},
		{"a broken zone, and a closed port", broken, of(upstreamUnreachable), false},
		{"what an upstream said, and a closed port", said, of(upstreamUnreachable), false},
	} {
		if got := tc.found.Explains(tc.now); got != tc.explains {
			t.Errorf("%s: %v", tc.what, got)
		}
	}
}
