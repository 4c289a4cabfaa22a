//go:build linux

package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// share is what a starved process gets of a core.
const share = 0.02

// Reloads of a process that hardly gets the processor: answers are lost only where
// CoreDNS gave up waiting for what was under way, and not by a CoreDNS that waits
// longer.
func TestReloadOfAStarvedProcess(t *testing.T) {
	if !*full {
		t.Skip("with -full only")
	}
	const clients = 8
	for _, c := range []struct {
		name, line string
		patient    bool
	}{
		{"with ede", "ede {\n log summary 1s\n }", false},
		{"without ede", "", false},
		{"without ede, by a CoreDNS that waits", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			up := upstream.Start(t, upstream.Config{Handler: halfFails()})
			lines := func(n int) []string {
				return []string{c.line, fmt.Sprintf("cache {\n servfail %ds\n }", 1+n%2), forward(up.Addr(), "read_timeout 5s")}
			}
			launched := start
			if c.patient {
				launched = patient
			}
			p := launched(t, lines(0))
			tr := p.try(t, "reload of a starved process, "+c.name)
			group := confine(t, p, processor, int(share*1e5))
			if group == nil {
				t.Skip("no control group for the processor can be made here")
			}
			stop := make(chan struct{})
			tallies := make(chan tally)
			l := load{addr: p.dns, network: "udp", clients: clients, stop: stop, pace: 2 * time.Millisecond, wait: patience}
			go func() { tallies <- l.run() }()
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			signals := 0
			for began := time.Now(); time.Since(began) < time.Minute; <-tick.C {
				signals++
				p.configure(t, lines(signals))
				p.signal(t, syscall.SIGUSR1)
			}
			group.lift(t)
			close(stop)
			all := <-tallies
			tr.halt()
			tr.settle()
			gaveUp := p.gaveUp()
			tr.report(all, "%d reloads, %d of them given up", strings.Count(p.said(), "Reloading complete"), gaveUp)
			if all.lost > clients*gaveUp || all.doubled != 0 {
				t.Errorf("%d lost, %d doubled; CoreDNS gave up %d times", all.lost, all.doubled, gaveUp)
			}
		})
	}
}
