//go:build linux

package faults

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func refuses(t *testing.T) string {
	t.Helper()
	return forward(upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeRefused, true)}).Addr())
}

// A log that goes to a full disk.
func TestDiskFull(t *testing.T) {
	parallel(t)
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := start(t, []string{"ede {\n log all\n }", refuses(t)}, output(f))
	tr := p.try(t, "disk full for the log (/dev/full)")
	all := load{addr: p.dns, network: "udp", clients: 16, during: span(time.Second, 20*time.Second)}.run()
	tr.done(all, "%d lines dropped", p.counter(t, "coredns_ede_log_dropped_total"))
	if all.explained != all.queries {
		t.Errorf("%d queries, %d explained", all.queries, all.explained)
	}
}

// A log that goes to a pipe that nobody reads, until somebody does.
func TestLogSinkThatBlocks(t *testing.T) {
	parallel(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := start(t, []string{"ede {\n log all\n }", refuses(t)}, output(w))
	w.Close()
	tr := p.try(t, "log sink blocked")
	first := load{addr: p.dns, network: "udp", clients: 16, most: size(150, 2000)}.run()
	dropped := p.counter(t, "coredns_ede_log_dropped_total")
	if dropped == 0 {
		t.Errorf("none of %d lines dropped: the sink does not block", first.queries)
	}
	lines := make(chan int)
	go func() {
		n := 0
		for s := bufio.NewScanner(r); s.Scan(); {
			if strings.Contains(s.Text(), "plugin/ede: rcode=") {
				n++
			}
		}
		lines <- n
	}()
	// The sink is read again, and what comes now is written.
	second := load{addr: p.dns, network: "udp", clients: 1, most: 50}.run()
	all := first.plus(second)
	dropped = p.counter(t, "coredns_ede_log_dropped_total")
	tr.done(all, "%d lines dropped", dropped)
	if all.explained != all.queries {
		t.Errorf("%d queries, %d explained", all.queries, all.explained)
	}
	p.stop(t)
	if n := <-lines; n+dropped != all.queries {
		t.Errorf("%d failures: %d lines written, %d dropped, want each one or the other", all.queries, n, dropped)
	}
}
