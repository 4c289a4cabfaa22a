// Package resolver starts real validating resolvers on loopback for tests: BIND,
// Unbound, PowerDNS Recursor and Knot Resolver, with root hints and a trust
// anchor of the test's own.
package resolver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Root is the tree that a resolver is to believe in.
type Root struct {
	// Hints is a hint file in zone-file form.
	Hints string
	// Anchor holds DS records of the root.
	Anchor []dns.RR
}

// Resolver is a program that can be started.
type Resolver struct {
	Name    string
	program string
	config  func(t testing.TB, dir string, port int, root Root) []string
}

// The resolvers, none of which sends Extended DNS Errors as configured here.
var (
	BIND     = Resolver{"BIND", "named", bind}
	Unbound  = Resolver{"Unbound", "unbound", unbound}
	PowerDNS = Resolver{"PowerDNS Recursor", "pdns_recursor", powerDNS}
	Knot     = Resolver{"Knot Resolver", "kresd", knot}
)

// Start starts the resolver and returns its address when it answers; it is
// stopped when the test ends. Without the program the test is skipped, but not
// under CI, which installs it.
func (r Resolver) Start(t testing.TB, root Root) string {
	t.Helper()
	path, err := exec.LookPath(r.program)
	if err != nil {
		for _, dir := range []string{"/usr/sbin/", "/usr/bin/"} {
			if _, e := os.Stat(dir + r.program); e == nil {
				path, err = dir+r.program, nil
			}
		}
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed: %v", r.Name, err)
		}
		t.Skipf("%s is not installed: %v", r.Name, err)
	}
	// The path of a control socket has to be short, shorter than t.TempDir's.
	dir, err := os.MkdirTemp("", "ede")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(path, r.config(t, dir, port, root)...)
	cmd.Dir = dir
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s does not start: %v", r.Name, err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited; _ = out.Close() })
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	if !answers(address, exited) {
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("%s does not answer:\n%s", r.Name, text)
	}
	return address
}

// answers waits until the resolver answers, or has ended.
func answers(address string, exited <-chan struct{}) bool {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 300 {
		select {
		case <-exited:
			return false
		case <-ticker.C:
		}
		m := new(dns.Msg).SetQuestion(".", dns.TypeNS)
		if r, _, err := (&dns.Client{Timeout: time.Second}).Exchange(m, address); err == nil && r.Rcode == dns.RcodeSuccess {
			return true
		}
	}
	return false
}

// freePort finds a port that is free for UDP and TCP.
func freePort(t testing.TB) int {
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

func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// lines returns the anchors one a line in the given form.
func lines(root Root, form func(*dns.DS) string) string {
	var b strings.Builder
	for _, rr := range root.Anchor {
		if ds, ok := rr.(*dns.DS); ok {
			b.WriteString(form(ds) + "\n")
		}
	}
	return b.String()
}

func bind(t testing.TB, dir string, port int, root Root) []string {
	write(t, dir, "hints", root.Hints)
	anchors := lines(root, func(ds *dns.DS) string {
		return fmt.Sprintf(". static-ds %d %d %d %q;", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	})
	conf := write(t, dir, "named.conf", fmt.Sprintf(`
options {
  directory %q; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none;
  recursion yes; allow-recursion { any; }; allow-query { any; }; dnssec-validation yes; empty-zones-enable no; querylog no;
};
controls { };
trust-anchors { %s };
zone "." { type hint; file "hints"; };
`, dir, port, anchors))
	return []string{"-g", "-4", "-c", conf}
}

func unbound(t testing.TB, dir string, port int, root Root) []string {
	hints := write(t, dir, "hints", root.Hints)
	anchors := lines(root, func(ds *dns.DS) string {
		return fmt.Sprintf("  trust-anchor: %q", strings.ReplaceAll(ds.String(), "\t", " "))
	})
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
`, dir, port, hints, anchors))
	return []string{"-d", "-p", "-c", conf}
}

func powerDNS(t testing.TB, dir string, port int, root Root) []string {
	hints := write(t, dir, "hints", root.Hints)
	anchors := lines(root, func(ds *dns.DS) string {
		return fmt.Sprintf("addTA('.', '%d %d %d %s')", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
	})
	lua := write(t, dir, "anchors.lua", "clearTA()\n"+anchors)
	write(t, dir, "recursor.conf", fmt.Sprintf(`
local-address=127.0.0.1
local-port=%d
socket-dir=%s
hint-file=%s
lua-config-file=%s
dnssec=validate
dont-query=
daemon=no
threads=1
security-poll-suffix=
extended-resolution-errors=no
`, port, dir, hints, lua))
	return []string{"--config-dir=" + dir, "--disable-syslog"}
}

func knot(t testing.TB, dir string, port int, root Root) []string {
	hints := write(t, dir, "hints", root.Hints)
	anchors := lines(root, func(ds *dns.DS) string {
		return "trust_anchors.add('" + strings.ReplaceAll(ds.String(), "\t", " ") + "')"
	})
	conf := write(t, dir, "kresd.conf", fmt.Sprintf(`
net.listen('127.0.0.1', %d, { kind = 'dns' })
net.ipv6 = false
modules.load('hints')
modules.unload('extended_error')
trust_anchors.remove('.')
%s
hints.root_file('%s')
policy.add(policy.all(policy.FLAGS({'ALLOW_LOCAL'})))
cache.size = 10 * MB
`, port, anchors, hints))
	return []string{"-n", "-c", conf, dir}
}
