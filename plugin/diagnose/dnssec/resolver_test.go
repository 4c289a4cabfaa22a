package dnssec_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/bed"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
)

// freePort finds a port that is free for UDP and TCP.
func freePort(t *testing.T) int {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		p, err := net.ListenPacket("udp", l.Addr().String())
		_ = l.Close()
		if err == nil {
			_ = p.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// daemon starts a resolver and waits until it answers.
func daemon(t *testing.T, address string, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no resolver to test with: %v", err)
	}
	cmd := exec.Command(path, args...)
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Skipf("%s does not start: %v", program, err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 200 {
		select {
		case <-exited:
			t.Skipf("%s ended: %s", program, out)
		case <-ticker.C:
		}
		m := new(dns.Msg).SetQuestion(".", dns.TypeNS)
		if _, _, err := (&dns.Client{Timeout: time.Second}).Exchange(m, address); err == nil {
			return
		}
	}
	t.Skipf("%s does not answer: %s", program, out)
}

func bind(t *testing.T, b *bed.Bed) string {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		ds := rr.(*dns.DS)
		fmt.Fprintf(&anchors, ". static-ds %d %d %d %q;\n", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	}
	write(t, dir, "hints", b.RootHints())
	conf := write(t, dir, "named.conf", fmt.Sprintf(`
options { directory %q; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none;
  recursion yes; allow-recursion { any; }; allow-query { any; }; dnssec-validation yes; empty-zones-enable no; querylog no; };
controls { };
trust-anchors { %s };
zone "." { type hint; file "hints"; };
`, dir, port, anchors.String()))
	address := fmt.Sprintf("127.0.0.1:%d", port)
	daemon(t, address, "named", "-g", "-4", "-c", conf)
	return address
}

func unbound(t *testing.T, b *bed.Bed) string {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		fmt.Fprintf(&anchors, "  trust-anchor: %q\n", strings.ReplaceAll(rr.String(), "\t", " "))
	}
	hints := write(t, dir, "hints", b.RootHints())
	conf := write(t, dir, "unbound.conf", fmt.Sprintf(`
server:
  directory: %q
  chroot: ""
  username: ""
  pidfile: ""
  interface: 127.0.0.1@%d
  do-ip6: no
  do-not-query-localhost: no
  use-syslog: no
  module-config: "validator iterator"
  root-hints: %q
%s
remote-control:
  control-enable: no
`, dir, port, hints, anchors.String()))
	address := fmt.Sprintf("127.0.0.1:%d", port)
	daemon(t, address, "unbound", "-d", "-p", "-c", conf)
	return address
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ask tries over UDP as a stub resolver does, three times, and over TCP when the
// answer is truncated.
func ask(ctx context.Context, address string, q dns.Question, cd bool) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.Id, m.RecursionDesired, m.CheckingDisabled = dns.Id(), true, cd
	m.Question = []dns.Question{q}
	m.SetEdns0(1232, true)
	var reply *dns.Msg
	err := errors.New("not asked")
	for range 3 {
		if reply, _, err = (&dns.Client{Timeout: 5 * time.Second}).ExchangeContext(ctx, m, address); err == nil {
			break
		}
	}
	if err == nil && reply.Truncated {
		reply, _, err = (&dns.Client{Net: "tcp", Timeout: 5 * time.Second}).ExchangeContext(ctx, m, address)
	}
	return reply, err
}

// TestBehindARealResolver asks through BIND and Unbound, which decide themselves
// what they say with CD=1: what they leave out must not become a false code.
func TestBehindARealResolver(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	for _, resolver := range []struct {
		name   string
		start  func(*testing.T, *bed.Bed) string
		except []string
	}{
		// BIND stops at the first signature that fails (CVE-2023-50387), though
		// another one holds.
		{"BIND", bind, []string{"one-of-two-signatures-is-corrupt"}},
		// Unbound stops asking a server that is silent, for all names: then
		// nothing shows that it is only the DNSKEY.
		{"Unbound", unbound, []string{"dnskey-timeout"}},
	} {
		t.Run(resolver.name, func(t *testing.T) {
			b := bed.New(t, time.Now(), append(bed.Cases(), moreCases()...)...)
			b.Listen(t, 53)
			address := resolver.start(t, b)
			for _, c := range b.Cases() {
				if slices.Contains(resolver.except, c.Name) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					// First as a client that does not know yet: what the
					// resolver remembers of that shapes its CD=1 answers.
					failing, err := ask(context.Background(), address, c.Question(), false)
					v := &dnssec.Validator{Anchors: b.Anchor(), Exchange: func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
						return ask(ctx, address, q, true)
					}}
					f := v.Validate(context.Background(), c.Question())
					judge(t, c, f)
					if err != nil {
						t.Fatal(err)
					}
					if f.Status == dnssec.Secure && failing.Rcode == dns.RcodeServerFailure {
						t.Errorf("%s says SERVFAIL, the chain validates", resolver.name)
					}
					if f.Status == dnssec.Bogus && failing.Rcode != dns.RcodeServerFailure {
						t.Logf("%s accepts it: %s", resolver.name, dns.RcodeToString[failing.Rcode])
					}
					if t.Failed() {
						report(t, f)
					}
				})
			}
		})
	}
}
