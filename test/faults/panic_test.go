//go:build linux

package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dns64 with nothing below it panics on every query, in CoreDNS 1.15.0. The
// server core answers, and ede only tells.
func TestPanicsBelow(t *testing.T) {
	parallel(t)
	p := start(t, []string{"ede {\n log all\n }", "dns64 {\n allow_ipv4\n }"})
	tr := p.try(t, "a plugin panics on each query")
	all := load{addr: p.dns, network: "udp", clients: 8, qtype: dns.TypeAAAA, during: span(time.Second, 10*time.Second)}.run()
	panics := p.counter(t, "coredns_panics_total")
	dropped := p.counter(t, "coredns_ede_log_dropped_total")
	tr.done(all, "%d panics", panics)
	if panics != all.queries || all.failed != all.queries {
		t.Errorf("%d queries, %d panics, %d failed", all.queries, panics, all.failed)
	}
	p.stop(t)
	if n := strings.Count(p.said(), "cause=panic"); n+dropped != all.queries {
		t.Errorf("%d panics: %d told in the log, %d dropped", all.queries, n, dropped)
	}
}
