package promise_test

import (
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// slowBlocks need seconds for each query.
var slowBlocks = []block{
	{name: "etcd dead", plugins: func(t *testing.T) string {
		return "etcd example.org {\n endpoint http://" + upstream.Closed(t) + "\n }"
	}, aged: true, over: []string{"tcp", "udp", "tls"}}, // DoH gives up after 5 seconds, as etcd does
	{name: "forward to silence", plugins: forwarding(upstream.Silent())},
	{name: "cancel above silence", plugins: forwarding(upstream.Silent(), "cancel 1s")},
	{name: "forwarder out of time", plugins: func(t *testing.T) string { return "forwarder patient " + said(t, upstream.Silent()) }},
}

// TestNobodyWaitsForWorse asks what takes its time all at once, a few clients over
// a few transports, each with a connection of its own.
func TestNobodyWaitsForWorse(t *testing.T) {
	server.Capture(t)
	cert, key := certificate.New(t).Files(t)
	for _, b := range slowBlocks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			plugins := b.plugins(t)
			stock, with := serve(t, "tls "+cert+" "+key, plugins), serve(t, "tls "+cert+" "+key, "ede", plugins)
			rep := &report{t: t, lines: "ede\n" + plugins}
			type pair struct {
				network      string
				q            query
				without, got outcome
				err          error
			}
			var all []*pair
			done := make(chan struct{})
			one := func(int) int { return 1 }
			for _, tr := range transports {
				if len(b.over) > 0 && !contains(b.over, tr.name) {
					continue
				}
				for _, k := range clients[:8] {
					p := &pair{network: tr.name, q: k.query(t, "www.example.org.")}
					all = append(all, p)
					go func() {
						defer func() { done <- struct{}{} }()
						without, err := tr.ask(stock, []query{p.q}, one)
						if p.err = err; err != nil {
							return
						}
						got, err := tr.ask(with, []query{p.q}, one)
						if p.err = err; err == nil {
							p.without, p.got = without[0], got[0]
						}
					}()
				}
			}
			for range all {
				<-done
			}
			told := 0
			for _, p := range all {
				if p.err != nil {
					t.Fatalf("over %s, query %q: %v", p.network, p.q.name, p.err)
				}
				e := expectation{all: p.without.answers, own: p.without.answers}
				if wrong := (rule{}).judge(p.q, e, p.got.answers, b.aged); wrong != "" {
					rep.add(p.network, p.q, wrong, p.without, p.got)
				}
				told += countReasons(p.got.answers)
			}
			rep.close()
			if told == 0 {
				t.Errorf("no reason in any answer: nothing was compared\nblock:\n%s", rep.lines)
			}
		})
	}
}
