//go:build linux

package faults

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// Few names that all expire every second, with a cache that refreshes them in
// the background, and an upstream that fails every third query: refreshes run
// while clients ask and beyond the end of their queries.
func TestStormOverACacheThatRefreshes(t *testing.T) {
	for name, policy := range map[string]string{
		"prefetch":               "prefetch 1 1m 90%",
		"serve_stale immediate":  "serve_stale 1h immediate",
		"serve_stale verify":     "serve_stale 1h verify 20ms",
		"prefetch and metadata":  "prefetch 1 1m 90%",
		"stale, prefetch, dns64": "prefetch 1 1m 90%\n serve_stale 1h immediate",
	} {
		t.Run(name, func(t *testing.T) {
			parallel(t)
			up := upstream.Start(t, upstream.Config{Handler: shortLived()})
			extra, qtype := "", dns.TypeA
			switch name {
			case "prefetch and metadata":
				extra = "metadata"
			case "stale, prefetch, dns64":
				extra, qtype = "dns64 {\n allow_ipv4\n }", dns.TypeAAAA
			}
			p := start(t, []string{
				"ede {\n page 127.0.0.1:0\n why\n text full 127.0.0.0/8\n diagnose {\n rate 50 8\n }\n }", extra,
				"cache 1 {\n servfail 1s\n " + policy + "\n }", forward(up.Addr()),
			})
			tr := p.try(t, "storm over a cache with "+name)
			all := load{
				addr: p.dns, network: "udp", clients: 16, qtype: qtype, during: span(3*time.Second, 20*time.Second),
				name: func(client, n int) string { return fmt.Sprintf("n%d.example.org.", (n+client)%40) },
			}.run()
			dropped := p.counter(t, "coredns_ede_log_dropped_total")
			tr.done(all, "%d failed; %d queries to the upstream", all.failed, up.Queries())
			if all.failed == 0 || all.failed == all.queries || all.explained != all.failed {
				t.Errorf("%d queries, %d failed, %d explained, want some to fail and each of these explained", all.queries, all.failed, all.explained)
			}
			p.stop(t)
			if n := told(t, p.said()); n+dropped != all.failed {
				t.Errorf("%d failures: %d told in the log, %d dropped, want each once", all.failed, n, dropped)
			}
		})
	}
}

// shortLived answers with a record of one second, but to every third query.
func shortLived() dns.Handler {
	var queries atomic.Int64
	fail := upstream.Rcode(dns.RcodeServerFailure, true)
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if queries.Add(1)%3 == 0 {
			fail.ServeDNS(w, m)
			return
		}
		r := new(dns.Msg).SetReply(m)
		if q := m.Question[0]; q.Qtype == dns.TypeA {
			r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: []byte{192, 0, 2, 1}}}
		}
		_ = w.WriteMsg(r)
	})
}
