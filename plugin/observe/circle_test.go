package observe

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

var (
	upstreamHost = netip.MustParseAddrPort("192.0.2.53:40053")
	otherHost    = netip.MustParseAddrPort("198.51.100.7:40007")
)

// settled is a circle whose upstream has asked something a while ago.
func settled() *circle {
	c := newCircle([]upstreamSet{{addrs: []string{"192.0.2.53:53", "tls://unusable"}}})
	c.begin(upstreamHost, asks(0))
	time.Sleep(settling)
	return c
}

// ended notes how the query of w ended, and returns what that shows.
func ended(c *circle, w waiter, failed bool) circled {
	defer c.end(w)
	return c.conclude(w, failed)
}

func asks(i int) dns.Question {
	return dns.Question{Name: fmt.Sprintf("Q%d.example.org.", i), Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// round has somebody wait for question i, which comes back if it is to.
func round(c *circle, i int, back, failed bool) bool {
	w := c.begin(otherHost, asks(i))
	if back {
		q := asks(i)
		q.Name = dns.CanonicalName(q.Name)
		c.begin(upstreamHost, q)
	}
	if w.flight == nil {
		return false
	}
	return ended(c, w, failed).from == upstreamHost.Addr()
}

func TestQuestionsThatComeBackAndFailAreACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settled()
		for i := 1; i < 8; i++ {
			if got, want := round(c, i, true, true), i >= provenAfter; got != want {
				t.Errorf("after %d questions that came back: a circle is %t", i, got)
			}
		}
	})
}

// What was under way when the upstream asked first is not known, nor whether it has clients.
func TestNothingIsConcludedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCircle([]upstreamSet{{addrs: []string{"192.0.2.53:53"}}})
		c.begin(upstreamHost, asks(0))
		for i := 1; i < 20; i++ {
			if round(c, i, true, true) {
				t.Fatal("a circle at once")
			}
		}
		time.Sleep(settling)
		if !round(c, 20, true, true) {
			t.Error("no circle later")
		}
	})
}

func TestAHealthCheckThatComesBackIsNoClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settled()
		c.begin(upstreamHost, dns.Question{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET})
		found := false
		for i := 1; i <= provenAfter; i++ {
			found = round(c, i, true, true)
		}
		if !found {
			t.Error("no circle")
		}
	})
}

// A router may be resolver and NAT of a site: in an outage all ask the same few names.
func TestAnUpstreamThatAlsoAsksWhatNobodyWaitsForHasClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settled()
		c.begin(upstreamHost, asks(99))
		for i := 1; i < 20; i++ {
			if round(c, i, true, true) {
				t.Fatal("a circle")
			}
		}
	})
}

func TestWhatMayBeChanceIsNoCircle(t *testing.T) {
	for name, step := range map[string]func(c *circle, i int) bool{
		"the same question again":       func(c *circle, _ int) bool { return round(c, 1, true, true) },
		"they come back and are good":   func(c *circle, i int) bool { return round(c, i, true, false) },
		"they fail and do not come":     func(c *circle, i int) bool { return round(c, i, false, true) },
		"every other one does not come": func(c *circle, i int) bool { return round(c, i, i%2 == 0, true) },
		"all clients are there":         func(c *circle, i int) bool { return c.begin(upstreamHost, asks(i)).flight != nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			c := settled()
			for i := range 20 {
				if step(c, i) {
					t.Errorf("%s: a circle", name)
				}
			}
		})
	}
}

func TestNothingIsFollowedUntilAnUpstreamAsks(t *testing.T) {
	c := newCircle([]upstreamSet{{addrs: []string{"192.0.2.53:53"}}})
	if c.begin(otherHost, asks(1)).flight != nil || len(c.flights) != 0 {
		t.Error("a question is followed although no upstream ever asked")
	}
}

func TestTheFlightsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settled()
		c.row = provenAfter
		var all []waiter
		for i := range 2 * maxFlights {
			all = append(all, c.begin(otherHost, asks(i)))
		}
		if len(c.flights) != maxFlights || all[0].flight == nil || c.flights[all[0].question] != all[0].flight {
			t.Errorf("%d questions are followed, want the first %d", len(c.flights), maxFlights)
		}
		// Of the others nothing is known.
		c.begin(upstreamHost, all[0].question)
		c.begin(upstreamHost, asks(2*maxFlights-1))
		if len(c.clients) != 0 {
			t.Error("what somebody may wait for is taken for the question of a client")
		}
		for i, w := range all {
			if ended(c, w, true).from.IsValid() {
				t.Errorf("question %d: a circle", i)
			}
		}
		if len(c.flights) != 0 {
			t.Errorf("%d flights are left", len(c.flights))
		}
	})
}

// own is a circle whose upstream is an address that this process listens on.
func own(t *testing.T) *circle {
	addrs := []netip.AddrPort{netip.MustParseAddrPort("[::]:53")}
	listening.Store(&addrs)
	t.Cleanup(func() { listening.Store(nil) })
	return newCircle([]upstreamSet{{addrs: []string{"127.0.0.11:53"}}})
}

func socket(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(40000+i))
}

func TestAQuestionThatComesBackFromThisHostShowsItAtOnce(t *testing.T) {
	for _, first := range []netip.AddrPort{otherHost, socket(0)} {
		c := own(t)
		all := []waiter{c.begin(first, asks(1))}
		for i := range deep {
			all = append(all, c.begin(socket(i+1), asks(1)))
		}
		for i := len(all) - 1; i > 0; i-- {
			ended(c, all[i], true)
		}
		if !ended(c, all[0], true).here {
			t.Errorf("from %v: not seen", first)
		}
	}
}

func TestAFloodOfOneQuestionFromThisHostShowsItToo(t *testing.T) {
	c := own(t)
	first := c.begin(otherHost, asks(1))
	for i := range floods {
		c.begin(socket(i), asks(1))
	}
	if !ended(c, first, true).here {
		t.Error("not seen")
	}
}

// together has n programs ask the same at once, and fail in the order in which they asked.
func together(c *circle, n int) {
	var all []waiter
	for i := range n {
		all = append(all, c.begin(socket(i), asks(1)))
	}
	for _, w := range all {
		ended(c, w, true)
	}
}

func TestProgramsOnThisHostAreNoCircle(t *testing.T) {
	for name, clients := range map[string]func(c *circle, first waiter) bool{
		"nothing comes back": func(c *circle, first waiter) bool { return ended(c, first, true).here },
		"one program asks again and again": func(c *circle, first waiter) bool {
			for range floods {
				c.begin(socket(1), asks(1))
			}
			return ended(c, first, true).here
		},
		"programs ask the same, and are answered later": func(c *circle, first waiter) bool {
			for i := range 2 * deep {
				c.begin(socket(i), asks(1))
			}
			return ended(c, first, true).here
		},
		"programs ask the same while the first is slow, one after the other, and fail": func(c *circle, first waiter) bool {
			for i := range 2 * floods {
				ended(c, c.begin(socket(i), asks(1)), true)
			}
			return ended(c, first, true).here
		},
		"the same, after programs that asked together": func(c *circle, _ waiter) bool {
			together(c, 2*deep)
			slow := c.begin(otherHost, asks(1))
			for i := range 2 * floods {
				ended(c, c.begin(socket(i), asks(1)), true)
			}
			return ended(c, slow, true).here
		},
		"programs ask together, and the first is answered last": func(c *circle, first waiter) bool {
			together(c, 2*deep)
			return ended(c, first, true).here
		},
		"programs ask something else": func(c *circle, first waiter) bool {
			for i := range 2 * floods {
				ended(c, c.begin(socket(i), asks(2+i)), true)
			}
			return ended(c, first, true).here
		},
		"others ask the same": func(c *circle, first waiter) bool {
			for range 2 * floods {
				ended(c, c.begin(otherHost, asks(1)), true)
			}
			return ended(c, first, true).here
		},
		"it came back and was answered": func(c *circle, first waiter) bool {
			for i := range deep {
				ended(c, c.begin(socket(i), asks(1)), false)
			}
			return ended(c, first, false).here
		},
	} {
		c := own(t)
		if clients(c, c.begin(otherHost, asks(1))) {
			t.Errorf("%s: taken for a circle", name)
		}
	}
}
