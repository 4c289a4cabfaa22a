//go:build linux

// Package resolved runs the systemd-resolved of Debian 13 in a test that has a
// namespace of its own: the stub resolver of most Linux desktops and servers, and
// the first that acts on an Extended DNS Error. The script prepare unpacks it.
package resolved

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// Stub is where clients ask it.
const Stub = "127.0.0.53:53"

// Config is a resolved.conf.
type Config struct {
	// Servers are the DNS servers, as ADDRESS or ADDRESS:PORT, the preferred one
	// first.
	Servers []string
	// DNSSEC is no (Debian's default), allow-downgrade or yes.
	DNSSEC string
	// Anchor holds DS records of the root in place of the real ones.
	Anchor []dns.RR
	// Unrouted leaves out the routing domain of all names, as it is where nobody has
	// written one: names under local are not asked for then.
	Unrouted bool
}

var versionNumber = regexp.MustCompile(`\d+`)

// Version is the version of systemd, for example 257.
func Version(t testing.TB) string {
	t.Helper()
	out, err := Command(t, "resolvectl", "--version").Output()
	if err != nil {
		t.Fatalf("resolvectl: %v", err)
	}
	return versionNumber.FindString(string(out))
}

// Start runs it until the test or stop ends it. It starts without knowledge of
// its servers and without a cache. There can be one at a time.
func Start(t testing.TB, c Config) (stop func()) {
	t.Helper()
	leave := furnish(t, c)
	output := filepath.Join(t.TempDir(), "output")
	log, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	cmd := Command(t, "/usr/lib/systemd/systemd-resolved")
	cmd.Env = []string{"SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console"}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("systemd-resolved does not start: %v", err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Kill()
		<-exited
		_ = log.Close()
		leave()
		if text, err := os.ReadFile(output); err == nil && t.Failed() {
			t.Logf("systemd-resolved:\n%s", text)
		}
	}
	t.Cleanup(stop)
	if !answers(exited) {
		t.Fatal("systemd-resolved does not answer")
	}
	return stop
}

// furnish gives the tree a /run with the configuration.
func furnish(t testing.TB, c Config) (leave func()) {
	t.Helper()
	run := filepath.Join(tree(t), "run")
	if err := syscall.Mount("tmpfs", run, "tmpfs", 0, ""); err != nil {
		t.Fatalf("mount %s: %v", run, err)
	}
	leave = func() { _ = syscall.Unmount(run, syscall.MNT_DETACH) }
	domains := "Domains=~.\n"
	if c.Unrouted {
		domains = ""
	}
	files := map[string]string{"systemd/resolved.conf.d/test.conf": fmt.Sprintf(`[Resolve]
DNS=%s
FallbackDNS=
%sDNSSEC=%s
Cache=no
LLMNR=no
MulticastDNS=no
ReadEtcHosts=no
`, strings.Join(c.Servers, " "), domains, c.DNSSEC)}
	var anchors strings.Builder
	for _, rr := range c.Anchor {
		if ds, ok := rr.(*dns.DS); ok {
			fmt.Fprintf(&anchors, ". IN DS %d %d %d %s\n", ds.KeyTag, ds.Algorithm, ds.DigestType, ds.Digest)
		}
	}
	if anchors.Len() > 0 {
		files["dnssec-trust-anchors.d/root.positive"] = anchors.String()
	}
	for path, text := range files {
		path = filepath.Join(run, path)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			leave()
			t.Fatal(err)
		}
	}
	return leave
}

// answers waits until the stub answers for the name that it knows by itself, or
// has ended.
func answers(exited <-chan struct{}) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 500 {
		select {
		case <-exited:
			return false
		case <-ticker.C:
		}
		r, err := server.Exchange(Stub, "udp", server.Message("localhost", dns.TypeA), time.Second)
		if err == nil && r.Rcode == dns.RcodeSuccess {
			return true
		}
	}
	return false
}
