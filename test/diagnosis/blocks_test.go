package diagnosis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// What a diagnosis found at the upstreams of one block says nothing about those of
// another, and their addresses are not for its clients.
func TestAFindingStaysInTheBlockThatItWasMadeIn(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	alone := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	block := func(bind, to string) string {
		return fmt.Sprintf(".:0 {\n bind %s\n ede {\n text full\n diagnose {\n wait 2s\n }\n }\n forward . %s {\n policy sequential\n }\n}\n", bind, to)
	}
	s := server.Start(t, block("127.0.0.1", broken.Addr()+" "+good.Addr())+block("127.0.0.4", alone.Addr()))
	inside, outside := "", ""
	for _, l := range s.Listeners() {
		if strings.HasPrefix(l.UDP, "127.0.0.4:") {
			outside = l.UDP
		} else {
			inside = l.UDP
		}
	}
	first := askHeld(t, inside, "www.example.org.", dns.TypeA)
	if got := texts(first); !strings.Contains(got, good.Addr()+": NOERROR") {
		t.Fatalf("the first block says %q", got)
	}
	logs.WaitFor(t, "diagnosis cause=upstream_at_fault", patience)
	second := server.Ask(t, outside, "www.example.org.", dns.TypeA, server.EDNS())
	if got := texts(second); strings.Contains(got, broken.Addr()) || strings.Contains(got, good.Addr()) {
		t.Errorf("the second block says %q", got)
	}
}
