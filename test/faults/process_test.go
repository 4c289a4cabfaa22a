//go:build linux

package faults

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

const patience = time.Minute

// executable builds cmd/coredns once, with the race detector if the tests have it.
var executable = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "coredns-faults")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "coredns")
	args := []string{"build", "-o", path, "../../cmd/coredns"}
	if raceDetector {
		args = []string{"build", "-race", "-o", path, "../../cmd/coredns"}
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// process is a CoreDNS in a process of its own.
type process struct {
	command *exec.Cmd
	dir     string
	// dns, metrics and pprof are addresses.
	dns, metrics, pprof string
	// extra are further server blocks.
	extra string
	// out is the file that standard output and error go to, unless told
	// otherwise.
	out    string
	exited chan struct{}
	once   sync.Once
}

// option changes a process before it starts.
type option func(*process)

// environment adds a variable.
func environment(variable string) option {
	return func(p *process) { p.command.Env = append(p.command.Env, variable) }
}

// block adds a server block.
func block(text string) option { return func(p *process) { p.extra += text } }

// output has standard output go to f in place of a file.
func output(f *os.File) option { return func(p *process) { p.command.Stdout = f } }

// startTries bounds the starts until the ports that were free still are.
const startTries = 5

// start runs CoreDNS with a server block of these lines until the test ends.
func start(t *testing.T, lines []string, options ...option) *process {
	t.Helper()
	built.Store(true)
	path, err := executable()
	if err != nil {
		t.Fatal(err)
	}
	return launch(t, path, lines, options...)
}

// launch is start for another binary.
func launch(t *testing.T, path string, lines []string, options ...option) *process {
	t.Helper()
	for range startTries {
		p := &process{command: exec.Command(path, "-conf", "Corefile"), dir: t.TempDir(), exited: make(chan struct{})}
		p.command.Dir, p.command.Env = p.dir, os.Environ()
		p.dns, p.metrics, p.pprof, p.out = port.Free(t), port.Free(t), port.Free(t), filepath.Join(p.dir, "output")
		f, err := os.Create(p.out)
		if err != nil {
			t.Fatal(err)
		}
		p.command.Stdout, p.command.Stderr = f, f
		for _, o := range options {
			o(p)
		}
		p.configure(t, lines)
		err = p.command.Start()
		f.Close()
		if err != nil {
			t.Fatalf("start %s: %v", path, err)
		}
		go func() { _ = p.command.Wait(); close(p.exited) }()
		if p.serves() {
			t.Cleanup(func() { t.Helper(); p.stop(t); p.inspect(t) })
			return p
		}
		_ = p.command.Process.Kill()
		<-p.exited
		t.Logf("CoreDNS does not serve:\n%s", p.said())
	}
	t.Fatalf("CoreDNS did not serve in %d tries", startTries)
	return nil
}

// configure writes the Corefile. What a plugin serves in addition has fixed ports,
// so that they are the same after a reload.
func (p *process) configure(t *testing.T, lines []string) {
	t.Helper()
	_, number, _ := net.SplitHostPort(p.dns)
	text := fmt.Sprintf(".:%s {\n bind 127.0.0.1\n prometheus %s\n pprof %s\n %s\n}\n%s",
		number, p.metrics, p.pprof, strings.Join(lines, "\n "), p.extra)
	// In one step: a reload that read half of it would be another fault.
	path := filepath.Join(p.dir, "Corefile")
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// serves waits for the FORMERR that a message without a question gets before any
// plugin hears of it, and for the metrics.
func (p *process) serves() bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		select {
		case <-p.exited:
			return false
		default:
		}
		c := dns.Client{Timeout: time.Second}
		if _, _, err := c.Exchange(&dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id()}}, p.dns); err != nil {
			continue
		}
		if _, err := p.metric("go_goroutines"); err == nil {
			return true
		}
	}
	return false
}

// signal sends a signal to a process that has to run.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		t.Fatalf("%v: %v", s, err)
	}
}

// stop ends the process as a service manager does, and fails the test if it does
// not end by itself, or not well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.once.Do(func() {
		if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-p.exited:
		case <-timer.C:
			t.Errorf("CoreDNS does not end %v after SIGTERM:\n%s", patience, p.stacks())
			_ = p.command.Process.Kill()
			<-p.exited
		}
		if code := p.command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("CoreDNS ended with %v", p.command.ProcessState)
		}
	})
}

func (p *process) said() string {
	text, _ := os.ReadFile(p.out)
	return string(text)
}

// inspect fails the test if the runtime of the process complained.
func (p *process) inspect(t *testing.T) {
	t.Helper()
	said := p.said()
	for _, word := range []string{"DATA RACE", "fatal error:", "goroutine 1 [", "unexpected signal"} {
		if i := strings.Index(said, word); i >= 0 {
			t.Errorf("CoreDNS says %s", said[i:min(len(said), i+4000)])
		}
	}
}

// forward is the line that sends everything to an upstream. Connections that are
// not used close soon, so that none is taken for one that is left.
func forward(to string, options ...string) string {
	return fmt.Sprintf("forward . %s {\n max_fails 0\n expire 1s\n %s\n }", to, strings.Join(options, "\n "))
}
