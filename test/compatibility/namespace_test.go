//go:build linux

// Package compatibility_test runs ede between real resolvers and real clients,
// and writes what it saw to docs/compatibility.md:
//
//	go test ./test/compatibility -write
//
// Clients like glibc ask port 53 and read /etc/resolv.conf. So the test runs
// itself once more in a network and a mount namespace of its own, where both are
// free; nothing of it is seen outside.
package compatibility_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	_ "github.com/seed-1b7246af/coredns-ede"
)

// Two addresses of each family: ede is at the first, stock CoreDNS at the second.
var (
	explained = host{"127.0.0.1", "::1"}
	stock     = host{"127.0.0.2", "2001:db8::2"}
)

type host struct{ ipv4, ipv6 string }

const insideVariable = "EDE_TEST_NAMESPACE"

// init puts ede where cmd/coredns puts it.
func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede")
}

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	if dir := os.Getenv(insideVariable); dir != "" {
		if err := furnish(dir); err != nil {
			fmt.Fprintln(os.Stderr, "namespace:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	os.Exit(enter())
}

// enter runs this test binary in namespaces of its own and returns its status.
func enter() int {
	dir, err := os.MkdirTemp("", "ede")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Pdeathsig goes by the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = append(os.Environ(), insideVariable+"="+dir)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err = c.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	switch {
	case err == nil:
		return 0
	case os.Getenv("CI") == "":
		fmt.Println("SKIPPED, as this machine allows no namespaces:", err)
		return 0
	}
	fmt.Fprintln(os.Stderr, "namespaces:", err)
	return 1
}

// furnish brings loopback up and puts files of the test's own in place of those
// that say how names are resolved.
func furnish(dir string) error {
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", stock.ipv6 + "/128", "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	for path, text := range map[string]string{"/etc/resolv.conf": "", "/etc/nsswitch.conf": "hosts: dns\n"} {
		own := dir + "/" + path[len("/etc/"):]
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(own, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
