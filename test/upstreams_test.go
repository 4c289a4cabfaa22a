package test_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func TestAllUpstreamsDownIsTold(t *testing.T) {
	logs := server.Capture(t)
	one, two := upstream.Closed(t), upstream.Closed(t)
	s := server.Start(t, here(".:0", levels, fmt.Sprintf("forward . %s %s {\n max_fails 1\n health_check 50ms\n failfast_all_unhealthy_upstreams\n }", one, two)))
	// The health checks tell nobody when they are through.
	for tries := range 200 {
		m := query(fmt.Sprintf("down%d.example.org", tries))
		r := ask(t, fullClient, "udp", s.UDP(), m)
		l := failureOf(t, logs, m)
		if l["cause"] == "upstream_unreachable" {
			expect(t, r, "SERVFAIL", "23 …refused the connection…")
			continue
		}
		if got := errorsOf(r); len(got) != 1 || !strings.Contains(got[0], one+" down since ") || !strings.Contains(got[0], two+" down since ") {
			t.Errorf("answer says %q, want both upstreams down", got)
		}
		expectFields(t, l, line{"cause": "no_healthy_upstream", "ede": "22", "at": "forward", "error": "no healthy proxies"})
		expect(t, ask(t, briefClient, "udp", s.UDP(), query("brief.down.example.org")), "SERVFAIL", "22 no healthy upstream")
		return
	}
	t.Error("the upstreams are never taken to be down")
}

func TestOverloadIsRefusedAndTold(t *testing.T) {
	logs := server.Capture(t)
	handler, release := held()
	up := upstream.Start(t, upstream.Config{Handler: handler})
	s := server.Start(t, here(".:0", levels, "cache", forward(up.Addr(), "max_concurrent 1", "read_timeout 1m")))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = server.Exchange(s.UDP(), "udp", query("slow.example.org"), time.Minute)
	}()
	t.Cleanup(func() { release(); <-done })
	up.Await(t, "slow.example.org", 1, patience)
	m := query("overload.example.org")
	expect(t, ask(t, briefClient, "udp", s.UDP(), m), "REFUSED", "0 overloaded: too many queries wait for the upstream")
	expectFields(t, failureOf(t, logs, m), line{"cause": "concurrency_limit", "lasts": "transient", "owner": "us", "cached": "false"})
	m = query("overload.example.org")
	expect(t, ask(t, fullClient, "udp", s.UDP(), m), "REFUSED", "0 overloaded: max_concurrent of forward reached (concurrent queries exceeded maximum 1)")
	if up.QueriesFor("overload.example.org") != 0 {
		t.Error("the upstream was asked")
	}
}

// held answers once it is released.
func held() (h dns.Handler, release func()) {
	released := make(chan struct{})
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		<-released
		upstream.Answer().ServeDNS(w, m)
	}), sync.OnceFunc(func() { close(released) })
}

func TestALoopIsProvenBeforeItIsTold(t *testing.T) {
	logs := server.Capture(t)
	_, port, _ := strings.Cut(upstream.Closed(t), ":")
	_, other, _ := strings.Cut(upstream.Closed(t), ":")
	for _, tc := range []struct{ name, corefile, key string }{
		{
			"to itself",
			here(".:"+port, levels, forward("127.0.0.1:"+port, "max_concurrent 5", patiently)), ".",
		},
		{
			"through another block",
			here("example.org:"+port, levels, forward("127.0.0.1:"+other, "max_concurrent 5", patiently)) +
				here("example.org:"+other, forward("127.0.0.1:"+port, "max_concurrent 5", patiently)), "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server.Start(t, tc.corefile)
			m := query("loop." + strings.ReplaceAll(tc.name, " ", "-") + ".example.org")
			all := packets(t, fullClient, "udp", "127.0.0.1:"+port, m)
			if len(all) != 1 {
				t.Fatalf("%d answers, want 1", len(all))
			}
			r := parse(t, all[0])
			if got := errorsOf(r); len(got) != 1 || !strings.HasPrefix(got[0], "0 forward sends the query to 127.0.0.1:") {
				t.Errorf("answer is %s %q, want a loop", dns.RcodeToString[r.Rcode], got)
			}
			text := logs.WaitForFunc(t, func(text string) bool {
				return isFailureOf(text, m) && strings.Contains(text, "client_ip="+fullClient)
			}, patience)
			_, l, err := parseLine(text)
			if err != nil {
				t.Fatal(err)
			}
			expectFields(t, l, line{"cause": "forward_loop", "owner": "us", "ede": "0"})
		})
	}
	t.Run("a block that forwards to another one is no loop", func(t *testing.T) {
		_, port, _ := strings.Cut(upstream.Closed(t), ":")
		s := server.Start(t, here("example.org:"+port, "template ANY ANY {\n rcode SERVFAIL\n }")+
			here(".:0", levels, forward("127.0.0.1:"+port, patiently)))
		m := query("noloop.example.org")
		expect(t, ask(t, briefClient, "udp", s.UDP("."), m), "SERVFAIL", "0 the upstream answered SERVFAIL without a reason")
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_servfail"})
	})
}

