package test_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// sees asks name and compares the answer's EDEs and the line's fields.
func sees(t *testing.T, logs *server.Logs, addr, name, rcode, ede string, want line) {
	t.Helper()
	m := query(name)
	expect(t, ask(t, fullClient, "udp", addr, m), rcode, ede)
	expectFields(t, failureOf(t, logs, m), want)
}

func TestTheRightPluginIsNamedIn(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	unreachable, ede := line{"cause": "upstream_unreachable", "at": "forward", "upstream": addr}, "23 "+addr+" refused the connection"
	miss, missing := line{"cause": "hosts_miss", "at": "hosts", "upstream": ""}, "0 hosts has no …"
	fwd, hosts := forward(addr, patiently), "hosts {\n 192.0.2.5 known.example.org\n }"
	autopath := textFile(t, "search example.org example.net\nnameserver 192.0.2.53\n")

	for _, tc := range []struct {
		name, corefile, zone, qname string
		ede                         string
		want                        line
	}{
		{"an imported snippet", "(broken) {\n " + levels + "\n " + fwd + "\n}\n" + here(".:0", "import broken"), ".", "snippet.example.org", ede, unreachable},
		{"the first of several blocks", here("example.org:0", levels, hosts) + here("example.net:0", levels, fwd), "example.org", "first.example.org", missing, miss},
		{"the second of several blocks", here("example.org:0", levels, hosts) + here("example.net:0", levels, fwd), "example.net", "second.example.net", ede, unreachable},
		{"a block without ede next to one with ede", here("example.org:0", hosts) + here("example.net:0", levels, fwd), "example.net", "next.example.net", ede, unreachable},
		{"the first of several keys", here("example.org:0 example.net:0", levels, fwd), "example.org", "key1.example.org", ede, unreachable},
		{"the last of several keys", here("example.org:0 example.net:0", levels, fwd), "example.net", "key2.example.net", ede, unreachable},
		{"a block above cache", here(".:0", levels, "cache", fwd), ".", "cache.example.org", ede, unreachable},
		{"a rewrite above cache", here(".:0", levels, "rewrite name suffix .example.org .example.net", "cache", fwd), ".", "rewritten.example.org", ede,
			line{"cause": "upstream_unreachable", "at": "forward", "upstream": addr, "asked": "rewritten.example.net. A"}},
		{"autopath above cache", here(".:0", levels, "autopath . "+autopath, "cache", fwd), ".", "autopath.example.org", ede,
			line{"cause": "upstream_unreachable", "at": "forward", "upstream": addr, "qname": "autopath.example.org."}},
		{"plugins that pass on", here(".:0", levels, "metadata", "cancel", "bufsize 1232", "any", "chaos", "loadbalance", "header {\n response set ra\n }", "minimal", "hosts {\n fallthrough\n }", fwd), ".", "many.example.org", ede, unreachable},
		{"ede for another zone than the block's", here(".:0", strings.Replace(levels, "ede", "ede example.org", 1), fwd), ".", "zone.example.org", ede, unreachable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := server.Start(t, tc.corefile)
			sees(t, logs, s.UDP(tc.zone), tc.qname, "SERVFAIL", tc.ede, tc.want)
		})
	}
}

func TestViewsHaveTheirOwnCauses(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	s := server.Start(t, here(".:0", "view full {\n expr incidr(client_ip(), '"+fullClient+"/32')\n }", "ede {\n text full\n }", "cache", forward(addr, patiently))+
		here(".:0", "ede {\n text full\n }", "hosts {\n 192.0.2.5 known.example.org\n }"))
	for range 2 {
		m := query("view.example.org")
		if got := errorsOf(ask(t, fullClient, "udp", s.UDP(), m)); len(got) == 0 || !strings.HasPrefix(got[0], "23 "+addr+" refused the connection") {
			t.Errorf("the first view says %q", got)
		}
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_unreachable", "view": "full"})
		m = query("view.example.org")
		expect(t, ask(t, briefClient, "udp", s.UDP(), m), "SERVFAIL", "0 hosts has no …")
		expectFields(t, failureOf(t, logs, m), line{"cause": "hosts_miss", "view": ""})
	}
}

func TestExceptedNamesAreNotExplained(t *testing.T) {
	logs := server.Capture(t)
	s := server.Start(t, here(".:0", "ede {\n except internal.example.org\n }", "fault returned SERVFAIL"))
	for _, name := range []string{"internal.example.org", "a.INTERNAL.example.org"} {
		expect(t, ask(t, fullClient, "udp", s.UDP(), query(name)), "SERVFAIL")
	}
	m := query("notinternal.example.org")
	expect(t, ask(t, briefClient, "udp", s.UDP(), m), "SERVFAIL", "0 SERVFAIL, cause not known")
	failureOf(t, logs, m)
	if lines := logs.Matching("qname=internal"); len(lines) != 0 {
		t.Errorf("%q is logged", lines)
	}
}

