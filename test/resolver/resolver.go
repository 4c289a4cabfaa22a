// Package resolver starts real resolvers on loopback for tests: BIND, Unbound,
// PowerDNS Recursor and Knot Resolver, which validate with root hints and a trust
// anchor of the test's own, and the forwarders dnsdist, dnsmasq and stubby.
package resolver

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// Root is the tree that a resolver is to believe in.
type Root struct {
	// Hints is a hint file in zone-file form.
	Hints string
	// Anchor holds DS records of the root.
	Anchor []dns.RR
	// Forward is the server, as ADDRESS:PORT, that a forwarder asks in place of
	// the tree.
	Forward string
}

// Resolver is a program that can be started.
type Resolver struct {
	Name    string
	program string
	version string // the argument that makes it print its version
	config  func(place) []string
	more    string
}

// place is where and as what a resolver is to run.
type place struct {
	testing.TB
	dir  string
	port int
	Root
	// more stands last in the main part of the configuration.
	more string
}

// The resolvers. Knot Resolver and PowerDNS Recursor send no Extended DNS Errors
// unless With says so, and Unbound has none to send.
var (
	BIND     = Resolver{Name: "BIND", program: "named", version: "-v", config: bind}
	Unbound  = Resolver{Name: "Unbound", program: "unbound", version: "-V", config: unbound}
	PowerDNS = Resolver{Name: "PowerDNS Recursor", program: "pdns_recursor", version: "--version", config: powerDNS}
	Knot     = Resolver{Name: "Knot Resolver", program: "kresd", version: "--version", config: knot}
)

// The forwarders.
var (
	Dnsdist = Resolver{Name: "dnsdist", program: "dnsdist", version: "--version", config: dnsdist}
	Dnsmasq = Resolver{Name: "dnsmasq", program: "dnsmasq", version: "--version", config: dnsmasq}
	// Stubby forwards over TLS, and takes any certificate.
	Stubby = Resolver{Name: "stubby", program: "stubby", version: "-V", config: stubby}
)

// With returns the resolver with more lines in the main part of its
// configuration, where they prevail over what stands there.
func (r Resolver) With(lines string) Resolver {
	r.more = lines
	return r
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// Version is what the program says of itself, for example 1.17.1.
func (r Resolver) Version(t testing.TB) string {
	t.Helper()
	out, _ := exec.Command(r.find(t), r.version).CombinedOutput()
	v := versionNumber.Find(out)
	if v == nil {
		t.Fatalf("%s has no version: %s", r.Name, out)
	}
	return string(v)
}

// Start starts the resolver and returns its address when it resolves; it is
// stopped when the test ends.
func (r Resolver) Start(t testing.TB, root Root) string { return r.start(t, root, true) }

// StartUnready is Start for one that is not able to resolve: it is up when it
// answers anything.
func (r Resolver) StartUnready(t testing.TB, root Root) string { return r.start(t, root, false) }

func (r Resolver) start(t testing.TB, root Root, resolves bool) string {
	t.Helper()
	path := r.find(t)
	// The path of a control socket has to be short, shorter than t.TempDir's.
	dir, err := os.MkdirTemp("", "ede")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	address := port.Free(t)
	_, number, _ := net.SplitHostPort(address)
	own, _ := strconv.Atoi(number)
	cmd := exec.Command(path, r.config(place{t, dir, own, root, r.more})...)
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
	if !answers(address, exited, resolves) {
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("%s does not answer:\n%s", r.Name, text)
	}
	return address
}

// find returns the path of the program. Without it the test is skipped, but not
// under CI, which installs it.
func (r Resolver) find(t testing.TB) string {
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
	return path
}

// answers waits until the resolver answers or refuses, or has ended. One that does
// not resolve is asked for its version, for which it needs nobody.
func answers(address string, exited <-chan struct{}, resolves bool) bool {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 300 {
		select {
		case <-exited:
			return false
		case <-ticker.C:
		}
		m := new(dns.Msg).SetQuestion(".", dns.TypeNS)
		if !resolves {
			m.SetQuestion("version.bind.", dns.TypeTXT)
			m.Question[0].Qclass = dns.ClassCHAOS
		}
		r, _, err := (&dns.Client{Timeout: time.Second}).Exchange(m, address)
		if err == nil && (!resolves || r.Rcode == dns.RcodeSuccess || r.Rcode == dns.RcodeRefused) {
			return true
		}
	}
	return false
}
