//go:build linux

package faults

import (
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A process that the system leaves alone for six seconds in a reload. When it runs
// again, the answers of the upstream are there, and the five seconds for which CoreDNS
// waits are over: chance says which it takes first, with ede as without. Where no answer
// fails, ede has nothing to do but to pass it on. All four stand still at the same time, so that
// the machine is as busy for each.
func TestReloadOfAProcessThatStandsStill(t *testing.T) {
	if !*full {
		t.Skip("with -full only")
	}
	for _, c := range []struct {
		name, line string
		answers    dns.Handler
	}{
		{"half of them fail, with ede", "ede", halfFails()},
		{"half of them fail, without ede", "", halfFails()},
		{"none fails, with ede", "ede", upstream.Answer()},
		{"none fails, without ede", "", upstream.Answer()},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			standStill(t, c.name, c.line, c.answers)
		})
	}
}

func standStill(t *testing.T, name, line string, answers dns.Handler) {
	const clients, rounds, still = 8, 60, 6 * time.Second
	up := upstream.Start(t, upstream.Config{})
	lines := func(generation string) []string {
		return []string{line, forward(up.Addr(), "read_timeout 60s"), generationOf(generation)}
	}
	p := start(t, lines("0"))
	tr := p.try(t, "standing still for 6 s in a reload, "+name)
	var all tally
	var squares int
	for round := 1; round <= rounds; round++ {
		open := make(chan struct{})
		up.Handle(held(open, answers))
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
		one := <-tallies
		all, squares = all.plus(one), squares+one.lost*one.lost
	}
	tr.halt()
	tr.settle()
	gaveUp := p.gaveUp()
	mean := float64(all.lost) / rounds
	deviation := math.Sqrt(float64(squares)/rounds - mean*mean)
	tr.report(all, "%d reloads, %d of them given up; %.1f of 8 lost, standard error %.1f", rounds, gaveUp, mean, deviation/math.Sqrt(rounds))
	if all.queries != rounds*clients || all.lost > clients*gaveUp || all.doubled != 0 {
		t.Errorf("%d queries, %d lost, %d doubled; CoreDNS gave up %d times", all.queries, all.lost, all.doubled, gaveUp)
	}
}
