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

// Without RD a diagnosis, which asks with RD, finds something else, and so does asking again.
func TestAFailureWithoutRDIsNotLookedInto(t *testing.T) {
	for _, rcode := range []int{dns.RcodeServerFailure, dns.RcodeRefused} {
		for _, noRD := range []bool{false, true} {
			v := Classify(&ev.Evidence{
				Rcode: rcode, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, Shape: ev.Written, NoRD: noRD,
				Reply: ev.Reply{Written: true, RecursionAvailable: true},
			})
			for _, v := range []*Verdict{v, Restored(*v, v.Marks())} {
				if v.NoRD() != noRD || v.Refinable() == noRD || v.WithoutReason() == noRD || (v.Owner == Nobody) != noRD {
					t.Errorf("NoRD %v: refinable %v, without a reason %v, owner %s", v.NoRD(), v.Refinable(), v.WithoutReason(), v.Owner)
				}
			}
		}
	}
}

// An upstream at an address of this server is not blamed, whatever it did.
func TestAnAddressOfThisServerIsNotBlamed(t *testing.T) {
	for _, own := range []bool{false, true} {
		for name, e := range map[string]*ev.Evidence{
			"timeout":  {Rcode: dns.RcodeServerFailure, Failure: ev.Failure{Kind: ev.Timeout}},
			"servfail": {Rcode: dns.RcodeServerFailure, UpstreamAnswered: true, Shape: ev.Written, Reply: ev.Reply{Written: true}},
		} {
			e.At, e.Upstream = "forward", "192.0.2.53:53"
			e.Upstreams = []ev.Upstream{{Addr: e.Upstream, Asked: true, Own: own}, {Addr: "192.0.2.54:53"}}
			v := Classify(e)
			if (v.Owner == Nobody) != own || strings.Contains(v.Text(), "an address of this server") != own || strings.Contains(v.Statements[0].Brief, "address") {
				t.Errorf("%s, own %v: owner %s, %q, brief %q", name, own, v.Owner, v.Text(), v.Statements[0].Brief)
			}
		}
	}
}

// systemd-resolved fails names in .local itself: that says nothing of any zone.
func TestTheAdviceOnNamesInLocalSpeaksOfMulticastDNS(t *testing.T) {
	for name, want := range map[string]bool{"printer.corp.local.": true, "LOCAL.": true, "local.example.org.": false, "notlocal.": false} {
		for _, rcode := range []int{dns.RcodeServerFailure, dns.RcodeRefused} {
			e := &ev.Evidence{
				Rcode: rcode, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, Shape: ev.Written,
				Asked: dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}, Reply: ev.Reply{Written: true, RecursionAvailable: true},
			}
			v := Classify(e)
			for _, v := range []*Verdict{v, Observed(v, "undecided", "undecided", "look elsewhere")} {
				if strings.Contains(v.Advice, "multicast DNS") != want {
					t.Errorf("%s: %s", name, v.Advice)
				}
			}
			// An upstream of the zone's own is looked at as one of any other zone.
			if general := v.Cause.AdviceOn(nil, rcode); rcode == dns.RcodeServerFailure && !strings.HasSuffix(v.Advice, general) {
				t.Errorf("%s: %s, want %s at the end", name, v.Advice, general)
			}
		}
	}
}

// Names of both kinds are told apart, though the failures are alike.
func TestNamesInLocalShareNoVerdictWithOthers(t *testing.T) {
	c := NewClassifier()
	for range 3 {
		for name, want := range map[string]bool{"printer.local.": true, "www.example.org.": false} {
			v := c.Classify(&ev.Evidence{
				Rcode: dns.RcodeServerFailure, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, Shape: ev.Written,
				Asked: dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}, Reply: ev.Reply{Written: true},
			})
			if strings.Contains(v.Advice, "multicast DNS") != want {
				t.Errorf("%s: %s", name, v.Advice)
			}
		}
	}
}