func TestManySocketsShareOneBlock(t *testing.T) {
	leak.Check(t)
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
	_, port, _ := strings.Cut(upstream.Closed(t), ":")
	server.Start(t, here(".:"+port, "multisocket 4", levels, "cache", forward(up.Addr(), patiently)))
	for i := range 16 {
		name := fmt.Sprintf("socket%d.example.org", i%4)
		m := query(name)
		got := errorsOf(ask(t, fullClient, "udp", "127.0.0.1:"+port, m))
		if len(got) == 0 || !strings.HasPrefix(got[0], "7 from "+up.Addr()+": expired") {
			t.Errorf("%s: answer says %q", name, got)
		}
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_ede"})
	}
	if n := up.Queries(); n != 4 {
		t.Errorf("the upstream was asked %d times, want 4: the sockets do not share the cache", n)
	}
}

func TestAReloadExplainsWithTheNewChain(t *testing.T) {
	leak.Check(t)
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	old := here(".:0", levels, "cache", forward(addr, patiently))
	s := server.Start(t, old)
	udp := s.UDP()
	refuses := line{"cause": "upstream_unreachable", "upstream": addr, "at": "forward"}
	sees(t, logs, udp, "before.example.org", "SERVFAIL", "23 "+addr+" refused the connection", refuses)

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := strings.Cut(taken.Addr().String(), ":")
	for i, broken := range []string{
		here(".:0", levels, "forward . nonsense"),
		here(".:0", "ede {\n nonsense\n }"),
		// This one gets as far as its start before a port is not to be had.
		here(".:0", levels, "whoami") + here("tls://.:"+port, levels, "whoami"),
	} {
		if err := s.Reload(broken); err == nil {
			t.Fatalf("%q loads", broken)
		}
		sees(t, logs, udp, fmt.Sprintf("failed%d.example.org", i), "SERVFAIL", "23 "+addr+" refused the connection", refuses)
	}
	for i := range 3 {
		if err := s.Reload(here(".:0", levels, "hosts {\n 192.0.2.5 known.example.org\n }")); err != nil {
			t.Fatal(err)
		}
		sees(t, logs, udp, fmt.Sprintf("hosts%d.example.org", i), "SERVFAIL", "0 hosts has no …", line{"cause": "hosts_miss", "at": "hosts"})
		if err := s.Reload(old); err != nil {
			t.Fatal(err)
		}
		sees(t, logs, udp, fmt.Sprintf("after%d.example.org", i), "SERVFAIL", "23 "+addr+" refused the connection", refuses)
	}
	if err := s.Reload(here(".:0", forward(addr, patiently))); err != nil {
		t.Fatal(err)
	}
	expect(t, ask(t, fullClient, "udp", udp, query("without.example.org")), "SERVFAIL")
}

func TestQueriesAndReloadsAtOnceDoNotDisturbEachOther(t *testing.T) {
	leak.Check(t)
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Flap(upstream.Answer(), upstream.Rcode(servfail, true, ede(7, "expired")))})
	corefile := here(".:0", "ede", "metadata", "rewrite name suffix .example.net .example.org", "cache {\n servfail 1s\n prefetch 1 1m 90%\n serve_stale 1h verify\n }", "dns64 {\n allow_ipv4\n }", forward(up.Addr(), patiently))
	s := server.Start(t, corefile)
	udp, done := s.UDP(), make(chan error, 4)
	for w := range 4 {
		go func() {
			for i := range 200 {
				qtype := []uint16{dns.TypeA, dns.TypeAAAA}[i%2]
				m := server.Message(fmt.Sprintf("w%d.%d.example.net", w, i%7), qtype, server.EDNS())
				if _, err := server.Exchange(udp, "udp", m, patience); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 3 {
		if err := s.Reload(corefile); err != nil {
			t.Error(err)
		}
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What no plugin of its own block sees, the block for all other names explains:
// a name in no zone, and one whose views all decline.
func TestTheBlockForAllOtherNamesExplainsWhatNoOtherTakes(t *testing.T) {
	logs := server.Capture(t)
	_, port, _ := strings.Cut(upstream.Closed(t), ":")
	s := server.Start(t, here("example.org:"+port, "view nobody {\n expr client_ip() == '192.0.2.99'\n }", "whoami")+
		here(".:"+port, "ede", "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }"))
	for _, name := range []string{"view.example.org", "other.example.net"} {
		m := query(name)
		expect(t, ask(t, briefClient, "udp", s.UDP("."), m), "REFUSED", "20 not served here")
		expectFields(t, failureOf(t, logs, m), line{"cause": "template_rcode", "at": "template", "ede": "20"})
	}
}
