//go:build linux

package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A reload every 100 ms with queries under way, of a Corefile that changes each
// time. Half of the names fail. Without ede the same is measured as what CoreDNS
// itself does to answers in a reload.
func TestReloadUnderLoad(t *testing.T) {
	const clients = 8
	const everything = "ede {\n log summary 1s\n page PAGE\n why\n text full 127.0.0.0/8\n diagnose {\n rate 5\n }\n }"
	for _, c := range []struct {
		name, line string
		during     time.Duration
	}{
		{"with ede", everything, span(3*time.Second, 5*time.Minute)},
		{"without ede", "", span(3*time.Second, time.Minute)},
	} {
		if c.during == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: halfFails()})
			line := strings.ReplaceAll(c.line, "PAGE", port.Free(t))
			lines := func(n int) []string {
				return []string{line, fmt.Sprintf("cache {\n servfail %ds\n }", 1+n%2), forward(up.Addr(), "read_timeout 5s")}
			}
			p := start(t, lines(0))
			tr := p.try(t, "reload every 100 ms, "+c.name)
			stop := make(chan struct{})
			tallies := make(chan tally)
			for _, network := range []string{"udp", "tcp"} {
				l := load{addr: p.dns, network: network, clients: clients, stop: stop, pace: 2 * time.Millisecond}
				go func() { tallies <- l.run() }()
			}
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			signals := 0
			reloads := func() int { return strings.Count(p.said(), "Reloading complete") }
			// Until some have ended, however long each takes here.
			began := time.Now()
			for time.Since(began) < c.during || reloads() < 3 && time.Since(began) < patience {
				signals++
				p.configure(t, lines(signals))
				p.signal(t, syscall.SIGUSR1)
				<-tick.C
			}
			close(stop)
			all := (<-tallies).plus(<-tallies)
			tr.halt()
			tr.settle()
			gaveUp := p.gaveUp()
			tr.report(all, "%d signals, %d reloads, %d of them given up", signals, reloads(), gaveUp)
			if n := reloads(); n < 2 {
				t.Errorf("%d reloads:\n%s", n, p.said())
			}
			// An instance that CoreDNS gives up may lose what each client over UDP waits
			// for, see TestReloadWaitsForWhatIsUnderWay.
			if all.lost > clients*gaveUp || all.answers != all.queries-all.lost || all.doubled != 0 {
				t.Errorf("%d queries, %d answers, %d lost, %d doubled; CoreDNS gave up %d times", all.queries, all.answers, all.lost, all.doubled, gaveUp)
			}
			if c.line == "" {
				return
			}
			if all.explained != all.failed || all.failed == 0 {
				t.Errorf("%d failed, %d explained, want all", all.failed, all.explained)
			}
		})
	}
}

// halfFails fails every other query.
func halfFails() dns.Handler {
	return upstream.Flap(upstream.Answer(), upstream.Rcode(dns.RcodeServerFailure, true))
}

// SIGTERM with queries under way: what was taken in is answered, and the process
// ends. What comes after it finds nobody.
func TestSIGTERMUnderLoad(t *testing.T) {
	const clients, wait = 64, 10 * time.Second
	for _, c := range []struct{ name, line string }{
		{"with ede", "ede {\n log all\n diagnose {\n wait 1s\n }\n }"},
		{"without ede", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: upstream.Slow(50*time.Millisecond, upstream.Rcode(dns.RcodeServerFailure, true))})
			p := start(t, []string{c.line, forward(up.Addr(), "read_timeout 5s")})
			tr := p.try(t, "SIGTERM under load, "+c.name)
			stop := make(chan struct{})
			tallies := make(chan tally)
			go func() {
				tallies <- load{addr: p.dns, network: "udp", clients: clients, stop: stop, wait: wait}.run()
			}()
			up.Await(t, "", size(300, 5000), patience)
			tr.halt()
			begin := time.Now()
			p.signal(t, syscall.SIGTERM)
			select {
			case <-p.exited:
			case <-time.After(patience):
				t.Fatal("CoreDNS does not end")
			}
			took := time.Since(begin)
			close(stop)
			all := <-tallies
			tr.report(all, "ended within %.1f s; those lost came after the end, at most one a client", took.Seconds())
			// A client that has waited in vain before the end is seen asks once more.
			most := clients * (1 + int(took/wait))
			if all.doubled != 0 || all.lost > most || all.answers == 0 {
				t.Errorf("%d queries, %d answers, %d lost, at most %d of them allowed, %d doubled", all.queries, all.answers, all.lost, most, all.doubled)
			}
			if c.line != "" {
				// Everything that was answered is in the log.
				if told := told(t, p.said()); told < all.answers {
					t.Errorf("%d answers, %d told in the log", all.answers, told)
				}
			}
		})
	}
}
