package test_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// startResolver starts a resolver in the foreground until the test ends, and returns once
// it answers at addr.
func startResolver(t *testing.T, addr, binary string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(binary)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", binary)
		}
		t.Skipf("%s is not installed: its behaviour is not tested here", binary)
	}
	var output bytes.Buffer
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-ended })
	for range 200 {
		if _, err := server.Exchange(addr, "udp", server.Message("localhost", dns.TypeA), silence); err == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended:\n%s", binary, output.String())
		case <-time.After(silence):
		}
	}
	t.Fatalf("%s does not answer at %s", binary, addr)
}

func configure(t *testing.T, format string, args ...any) (path string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "conf")
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "DIR", dir)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Unbound validates example.org here with a trust anchor that matches no key.
func TestTheReasonOfUnboundReachesTheClient(t *testing.T) {
	logs := server.Capture(t)
	zone := upstream.Start(t, upstream.Config{})
	addr := upstream.Closed(t)
	_, port, _ := strings.Cut(addr, ":")
	conf := configure(t, `
server:
  directory: "DIR"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  interface: 127.0.0.1
  port: %s
  ede: yes
  do-not-query-localhost: no
  access-control: 127.0.0.2/32 refuse
  module-config: "validator iterator"
  trust-anchor: "example.org. DS 12345 8 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766"
stub-zone:
  name: "example.org"
  stub-addr: %s
remote-control:
  control-enable: no
`, port, strings.ReplaceAll(zone.Addr(), ":", "@"))
	startResolver(t, addr, "unbound", "-d", "-c", conf)

	t.Run("a bogus zone", func(t *testing.T) {
		s := server.Start(t, here(".:0", levels, steady, forward(addr)))
		said := "9 from " + addr + "…"
		for i, edes := range [][]string{{said}, {said + found}} {
			m := query("www.example.org")
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", edes...)
			expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_ede", "upstream": addr, "cached": fmt.Sprint(i == 1)})
		}
	})
	t.Run("a client that may not ask", func(t *testing.T) {
		s := server.Start(t, here(".:0", levels, forward(addr, "source_address 127.0.0.2")))
		m := query("www.example.org")
		expect(t, ask(t, fullClient, "udp", s.UDP(), m), "REFUSED", "18 from "+addr)
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_ede", "ede": "18"})
	})
}

func TestTheRefusalOfBINDIsExplained(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	_, port, _ := strings.Cut(addr, ":")
	conf := configure(t, `
options {
  directory "DIR";
  listen-on port %s { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion yes;
  allow-query { none; };
  dnssec-validation no;
};
controls {};
`, port)
	startResolver(t, addr, "named", "-4", "-g", "-c", conf)

	s := server.Start(t, here(".:0", levels, "cache", forward(addr)))
	for range 2 {
		m := query("www.example.org")
		r := ask(t, fullClient, "udp", s.UDP(), m)
		l := failureOf(t, logs, m)
		// BIND tells why from 9.18 on.
		if l["cause"] == "upstream_refused" {
			expect(t, r, "REFUSED", "0 "+addr+" refused the query (RA=0): access list, authoritative only, or overloaded")
			continue
		}
		expect(t, r, "REFUSED", "18 from "+addr)
		expectFields(t, l, line{"cause": "upstream_ede", "ede": "18", "upstream": addr, "cached": "false"})
	}
}
