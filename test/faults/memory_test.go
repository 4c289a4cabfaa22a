//go:build linux

package faults

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const limit = 128 << 20

// A flood, and a crowd over TCP, in 128 MiB: GOMEMLIMIT, and a control group
// that kills the process beyond.
func TestMemoryLimit(t *testing.T) {
	parallel(t)
	if raceDetector {
		t.Skip("the race detector takes several times the memory")
	}
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	p := start(t, []string{"ede {\n page 127.0.0.1:0\n diagnose\n }", "cache", forward(up.Addr())}, environment("GOMEMLIMIT=112MiB"))
	how := "GOMEMLIMIT and a control group"
	if confine(t, p, octets, limit) == nil {
		how = "GOMEMLIMIT alone (no control group can be made here)"
	}
	tr := p.try(t, "flood in 128 MiB")
	tallies := make(chan tally)
	for network, clients := range map[string]int{"udp": 64, "tcp": 64} {
		go func() {
			tallies <- load{addr: p.dns, network: network, clients: clients, during: span(time.Second, 30*time.Second)}.run()
		}()
	}
	all := (<-tallies).plus(<-tallies)
	tr.done(all, "limited by %s", how)
	if tr.row.peak.memory > limit {
		t.Errorf("%d octets at most, want %d", tr.row.peak.memory, limit)
	}
}
