//go:build linux

package resolved

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Command makes a command of a program of Debian 13, to be run in the namespaces
// of the test. It is in /usr/bin, or called by its path.
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	if !filepath.IsAbs(program) {
		program = "/usr/bin/" + program
	}
	c := exec.Command(program, args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: tree(t), Pdeathsig: syscall.SIGKILL}
	return c
}

// tree is where prepare put Debian 13. Without it the test is skipped, but not
// under CI, which prepares it.
func tree(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "coredns-ede", "debian13")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err != nil {
		const message = "programs of Debian 13 are not unpacked; test/resolved/prepare does it"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	if err := mountKernel(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

var kernelOnce struct {
	sync.Once
	err error
}

// mountKernel shows the tree what the kernel has, in the mount namespace of the
// test alone.
func mountKernel(dir string) error {
	kernelOnce.Do(func() {
		for _, path := range []string{"/proc", "/dev"} {
			if kernelOnce.err == nil {
				kernelOnce.err = os.NewSyscallError("mount", syscall.Mount(path, dir+path, "", syscall.MS_BIND|syscall.MS_REC, ""))
			}
		}
	})
	return kernelOnce.err
}
