//go:build unix

package test_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// The limit is that of this process, so that nothing may run next to the test.
func TestAServerOutOfSocketsSaysSo(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Answer()})
	s := server.Start(t, here(".:0", levels, forward(up.Addr())))
	socket, err := net.Dial("udp", s.UDP())
	if err != nil {
		t.Fatal(err)
	}
	client := &dns.Conn{Conn: socket}
	defer client.Close()

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	m := query("sockets.example.org")
	reply, err := func() (*dns.Msg, error) {
		defer func() {
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				t.Error(err)
			}
		}()
		if err := client.WriteMsg(m); err != nil {
			return nil, err
		}
		_ = client.SetReadDeadline(time.Now().Add(patience))
		return client.ReadMsg()
	}()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, reply, "SERVFAIL", "23 this server is out of sockets")
	expectFields(t, failureOf(t, logs, m), line{
		"cause": "out_of_sockets", "owner": "us", "lasts": "transient", "upstream": up.Addr(),
		"text": "out of file descriptors: " + up.Addr() + " not asked",
	})
}