func TestTheForwardThatAnsweredLastIsNamed(t *testing.T) {
	logs := server.Capture(t)
	first := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(6, "first"))})
	second := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "second"))})
	gone := upstream.Closed(t)
	for _, tc := range []struct {
		name, last string
		edes       []string
		want       line
	}{
		{"the second fails, too", second.Addr(), []string{"7 from " + second.Addr() + ": second"}, line{"cause": "upstream_ede", "upstream": second.Addr()}},
		{"the second is gone", gone, []string{"23 " + gone + " refused the connection"}, line{"cause": "upstream_unreachable", "upstream": gone}},
	} {
		for _, above := range []string{"errors", "cache"} {
			t.Run(tc.name+" below "+above, func(t *testing.T) {
				s := server.Start(t, here(".:0", levels, above, forward(first.Addr(), "next SERVFAIL"), forward(tc.last, patiently)))
				m := query("next.example.org")
				expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", tc.edes...)
				expectFields(t, failureOf(t, logs, m), tc.want)
			})
		}
	}
}

// The upstreams of a forward are listed once, before the first query: a list
// moves the round robin on.
func TestARoundRobinTurnsAsWithoutEde(t *testing.T) {
	server.Capture(t)
	bad := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	good := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, here(".:0", levels, forward(bad.Addr()+" "+good.Addr(), "policy round_robin")))
	last := -1
	for i := range 10 {
		r := ask(t, fullClient, "udp", s.UDP(), query(fmt.Sprintf("turn%d.example.org", i)))
		if r.Rcode == last {
			t.Errorf("query %d is answered by the upstream that answered the one before", i)
		}
		last = r.Rcode
	}
}

func TestEveryUpstreamIsNamedOverEveryTransport(t *testing.T) {
	logs := server.Capture(t)
	for name, plugins := range map[string]string{
		"UDP":  "forward . %s %s {\n max_connect_attempts 1\n policy sequential\n }",
		"TCP":  "forward . %s %s {\n force_tcp\n max_connect_attempts 1\n policy sequential\n }",
		"TLS":  "forward . tls://%s tls://%s {\n max_connect_attempts 1\n policy sequential\n }",
		"DoH":  "forward . https://%s https://%s {\n max_connect_attempts 1\n policy sequential\n }",
		"gRPC": "grpc . %s %s {\n policy sequential\n }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := upstream.Closed(t), upstream.Closed(t)
			s := server.Start(t, here(".:0", levels, fmt.Sprintf(plugins, one, two)))
			m := query(name + ".named.example.org")
			got := errorsOf(ask(t, fullClient, "udp", s.UDP(), m))
			if len(got) != 1 || !strings.Contains(got[0], "refused the connection, ") || !strings.Contains(got[0], one) || !strings.Contains(got[0], two) {
				t.Errorf("answer says %q, want %s and %s", got, one, two)
			}
			expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_unreachable"})
		})
	}
	t.Run("DoQ", func(t *testing.T) {
		t.Parallel()
		one, two := upstream.Start(t, silent(upstream.QUIC)), upstream.Start(t, silent(upstream.QUIC))
		s := server.Start(t, here(".:0", levels, forward("quic://"+one.Addr()+" quic://"+two.Addr(),
			"tls "+one.CAFile()+"\n tls_servername "+certificate.Name, "policy sequential", soon)))
		m := query("doq.named.example.org")
		got := errorsOf(ask(t, fullClient, "udp", s.UDP(), m))
		if len(got) != 1 || !strings.HasPrefix(got[0], "23 no reply within ") || !strings.HasSuffix(got[0], one.Addr()+" timed out, "+two.Addr()+" not known to be down") {
			t.Errorf("answer says %q", got)
		}
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_timeout", "upstream": one.Addr()})
	})
}
