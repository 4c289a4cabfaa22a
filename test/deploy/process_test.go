package deploy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// binary builds cmd/coredns once for all tests that need CoreDNS in a process
// of its own: metrics and the log format are one for a process.
var binary = sync.OnceValues(func() (string, error) { return build("../../cmd/coredns") })

// built is where build puts what it builds, until the tests are over.
var built struct {
	sync.Mutex
	dirs []string
}

func build(pkg string) (string, error) {
	dir, err := os.MkdirTemp("", "coredns-ede")
	if err != nil {
		return "", err
	}
	built.Lock()
	built.dirs = append(built.dirs, dir)
	built.Unlock()
	path := filepath.Join(dir, "coredns")
	out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

func TestMain(m *testing.M) {
	status := m.Run()
	for _, dir := range built.dirs {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// program returns the path of a program that a test needs. On a machine
// without it the test is skipped, in CI it fails.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %v", name, err)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// freePort returns the port alone of an address that is free.
func freePort(t *testing.T) string {
	t.Helper()
	_, number, _ := strings.Cut(port.Free(t), ":")
	return number
}

// nobody is where nothing listens. The port is below those that the kernel
// hands out, so that no other socket can come to have it during a test.
const nobody = "127.0.0.1:1"

// output is what a process wrote.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// process is a program that runs.
type process struct {
	cmd   *exec.Cmd
	dir   string
	said  *output
	ended chan struct{}
}

// stop ends the process as a user would, and kills one that does not end.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// run starts a process that ends with the test.
func run(t *testing.T, dir, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), dir: dir, said: new(output), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() { p.stop(t) })
	return p
}

// coredns runs the built CoreDNS with a Corefile until the test ends, and
// returns what it writes.
func coredns(t *testing.T, corefile string, args ...string) *output {
	t.Helper()
	return corednsProcess(t, corefile, args...).said
}

// corednsProcess runs the built CoreDNS with a file Corefile until the test ends.
func corednsProcess(t *testing.T, corefile string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, dir, path, append([]string{"-conf", "Corefile"}, args...)...)
}

// patience is how long a test waits for what must come, on a machine that may
// have much else to do.
const patience = time.Minute

// eventually asks until what it asks is true, and fails the test with said() if
// it does not become so.
func eventually(t *testing.T, what string, said func() string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if ask() {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s: not within %v\n%s", what, patience, said())
}

// fetch returns the body of an HTTP answer with status 200.
func fetch(url string) (string, bool) {
	client := http.Client{Timeout: 5 * time.Second}
	r, err := client.Get(url)
	if err != nil {
		return "", false
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	return string(body), err == nil && r.StatusCode == http.StatusOK
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}
