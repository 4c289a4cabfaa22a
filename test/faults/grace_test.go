//go:build linux

package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// CoreDNS gives the queries of the instance that a reload replaces five seconds.
// Then it closes that instance's socket, and an answer that comes later has no way
// out. These are the places of that in its source.
const (
	graceSource = "core/dnsserver/server.go"
	grace       = "graceTimeout:   5 * time.Second,"
	longGrace   = "graceTimeout:   10 * time.Minute,"
	// graceOver is what CoreDNS logs when it did not wait any longer.
	graceOver = "Stopping dns://127.0.0.1:"
)

// Queries that are under way when a reload begins: those that the upstream answers
// while CoreDNS waits for them are answered. What it answers later is lost, with ede
// as without, and not where CoreDNS waits longer.
func TestReloadWaitsForWhatIsUnderWay(t *testing.T) {
	const everything = "ede {\n log all\n why\n text full 127.0.0.0/8\n diagnose {\n wait 2s\n }\n }"
	const clients = 8
	for _, c := range []struct {
		name, line string
		// late is true if the upstream answers after CoreDNS has given up.
		late bool
		// patient is true for a CoreDNS that gives them ten minutes.
		patient bool
		lost    int
	}{
		{"answered in time, with ede", everything, false, false, 0},
		{"answered in time, without ede", "", false, false, 0},
		{"answered too late, with ede", everything, true, false, clients},
		{"answered too late, without ede", "", true, false, clients},
		{"answered too late, by a CoreDNS that waits", "", true, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.patient && !*full {
				t.Skip("builds another CoreDNS, with -full only")
			}
			parallel(t)
			open := make(chan struct{})
			up := upstream.Start(t, upstream.Config{Handler: held(open, halfFails())})
			lines := func(generation string) []string {
				return []string{c.line, forward(up.Addr(), "read_timeout 60s"), generationOf(generation)}
			}
			launched := start
			if c.patient {
				launched = patient
			}
			p := launched(t, lines("first"))
			tr := p.try(t, "reload with 8 queries under way, "+c.name)
			tallies := make(chan tally)
			l := load{addr: p.dns, network: "udp", clients: clients, most: 1, wait: 20 * time.Second}
			if c.lost == 0 {
				l.wait = patience
			}
			go func() { tallies <- l.run() }()
			up.Await(t, "", clients, patience)
			p.configure(t, lines("second"))
			p.signal(t, syscall.SIGUSR1)
			p.await(t, "the new instance", func() bool { return p.generation() == "second" })
			if c.late && !c.patient {
				p.await(t, graceOver, func() bool { return p.gaveUp() > 0 })
			} else if c.late {
				// As long as a CoreDNS as it is waits.
				p.await(t, "six seconds", func() bool { return time.Since(tr.begin) > 6*time.Second })
			}
			close(open)
			all := <-tallies
			tr.halt()
			tr.settle()
			tr.report(all, "%d given up", p.gaveUp())
			if all.queries != clients || all.lost != c.lost || all.doubled != 0 {
				t.Errorf("%d queries, %d lost, %d doubled, want %d, %d and 0:\n%s",
					all.queries, all.lost, all.doubled, clients, c.lost, p.said())
			}
		})
	}
}

// held lets no answer go before open is closed.
func held(open <-chan struct{}, next dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-open:
		case <-timer.C:
		}
		next.ServeDNS(w, m)
	})
}

// generationOf is the line by which an instance says which it is.
func generationOf(name string) string {
	return "template IN TXT generation.test {\n answer \"{{.Name}} 0 IN TXT " + name + "\"\n }"
}

// generation is what the instance that answers says of itself, "" if none answers.
func (p *process) generation() string {
	c := dns.Client{Timeout: time.Second}
	r, _, err := c.Exchange(new(dns.Msg).SetQuestion("generation.test.", dns.TypeTXT), p.dns)
	if err != nil || len(r.Answer) != 1 {
		return ""
	}
	return r.Answer[0].(*dns.TXT).Txt[0]
}

// gaveUp is how many instances CoreDNS gave up in which something was under way.
func (p *process) gaveUp() int { return strings.Count(p.said(), graceOver) }

// await returns when it is so, and fails the test if that takes too long.
func (p *process) await(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v:\n%s", what, patience, p.said())
		}
	}
}

// patient is start for a CoreDNS that gives what is under way ten minutes.
func patient(t *testing.T, lines []string, options ...option) *process {
	t.Helper()
	return launch(t, replaced(t, "github.com/coredns/coredns", graceSource, grace, longGrace), lines, options...)
}
