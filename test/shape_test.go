package test_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/metrics/vars"

	"github.com/miekg/dns"
	dto "github.com/prometheus/client_model/go"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func TestExactlyOneAnswerLeavesInEveryShape(t *testing.T) {
	logs := server.Capture(t)
	for _, shape := range shapes {
		for _, rcode := range []string{"SERVFAIL", "REFUSED"} {
			want := rcode
			switch shape {
			case "unanswered":
				continue // TestADropStaysADrop
			case "panicked":
				continue // TestAPanicIsRecordedAndLeftToTheServerCore
			}
			t.Run(shape+" "+rcode, func(t *testing.T) {
				s := server.Start(t, here(".:0", levels, "errors", "fault "+shape+" "+rcode))
				for network, addr := range map[string]string{"udp": s.UDP(), "tcp": s.TCP()} {
					m := query(shape + ".example.org")
					cause, text := "unknown", "0 "+want+" from plugin fault, cause not known…"
					if want == "REFUSED" && !strings.HasSuffix(shape, "-error") {
						cause, text = "plugin_refused", "0 plugin fault refused the query and gave no reason"
					}
					expect(t, ask(t, fullClient, network, addr, m), want, text)
					l := failureOf(t, logs, m)
					expectFields(t, l, line{"cause": cause, "at": "fault", "rcode": want, "sent": "true", "protocol": network})
					if hasError := strings.Contains(shape, "error") && shape != "noerror-returned"; hasError {
						expectFields(t, l, line{"error": "disk on fire"})
						logs.WaitFor(t, "[ERROR] plugin/errors: 0 "+shape+".example.org. A: disk on fire", patience)
					}

					m = server.Message(shape+".example.org", dns.TypeA)
					r := ask(t, fullClient, network, addr, m)
					expect(t, r, want)
					if r.IsEdns0() != nil {
						t.Error("an OPT in the answer to a query without one")
					}
					expectFields(t, failureOf(t, logs, m), line{"cause": cause, "sent": "no_edns"})
				}
			})
		}
	}
}

func TestADropStaysADrop(t *testing.T) {
	logs := server.Capture(t)
	for name, plugins := range map[string]string{
		"acl":     "acl {\n drop net 127.0.0.0/8\n }\nwhoami",
		"minimal": "minimal\nfault dropped SERVFAIL",
		"cache":   "cache\nfault dropped SERVFAIL",
		"alone":   "fault dropped SERVFAIL",
		"limiter": "fault unanswered SERVFAIL",
		"minimal above a plugin that returns an error": "minimal\nfault unanswered SERVFAIL",
	} {
		t.Run(name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, plugins))
			if got := server.Datagrams(t, s.UDP(), query("drop."+name+".example.org"), 0, 2*silence); len(got) != 0 {
				t.Errorf("got %v, want no answer", got)
			}
			if lines := logs.Matching("drop." + name); len(lines) != 0 {
				t.Errorf("a drop is logged: %q", lines)
			}
		})
	}
}

func TestAPanicIsRecordedAndLeftToTheServerCore(t *testing.T) {
	logs := server.Capture(t)
	for name, plugins := range map[string]string{
		"dns64": "dns64 {\n allow_ipv4\n }", "siit": "siit {\n eam 192.0.2.1 2001:db8::1\n }", "fault": "fault panicked SERVFAIL",
	} {
		t.Run(name, func(t *testing.T) {
			needs(t, plugins)
			s := server.Start(t, here(".:0", levels, plugins))
			before := panics(t)
			qtype := dns.TypeAAAA
			if name == "siit" {
				qtype = dns.TypeA
			}
			m := server.Message(name+".panic.example.org", qtype, server.EDNS())
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL")
			l := failureOf(t, logs, m)
			expectFields(t, l, line{"cause": "panic", "at": name, "ede": "0", "sent": "off", "text": name + " panicked: …"})
			logs.WaitFor(t, "Recovered from panic in server", patience)
			if got := panics(t) - before; got != 1 {
				t.Errorf("coredns_panics_total counts %v, want 1", got)
			}
			expect(t, ask(t, fullClient, "tcp", s.TCP(), server.Message("again.example.org", qtype)), "SERVFAIL")
		})
	}
}

// panics is the value of coredns_panics_total.
func panics(t *testing.T) float64 {
	t.Helper()
	var m dto.Metric
	if err := vars.Panic.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// minimal returns the error of a plugin that has written its failure, and
// throws the message away: the client would get nothing at all.
// minimal loses the answer of etcd and returns its error. Stock CoreDNS sends nothing
// then, and neither does ede: a chain that wrote nothing and reports success wants that.
func TestMinimalAboveEtcdStaysUnanswered(t *testing.T) {
	logs := server.Capture(t)
	s := server.Start(t, here(".:0", levels, "minimal", "etcd skydns.local {\n endpoint http://"+upstream.Closed(t)+"\n }"))
	m := query("minimal.skydns.local")
	if got := server.Datagrams(t, s.UDP(), m, 0, etcdPatience); len(got) != 0 {
		t.Errorf("got %v, want no answer", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	logs.WaitFor(t, "summary sent=dropped at=etcd", patience)
	if lines := logs.Matching("qname=minimal.skydns.local."); len(lines) != 0 {
		t.Errorf("a drop has a line: %q", lines)
	}
}

// etcdPatience is longer than etcd's client tries (plugin/etcd/etcd.go: 5 s).
const etcdPatience = 7 * time.Second

func TestTheQuestionThatARewriteMadeIsLogged(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	for name, rule := range map[string]string{
		"without response rules": "rewrite name www.rewritten.example.org other.example.net",
		"with response rules":    "rewrite stop {\n name regex (.*)[.]rewritten[.]example[.]org other.example.net answer auto\n }",
	} {
		t.Run(name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, rule, forward(addr, patiently)))
			m := query("www.rewritten.example.org")
			r := ask(t, fullClient, "udp", s.UDP(), m)
			expect(t, r, "SERVFAIL", "23 "+addr+" refused the connection")
			if r.Question[0] != m.Question[0] {
				t.Errorf("the answer is to %v, want %v", r.Question[0], m.Question[0])
			}
			expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_unreachable", "at": "forward", "asked": "other.example.net. A"})
		})
	}
}

// A client's query is counted and logged once, however many lookups it takes
// inside the server.
func TestLookupsInsideBelongToTheClientsQuery(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	up := upstream.Start(t, upstream.Config{Handler: aFails(upstream.Rcode(refused, false))})
	for _, tc := range []struct {
		name, plugins, qname string
		qtype                uint16
		rcode                string
		edes                 []string
		want                 line
	}{
		{
			"the target of a CNAME", "file " + zoneFile(t) + " example.org\n" + forward(addr, patiently), "out.example.org", dns.TypeA,
			"SERVFAIL", []string{"23 " + addr + " refused the connection"},
			line{"cause": "cname_target_failed", "at": "file", "upstream": addr, "owner": "upstream"},
		},
		{
			"a template's CNAME through dns64",
			"dns64 {\n allow_ipv4\n }\n" + forward(up.Addr(), patiently), "v6.example.org", dns.TypeAAAA,
			"REFUSED", []string{"0 " + up.Addr() + " refused the query…"},
			line{"cause": "upstream_refused", "at": "forward", "upstream": up.Addr()},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, tc.plugins))
			m := server.Message(tc.qname, tc.qtype, server.EDNS())
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), tc.rcode, tc.edes...)
			expectFields(t, failureOf(t, logs, m), tc.want)
		})
	}
}
