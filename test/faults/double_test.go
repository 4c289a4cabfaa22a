//go:build linux

package faults

import (
	"testing"
	"time"
)

// template with an rcode of REFUSED writes its answer and returns the rcode as
// well, and CoreDNS then answers twice.
func TestAnswersAreSingleWhereStockDoublesThem(t *testing.T) {
	const refuse = "template ANY ANY {\n rcode REFUSED\n }"
	during := span(time.Second, 5*time.Second)
	for _, c := range []struct {
		name, line string
		answers    int
	}{
		{"template refuses", "ede", 1},
		{"template refuses, without ede", "", 2},
		{"template refuses, in shadow", "ede {\n shadow\n }", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			p := start(t, []string{c.line, refuse})
			tr := p.try(t, c.name)
			all := load{addr: p.dns, network: "udp", clients: 8, during: during}.run()
			tr.halt()
			tr.settle()
			tr.report(all, "%d answers a query", c.answers)
			if all.lost != 0 || all.answers != c.answers*all.queries {
				t.Errorf("%d queries, %d answers, want %d each", all.queries, all.answers, c.answers)
			}
		})
	}
}

// What a plugin drops on purpose stays dropped.
func TestDropsStayDrops(t *testing.T) {
	for name, line := range map[string]string{"acl": "acl {\n drop\n }", "erratic": "erratic {\n drop 1\n }"} {
		t.Run(name, func(t *testing.T) {
			parallel(t)
			p := start(t, []string{"ede", line})
			tr := p.try(t, name+" drops each query")
			all := load{addr: p.dns, network: "udp", clients: 64, most: size(4, 20), wait: 200 * time.Millisecond}.run()
			failures := p.counter(t, "coredns_ede_failures_total")
			tr.halt()
			tr.settle()
			tr.report(all, "the plugin drops queries on purpose; %s counts as a failure", map[bool]string{true: "none", false: "some"}[failures == 0])
			if all.queries == 0 || all.answers != 0 || failures != 0 {
				t.Errorf("%d queries, %d answers, %d counted as failures, want none", all.queries, all.answers, failures)
			}
		})
	}
}
