//go:build linux

package faults

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// Queries over TCP that all wait at the same time for an upstream that fails
// them late.
func TestCrowdOverTCP(t *testing.T) {
	parallel(t)
	n := size(500, 10000)
	// In CoreDNS each is a connection and a socket to the upstream.
	if most := (descriptors(uint64(3*n)) - 100) / 2; most < n {
		t.Logf("this machine allows %d at once", most)
		n = most
	}
	up := upstream.Start(t, upstream.Config{Handler: gate(n)})
	p := start(t, []string{"ede {\n log summary 1s\n }", forward(up.Addr(), "read_timeout 20s")})
	tr := p.try(t, fmt.Sprintf("%d failing queries over TCP, a client each", n))
	all := load{addr: p.dns, network: "tcp", clients: n, most: 1, wait: 60 * time.Second}.run()
	tr.done(all, "slowest %.1f s", all.slowest.Seconds())
	if all.explained != all.queries {
		t.Errorf("%d queries, %d explained", all.queries, all.explained)
	}
}

// gate holds SERVFAIL back until n queries wait, and some polls longer, in which
// the peak is read; at most four seconds.
func gate(n int) dns.Handler {
	arrived := make(chan struct{}, n)
	open := make(chan struct{})
	go func() {
		timer := time.NewTimer(time.Minute)
		defer timer.Stop()
		defer close(open)
		for range n {
			select {
			case <-arrived:
			case <-timer.C:
				return
			}
		}
		time.Sleep(3 * poll)
	}()
	fail := upstream.Rcode(dns.RcodeServerFailure, true)
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		select {
		case arrived <- struct{}{}:
		default:
		}
		timer := time.NewTimer(4 * time.Second)
		defer timer.Stop()
		select {
		case <-open:
		case <-timer.C:
		}
		fail.ServeDNS(w, m)
	})
}

// descriptors raises the limit of this process and its children to n, as far as
// is allowed, and returns it.
func descriptors(n uint64) int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	if limit.Cur >= n {
		return int(n)
	}
	for _, wanted := range []syscall.Rlimit{{Cur: n, Max: max(limit.Max, n)}, {Cur: min(n, limit.Max), Max: limit.Max}} {
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wanted) == nil {
			return int(wanted.Cur)
		}
	}
	return int(limit.Cur)
}
