//go:build linux

// Package namespace runs a test binary in a network and a mount namespace of its
// own, where port 53, /etc/resolv.conf and the addresses of the host are free to
// use. Nothing of it is seen outside.
//
//	func TestMain(m *testing.M) {
//		flag.Parse()
//		os.Exit(namespace.Run(m))
//	}
package namespace

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Address is one of the interface that makes the namespace seem to be connected:
// it is routable, as no address of loopback is (RFC 5737).
const Address = "198.51.100.1"

const insideVariable = "EDE_TEST_NAMESPACE"

// Run runs the tests of m inside, after further furnishing, and returns the exit
// status. With -short nothing needs a namespace, and there is none. Where the
// machine allows none all tests are skipped, but not under CI.
func Run(m *testing.M, furnishing ...func() error) int {
	if testing.Short() {
		return m.Run()
	}
	dir := os.Getenv(insideVariable)
	if dir == "" {
		return enter()
	}
	err := furnish(dir)
	for _, more := range furnishing {
		if err == nil {
			err = more()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "namespace:", err)
		return 1
	}
	return m.Run()
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

// furnish brings loopback and another interface up, and puts files of the test's
// own in place of those that say how names are resolved.
func furnish(dir string) error {
	// Every kernel with containers has veth, few have dummy.
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "ede0", "type", "veth", "peer", "name", "ede1"},
		{"addr", "add", Address + "/24", "dev", "ede0"},
		{"link", "set", "ede0", "up"},
		{"link", "set", "ede1", "up"},
	} {
		if err := IP(args...); err != nil {
			return err
		}
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	for path, text := range map[string]string{"/etc/resolv.conf": "", "/etc/nsswitch.conf": "hosts: dns\n"} {
		own := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(own, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// IP runs ip(8).
func IP(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", args, err, out)
	}
	return nil
}
