package cause

import (
	"testing"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
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

// A certificate that begins within a day was perhaps made by an authority whose clock is
// ahead.
func TestOneCertificateThatBeginsSoonBlamesNobody(t *testing.T) {
	for begins, want := range map[string]Owner{
		"2026-11-29T15:20:00Z": Nobody, "2026-11-30T14:00:00Z": Nobody, "2026-12-01T15:00:01Z": Us, "2027-09-25T00:00:00Z": Us, "soon": Nobody,
	} {
		v := Classify(&ev.Evidence{At: "forward", Rcode: dns.RcodeServerFailure, Returned: true, Failure: ev.Failure{
			Kind: ev.TLS, NotYetValid: true, Detail: "x509: certificate has expired or is not yet valid: current time 2026-11-29T15:00:00Z is before " + begins,
		}})
		if v.Cause.ID != "clock_behind" || v.Owner != want || (v.Lasts == Persistent) != (want == Us) {
			t.Errorf("begins %s: %s by %s, %s", begins, v.Cause.ID, v.Owner, v.Lasts)
		}
	}
}
