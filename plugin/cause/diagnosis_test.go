package cause

import (
	"testing"
	"time"
)

// What was seen of one failure is not said of another one.
func TestAFindingIsOfTheFailureThatWasDiagnosed(t *testing.T) {
	of := func(c *Cause) *Verdict {
		return &Verdict{Cause: c, Owner: c.Owner, Lasts: c.Lasts, Statements: []Statement{{Code: c.Code, Brief: c.Brief, Full: c.Full}}}
	}
	at := time.Unix(1764424800, 0)
	undecided := Observed(of(upstreamTimeout), "no reply; nor to the root", "no reply; nor to the root", "")
	lost := Diagnosed(of(upstreamTimeout), "path_udp_lost", nil, "", "", "")
	expired := Diagnosed(of(upstreamTimeout), "dnssec_signature_expired", nil, "", "", "example.org.")
	for _, tc := range []struct {
		what  string
		found *Verdict
		now   *Cause
		stays bool
	}{
		{"undecided, and the same failure", undecided, upstreamTimeout, false},
		{"undecided, and a closed port", undecided, upstreamUnreachable, true},
		{"undecided, and an answer", undecided, upstreamServfail, true},
		{"a path that loses UDP, and a closed port", lost, upstreamUnreachable, true},
		{"a path that loses UDP, and the same failure", lost, upstreamTimeout, false},
		{"a broken zone, and its SERVFAIL", expired, upstreamServfail, false},
	} {
		if v := of(tc.now); (tc.found.For(v, at) == v) != tc.stays {
			t.Errorf("%s: got %s", tc.what, tc.found.For(v, at).Text())
		}
	}
	cached := of(upstreamServfail)
	cached.Cached = true
	if undecided.For(cached, at) == cached {
		t.Error("a failure from cache, whose own cause is lost, has nothing of what was seen")
	}
}
