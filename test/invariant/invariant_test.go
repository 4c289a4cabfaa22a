package invariant

import (
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Each rule finds what breaks it, and none finds anything in evidence of each shape
// that is as it should be.
func TestEachRuleCanBeBroken(t *testing.T) {
	met := make(map[string]bool)
	for _, broken := range []evidence.Evidence{
		{Rcode: dns.RcodeNameError},
		{Rcode: dns.RcodeRefused, Shape: evidence.Panicked},
		{Rcode: dns.RcodeRefused, PanicAt: "plugin/erratic erratic.go:1"},
		{Rcode: dns.RcodeRefused, Shape: evidence.Written},
		{Rcode: dns.RcodeRefused, Shape: evidence.WrittenError, Reply: evidence.Reply{Written: true}},
		{Rcode: dns.RcodeRefused, At: "file", Path: []string{"cache"}},
		{Rcode: dns.RcodeRefused, Reply: evidence.Reply{Signed: true}},
		{Rcode: dns.RcodeRefused, UpstreamAnswered: true},
		{Rcode: dns.RcodeRefused, CacheHit: true, Reply: evidence.Reply{Written: true}},
		{Rcode: dns.RcodeRefused, Changed: evidence.Changed{Plugin: "rewrite", To: dns.RcodeServerFailure}},
		{Rcode: dns.RcodeRefused, Earlier: evidence.Earlier{Rcode: dns.RcodeServerFailure}},
		{Rcode: dns.RcodeRefused, Untried: true, Upstream: "192.0.2.53:53"},
		{Rcode: dns.RcodeRefused, Nested: &evidence.Evidence{Rcode: dns.RcodeRefused, Background: true}},
	} {
		says := Broken(&broken)
		if len(says) != 1 {
			t.Errorf("%+v breaks %q", broken, says)
		}
		for _, s := range says {
			met[s] = true
		}
	}
	for _, r := range rules {
		if !met[r.says] {
			t.Errorf("nothing breaks: %s", r.says)
		}
	}
	written := evidence.Reply{Written: true}
	for _, sound := range []evidence.Evidence{
		{Rcode: dns.RcodeServerFailure, At: "file", Path: []string{"cache", "file"}},
		{Rcode: dns.RcodeServerFailure, Shape: evidence.Written, Reply: written, UpstreamAnswered: true},
		{Rcode: dns.RcodeServerFailure, Shape: evidence.WrittenError, Reply: written, Failure: evidence.Failure{Kind: evidence.Other}},
		{Rcode: dns.RcodeServerFailure, Shape: evidence.WrittenReturned},
		{Rcode: dns.RcodeServerFailure, Shape: evidence.Panicked, Panic: "nil map"},
	} {
		if says := Broken(&sound); !slices.Equal(says, nil) {
			t.Errorf("%+v breaks %q", sound, says)
		}
	}
}
