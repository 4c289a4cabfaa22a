//go:build linux

package faults

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// With a budget of zero the upstream hears what clients ask and nothing else;
// with the default one at most five diagnoses a second of sixty queries each.
func TestProbesKeepToTheirBudget(t *testing.T) {
	for _, c := range []struct {
		name, line string
		perSecond  int
	}{
		{"0", "ede {\n log off\n diagnose {\n rate 0\n }\n }", 0},
		{"5 a second", "ede {\n log off\n diagnose\n }", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
			// A question that forward asks twice would be taken for a probe.
			p := start(t, []string{c.line, forward(up.Addr(), "read_timeout 10s", "max_connect_attempts 1")})
			tr := p.try(t, "flood, budget for diagnoses "+c.name)
			all := load{addr: p.dns, network: "udp", clients: 16, during: span(time.Second, 20*time.Second)}.run()
			tr.done(all, "")
			probes := up.Queries() - all.queries
			seconds := int(tr.row.took.Seconds()) + 2
			if most := c.perSecond * seconds * 60; probes < 0 || probes > most {
				t.Errorf("%d probes, want at most %d", probes, most)
			}
			if c.perSecond > 0 && probes == 0 {
				t.Error("nothing is diagnosed: no trial of a budget")
			}
			t.Logf("%d probes", probes)
		})
	}
}
