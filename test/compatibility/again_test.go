//go:build linux

package compatibility_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// A thousand names fail behind real resolvers, and clients without EDNS ask for them: of
// how many the server gets to know the reason.
func TestHowManyFailuresOfClientsWithoutEDNSHaveAReason(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	server.Capture(t)
	root := orchard(t)
	telling := resolver.Unbound.With("  ede: yes")
	behind := root
	behind.Forward = telling.Start(t, root)
	var rows []row
	for _, u := range []struct {
		name    string
		program resolver.Resolver
		root    resolver.Root
		// tells is false for one that gives no reasons.
		tells bool
	}{
		{"Unbound, `ede: yes`", telling, root, true},
		{"Unbound", resolver.Unbound, root, false},
		{"BIND", resolver.BIND, root, false},
		{"dnsmasq, Unbound with `ede: yes` behind it", resolver.Dnsmasq, behind, true},
	} {
		address := u.program.Start(t, u.root)
		before, off := explainedOf(t, address, "ask_again off")
		after, on := explainedOf(t, address, "ask_again 200")
		switch {
		case before != 0 || off != 0:
			t.Errorf("%s: %d reasons and %d queries where it is off", u.name, before, off)
		case u.tells && after != orchardNames, !u.tells && after != 0:
			t.Errorf("%s: %d of %d have a reason", u.name, after, orchardNames)
		case on > orchardNames:
			t.Errorf("%s: %d questions asked again", u.name, on)
		}
		rows = append(rows, row{u.name, u.program.Version(t), fmt.Sprintf("| %d | %d | %d |", before, after, on)})
	}
	documented(t, "reasons", rows)
}

const (
	orchardZones = 10
	orchardNames = 1000
)

// orchard serves a tree with zones in which every name fails.
func orchard(t *testing.T) resolver.Root {
	t.Helper()
	var cases []bed.Case
	for i := range orchardZones {
		cases = append(cases, bed.Case{Name: fmt.Sprintf("tree%d", i), After: bed.Times(dns.TypeDNSKEY, -40*day, -10*day)})
	}
	b := bed.New(t, time.Now(), cases...)
	b.Listen(t, 53)
	return resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()}
}

// explainedOf has clients without EDNS ask for all names, and again as long as there are
// some whose turn did not come, and returns how many of them got a reason, and how many
// were asked again.
func explainedOf(t *testing.T, upstream, property string) (reasons, asked int) {
	t.Helper()
	s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n %s\n log summary 1s\n }\n cache {\n servfail 0\n }\n forward . %s {\n max_fails 0\n }\n}", property, upstream))
	ends := func() (reasons, all int) {
		got := results(t)
		for result, n := range got {
			if result != "max_concurrent" {
				all += n
			}
		}
		return got["reason"], all
	}
	firstReasons, firstAll := ends()
	const rounds = 30
	for range rounds {
		var clients sync.WaitGroup
		names := make(chan int)
		for range 16 {
			clients.Go(func() {
				for i := range names {
					name := fmt.Sprintf("host%d.tree%d.%s", i, i%orchardZones, bed.TLD)
					if r := server.Ask(t, s.UDP(), name, dns.TypeA); r.Rcode != dns.RcodeServerFailure {
						t.Errorf("%s: %v", name, r)
					}
				}
			})
		}
		for i := range orchardNames {
			names <- i
		}
		close(names)
		clients.Wait()
		settle(func() int { _, all := ends(); return all })
		if _, all := ends(); all-firstAll >= orchardNames || all == firstAll {
			break
		}
	}
	lastReasons, lastAll := ends()
	return lastReasons - firstReasons, lastAll - firstAll
}

// settle returns when count does not grow any more.
func settle(count func() int) {
	for last, same := count(), 0; same < 10; {
		<-time.After(50 * time.Millisecond)
		if now := count(); now != last {
			last, same = now, 0
		} else {
			same++
		}
	}
}

// results are the values of coredns_ede_asked_again_total.
func results(t *testing.T) map[string]int {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]int)
	for _, f := range families {
		if f.GetName() == "coredns_ede_asked_again_total" {
			for _, m := range f.GetMetric() {
				values[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
			}
		}
	}
	return values
}
