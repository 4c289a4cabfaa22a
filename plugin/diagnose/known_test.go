package diagnose

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

func TestWhatIsKnownIsBounded(t *testing.T) {
	r := NewRunner(&Engine{Now: time.Now}, 1, 1, nil)
	defer r.Stop()
	v := &cause.Verdict{Cause: cause.ByID("zone_at_fault")}
	for i := range 4 * maxKnown {
		name := fmt.Sprintf("n%d.zone%d.example.", i, i)
		r.remember(Case{}, key{question: dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}},
			Finding{Outcome: Explained, Verdict: v, Zone: name[len(fmt.Sprintf("n%d.", i)):], Cut: true})
	}
	for what, n := range map[string]int{"questions": r.known.Len(), "zones": r.zones.Len()} {
		if n > maxKnown || n < maxKnown/2 {
			t.Errorf("%d %s are known, want at most %d and about as many", n, what, maxKnown)
		}
	}
}
