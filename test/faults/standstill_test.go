//go:build linux

package faults

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A process that the system leaves alone for six seconds in a reload. When it runs
// again, the answers of the upstream are there, and the five seconds for which CoreDNS
// waits are over: chance says which it takes first, with ede as without.
func TestReloadOfAProcessThatStandsStill(t *testing.T) {
	if !*full {
		t.Skip("with -full only")
	}
	const clients, rounds, still = 8, 10, 6 * time.Second
	for _, c := range []struct{ name, line string }{{"with ede", "ede"}, {"without ede", ""}} {
		t.Run(c.name, func(t *testing.T) {
			up := upstream.Start(t, upstream.Config{})
			lines := func(generation string) []string {
				return []string{c.line, forward(up.Addr(), "read_timeout 60s"), generationOf(generation)}
			}
			p := start(t, lines("0"))
			tr := p.try(t, "standing still for 6 s in a reload, "+c.name)
			var all tally
			for round := 1; round <= rounds; round++ {
				open := make(chan struct{})
				up.Handle(held(open, halfFails()))
				tallies := make(chan tally)
				l := load{addr: p.dns, network: "udp", clients: clients, most: 1, wait: 9 * time.Second}
				go func() { tallies <- l.run() }()
				up.Await(t, "", round*clients, patience)
				next := fmt.Sprint(round)
				p.configure(t, lines(next))
				p.signal(t, syscall.SIGUSR1)
				p.await(t, "the new instance", func() bool { return p.generation() == next })
				p.signal(t, syscall.SIGSTOP)
				close(open)
				<-time.After(still)
				p.signal(t, syscall.SIGCONT)
				all = all.plus(<-tallies)
			}
			tr.halt()
			tr.settle()
			gaveUp := p.gaveUp()
			tr.report(all, "%d reloads, %d of them given up", rounds, gaveUp)
			if all.queries != rounds*clients || all.lost > clients*gaveUp || all.doubled != 0 {
				t.Errorf("%d queries, %d lost, %d doubled; CoreDNS gave up %d times", all.queries, all.lost, all.doubled, gaveUp)
			}
		})
	}
}
