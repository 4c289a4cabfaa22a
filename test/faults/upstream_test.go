//go:build linux

package faults

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// An upstream that is well and ill by turns: it answers, fails, hangs up and
// says nothing, each for a fifth of a second.
func TestFlappingUpstream(t *testing.T) {
	parallel(t)
	up := upstream.Start(t, upstream.Config{})
	p := start(t, []string{"ede {\n page 127.0.0.1:0\n }", "cache 1", forward(up.Addr(), "read_timeout 300ms")})
	tr := p.try(t, "upstream flapping")
	ended := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		states := []dns.Handler{upstream.Rcode(dns.RcodeServerFailure, true), upstream.Silent(), upstream.Answer(), upstream.Rcode(dns.RcodeRefused, false)}
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				up.Handle(states[i%len(states)])
			}
		}
	}()
	all := load{addr: p.dns, network: "udp", clients: 16, during: span(2*time.Second, 30*time.Second), pace: time.Millisecond}.run()
	close(stop)
	<-ended
	tr.done(all, "%d failed, all explained", all.failed)
	if all.failed == 0 || all.failed == all.queries || all.explained != all.failed {
		t.Errorf("%d queries, %d failed, %d explained, want some to fail and each of these explained", all.queries, all.failed, all.explained)
	}
}

const (
	briefly   = "read_timeout 300ms"
	patiently = "read_timeout 10s"
)

// An upstream whose answers are none.
func TestUpstreamThatMisbehaves(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler dns.Handler
		// wait is how long forward waits: briefly for what never comes.
		wait string
		// fails is whether the client gets SERVFAIL for it.
		fails bool
	}{
		{"garbage", upstream.Garbage(), patiently, true},
		{"less than a header", upstream.Short(), briefly, true},
		{"another ID", upstream.WrongID(), briefly, true},
		{"another question", upstream.WrongQuestion(), patiently, false}, // forward answers FORMERR
		{"truncated answers", upstream.Truncated(), patiently, false},
		{"answers of 8 KiB", upstream.Oversized(), patiently, false}, // forward truncates
		{"slow SERVFAIL", upstream.Slow(100*time.Millisecond, upstream.Rcode(dns.RcodeServerFailure, true)), patiently, true},
		{"silence", upstream.Silent(), briefly, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: c.handler})
			p := start(t, []string{"ede", forward(up.Addr(), c.wait)})
			tr := p.try(t, "upstream sends "+c.name)
			all := load{addr: p.dns, network: "udp", clients: 16, during: span(time.Second, 10*time.Second)}.run()
			tr.done(all, "%d failed, %d explained", all.failed, all.explained)
			want := 0
			if c.fails {
				want = all.queries
			}
			if all.failed != want || all.explained != want {
				t.Errorf("%d queries, %d failed, %d explained, want %d", all.queries, all.failed, all.explained, want)
			}
		})
	}
}
