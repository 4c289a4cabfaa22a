package test_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// returning is a resolver that asks the server it is asked by, from its own address, and
// asks nothing twice at a time: what dnsmasq does that has been given that server.
type returning struct {
	addr, back string

	mu    sync.Mutex
	asked map[dns.Question]bool
}

// startReturning starts one on an address of its own.
func startReturning(t *testing.T) *returning {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.9.1:0")
	if err != nil {
		t.Skipf("127.0.9.1: %v", err)
	}
	r := &returning{addr: conn.LocalAddr().String(), asked: make(map[dns.Question]bool)}
	s := &dns.Server{PacketConn: conn, Handler: r}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return r
}

func (r *returning) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	q := m.Question[0]
	r.mu.Lock()
	again := r.asked[q]
	r.asked[q] = true
	back := r.back
	r.mu.Unlock()
	if again {
		return
	}
	c := &dns.Client{Dialer: &net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 9, 1)}}, Timeout: patience}
	reply, _, err := c.Exchange(m.Copy(), back)
	r.mu.Lock()
	delete(r.asked, q)
	r.mu.Unlock()
	if err != nil {
		reply = new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
	}
	reply.Id = m.Id
	_ = w.WriteMsg(reply)
}

// The first questions might have come back by chance.
func TestACircleThroughAnotherServerIsProvenBeforeItIsTold(t *testing.T) {
	logs := server.Capture(t)
	up := startReturning(t)
	s := server.Start(t, here(".:0", levels, "forward . "+up.addr))
	up.mu.Lock()
	up.back = s.UDP(".")
	up.mu.Unlock()
	var causes []string
	for i := range 6 {
		m := query(fmt.Sprintf("circle%d.example.org.", i))
		_ = ask(t, fullClient, "udp", s.UDP("."), m)
		causes = append(causes, failureOf(t, logs, m)["cause"])
	}
	if causes[0] == "forward_loop" || causes[5] != "forward_loop" {
		t.Errorf("the causes are %s", causes)
	}
}

// The upstream has the address that the query came to: it is not blamed as if it were another
// server.
func TestAnUpstreamAtTheAddressOfTheQueryIsCalledSo(t *testing.T) {
	logs := server.Capture(t)
	for kind, tc := range map[string]struct {
		plugins, text string
		other         bool
	}{
		"refuses":              {"fault written REFUSED", " (an address of this server) refused the query", false},
		"fails":                {"fault returned SERVFAIL", " (an address of this server) answered SERVFAIL", false},
		"blocks":               {"acl {\n block\n }\n whoami", "from 127.0.0.1:", false},
		"on a port of its own": {"fault written REFUSED", " refused the query", true},
	} {
		t.Run(kind, func(t *testing.T) {
			outer := portOf(t, port.Free(t))
			inner := outer
			if tc.other {
				inner = portOf(t, port.Free(t))
			}
			s := server.Start(t, "own.example.org:"+outer+" {\n bind 127.0.0.1\n "+levels+
				"\n rewrite name own.example.org inner.example.net\n "+forward("127.0.0.1:"+inner, patiently)+"\n}\n"+
				"inner.example.net:"+inner+" {\n bind 127.0.0.1\n "+tc.plugins+"\n}\n")
			m := query("own.example.org")
			ask(t, "127.0.0.1", "udp", s.UDP("own.example.org"), m)
			l := failureOf(t, logs, m)
			own := !tc.other
			if !strings.Contains(l["text"], tc.text) || strings.Contains(l["advice"], "itself listens") != own || (l["owner"] == "unknown") != own {
				t.Errorf("owner %s, text %q, advice %q", l["owner"], l["text"], l["advice"])
			}
		})
	}
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, number, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return number
}
