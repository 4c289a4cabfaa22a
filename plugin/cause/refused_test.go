package cause

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// What says RA=1 of itself is not taken for a server that does not recurse.
func TestARefusalWithRecursionAvailableIsNotThatOfAnAuthoritativeServer(t *testing.T) {
	for _, tc := range []struct {
		ra, aa, resolver bool
	}{{true, false, true}, {false, false, false}, {false, true, false}, {true, true, false}} {
		v := Classify(&ev.Evidence{
			Rcode: dns.RcodeRefused, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, Shape: ev.Written,
			Reply: ev.Reply{Written: true, RecursionAvailable: tc.ra, Authoritative: tc.aa},
		})
		if v.Cause != upstreamRefused {
			t.Fatalf("RA %v, AA %v: cause %s", tc.ra, tc.aa, v.Cause.ID)
		}
		for _, text := range []string{v.Text(), v.Statements[0].Brief} {
			if strings.Contains(text, "authoritative only") == tc.resolver {
				t.Errorf("RA %v, AA %v: %s", tc.ra, tc.aa, text)
			}
		}
		if strings.Contains(v.Advice, "that the upstream is a resolver") == tc.resolver {
			t.Errorf("RA %v, AA %v: %s", tc.ra, tc.aa, v.Advice)
		}
	}
}
