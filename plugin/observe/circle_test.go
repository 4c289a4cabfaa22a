package observe

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

var (
	upstreamHost = netip.MustParseAddr("192.0.2.53")
	otherHost    = netip.MustParseAddr("198.51.100.7")
)

func suspicious() *circle {
	c := newCircle([]upstreamSet{{addrs: []string{"192.0.2.53:53", "tls://unusable"}}})
	c.begin(upstreamHost, asks(0))
	return c
}

func asks(i int) dns.Question {
	return dns.Question{Name: fmt.Sprintf("Q%d.example.org.", i), Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// round has somebody wait for question i, which comes back if it is to.
func round(c *circle, i int, back, failed bool) bool {
	f := c.begin(otherHost, asks(i))
	if back {
		q := asks(i)
		q.Name = dns.CanonicalName(q.Name)
		c.begin(upstreamHost, q)
	}
	return c.end(f, failed) == upstreamHost
}

func TestQuestionsThatComeBackAndFailAreACircle(t *testing.T) {
	c := suspicious()
	for i := 1; i < 6; i++ {
		if got, want := round(c, i, true, true), i >= provenAfter; got != want {
			t.Errorf("after %d questions that came back: a circle is %t", i, got)
		}
	}
}

func TestWhatMayBeChanceIsNoCircle(t *testing.T) {
	for name, step := range map[string]func(c *circle, i int) bool{
		"the same question again":       func(c *circle, _ int) bool { return round(c, 1, true, true) },
		"they come back and are good":   func(c *circle, i int) bool { return round(c, i, true, false) },
		"they fail and do not come":     func(c *circle, i int) bool { return round(c, i, false, true) },
		"every other one does not come": func(c *circle, i int) bool { return round(c, i, i%2 == 0, true) },
		"all clients are there":         func(c *circle, i int) bool { return c.begin(upstreamHost, asks(i)) != nil },
	} {
		c := suspicious()
		for i := range 20 {
			if step(c, i) {
				t.Errorf("%s: a circle", name)
			}
		}
	}
}

func TestNothingIsFollowedUntilAnUpstreamAsks(t *testing.T) {
	c := newCircle([]upstreamSet{{addrs: []string{"192.0.2.53:53"}}})
	if c.begin(otherHost, asks(1)) != nil || len(c.flights) != 0 {
		t.Error("a question is followed although no upstream ever asked")
	}
}

func TestTheFlightsAreBounded(t *testing.T) {
	c := suspicious()
	var all []*flight
	for i := range 2 * maxFlights {
		if f := c.begin(otherHost, asks(i)); f != nil {
			all = append(all, f)
		}
	}
	if len(c.flights) > maxFlights {
		t.Errorf("%d questions are followed, want at most %d", len(c.flights), maxFlights)
	}
	for _, f := range all {
		c.end(f, true)
	}
	if len(c.flights) != 0 {
		t.Errorf("%d flights are left", len(c.flights))
	}
}
