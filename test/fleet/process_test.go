package fleet_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds cmd/coredns once for all tests: each instance of a fleet is a
// process of its own.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "coredns-ede")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "coredns")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/coredns").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var built string

func TestMain(m *testing.M) {
	status := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(status)
}

// program returns the path of a program of VictoriaLogs: on the PATH, or where go
// install puts it. Without it the test is skipped; in CI, which installs it, it
// fails.
func program(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{os.Getenv("GOBIN"), filepath.Join(goPath(), "bin")} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); dir != "" && err == nil {
			return path
		}
	}
	message := name + " is not installed: go install github.com/VictoriaMetrics/VictoriaLogs/app/" + name + "@v1.52.2"
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

func goPath() string {
	out, _ := exec.Command("go", "env", "GOPATH").Output()
	return string(bytes.TrimSpace(out))
}

// A process is a program that runs until the test ends, and what it has written.
type process struct {
	cmd   *exec.Cmd
	mu    sync.Mutex
	said  bytes.Buffer
	ended chan struct{}
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// stop ends the process as a user would, and kills one that does not end.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// run starts a process. What it writes to its standard output goes to file too, if
// there is one.
func run(t *testing.T, file *os.File, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if file != nil {
		p.cmd.Stdout = file
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(p.stop)
	return p
}

// patience is how long a test waits for what must come, on a machine that may have
// much else to do.
const patience = 2 * time.Minute

// eventually asks until what it asks is true, and fails the test with said() if it
// does not become so.
func eventually(t *testing.T, what string, said func() string, ask func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		if ask() {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s: not within %v\n%s", what, patience, said())
}
