package explain

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/askagain"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/plugin/remarks"
)

// With policy round_robin the same question fails at one upstream and then at another.
func TestAReasonIsNotGivenForTheFailureOfAnotherUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := remarks.New(100, time.Now)
		x := &Explainer{Shared: &Shared{Asker: askagain.New(memory, 1, func(askagain.Answer) {})}}
		defer x.Asker.Stop()
		at := func(upstream string) *cause.Verdict {
			q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
			ev := &evidence.Evidence{
				Rcode: dns.RcodeServerFailure, At: "forward", Upstream: upstream, UpstreamAnswered: true, NoEDNS: true,
				Question: q, Asked: q, Name: q.Name, Reply: evidence.Reply{Written: true, RecursionAvailable: true},
			}
			v := cause.Classify(ev)
			if upstream == "192.0.2.53:53" {
				memory.Put(x.asAsked(ev, v), remarks.Said{Options: []option.Option{{Code: 6}}, By: upstream, At: time.Now()}, time.Minute)
			}
			return x.withReason(ev, v)
		}
		if v := at("192.0.2.53:53"); v.Cause.ID != "upstream_ede" {
			t.Errorf("the upstream that gave it: %s", v.Cause.ID)
		}
		if v := at("192.0.2.54:53"); v.Cause.ID != "upstream_servfail" {
			t.Errorf("another one: %s, %s", v.Cause.ID, v.Text())
		}
	})
}
