//go:build linux

package faults

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// jumping takes the place of a line of time.Now: every second the clock stands
// somewhere else, an hour ahead, a day back, ten years ahead, at the epoch. The
// monotonic clock goes on.
const (
	steady  = "\tsec, nsec, mono := runtimeNow()\n"
	jumping = steady + `	if mono != 0 {
		switch (mono - startNano) / 1e9 % 5 {
		case 1:
			sec += 3600
		case 2:
			sec -= 86400
		case 3:
			sec += 10 * 365 * 86400
		case 4:
			sec = 1
		}
	}
`
)

// TestClockThatJumps builds CoreDNS with a package time whose clock jumps, all
// of it from scratch: this takes minutes, and is done at length only.
func TestClockThatJumps(t *testing.T) {
	if !*full {
		t.Skip("with -full only")
	}
	source := filepath.Join(printed(t, "go", "env", "GOROOT"), "src", "time", "time.go")
	path := overlaid(t, source, steady, jumping)
	up := upstream.Start(t, upstream.Config{Handler: halfFails()})
	p := launch(t, path, []string{"ede {\n page 127.0.0.1:0\n why\n text full 127.0.0.0/8\n diagnose\n }", "cache", forward(up.Addr())})
	tr := p.try(t, "clock jumps every second")
	all := load{addr: p.dns, network: "udp", clients: 16, during: 20 * time.Second, qtype: dns.TypeA}.run()
	dropped := p.counter(t, "coredns_ede_log_dropped_total")
	tr.done(all, "%d lines dropped", dropped)
	if all.failed == 0 || all.explained != all.failed {
		t.Errorf("%d failed, %d explained", all.failed, all.explained)
	}
	p.stop(t)
	if n := told(t, p.said()); n+dropped != all.failed {
		t.Errorf("%d failures: %d told in the log, %d dropped, want each once", all.failed, n, dropped)
	}
}
