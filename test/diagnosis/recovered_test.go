package diagnosis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// The first failure of a name is in cache when the diagnosis has its cause. From then on the
// name fails for that cause, and the incident of that cause has recovered in the end.
func TestTheIncidentThatADiagnosisFoundHasRecovered(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			diagnose
		}
		cache
		forward . %s %s {
			policy sequential
		}
	}`, broken.Addr(), good.Addr()))
	ask := func() *dns.Msg { return server.Ask(t, s.UDP(), "www.example.org.", dns.TypeA, server.EDNS()) }
	ask()
	logs.WaitFor(t, "diagnosis cause=upstream_at_fault", patience)
	ask()
	logs.WaitFor(t, "rcode=SERVFAIL cause=upstream_at_fault", patience)
	broken.Handle(upstream.Answer())
	for deadline := time.Now().Add(patience); ask().Rcode != dns.RcodeSuccess; {
		if time.Now().After(deadline) {
			t.Fatal("the failure stays in cache")
		}
		<-time.After(100 * time.Millisecond)
	}
	for _, cause := range []string{"upstream_at_fault", "upstream_servfail"} {
		logs.WaitFor(t, "recovered cause="+cause, patience)
	}
}
