//go:build linux

package faults

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A flood of names that never were asked before, each of which fails: what
// attacks on a zone through its resolvers look like. Each answer is explained,
// and each failure told in the log exactly once.
func TestFloodOfRandomNames(t *testing.T) {
	for name, lines := range map[string]string{"by default": "ede", "log all": "ede {\n log all\n }", "log summary": "ede {\n log summary 1s\n }"} {
		t.Run(name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
			p := start(t, []string{lines, "cache", forward(up.Addr())})
			tr := p.try(t, "flood of random names, "+name)
			all := load{addr: p.dns, network: "udp", clients: 16, during: span(time.Second, 20*time.Second)}.run()
			dropped, counted := p.counter(t, "coredns_ede_log_dropped_total"), p.counter(t, "coredns_ede_failures_total")
			incidents := p.counter(t, "coredns_ede_incidents")
			tr.done(all, "%d log lines dropped; %d incidents", dropped, incidents)
			if all.failed != all.queries || all.explained != all.queries || counted != all.queries {
				t.Errorf("%d queries, %d failed, %d explained, %d counted, want all", all.queries, all.failed, all.explained, counted)
			}
			p.stop(t)
			if told := told(t, p.said()); told+dropped != all.queries {
				t.Errorf("%d failures: %d told in the log, %d dropped, want each once", all.queries, told, dropped)
			}
		})
	}
}
