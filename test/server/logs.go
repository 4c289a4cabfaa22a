package server

import (
	"bytes"
	golog "log"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Bounds of a capture: beyond maxLines the older half is lost, and a line longer
// than maxLine octets is broken.
const (
	maxLines = 100_000
	maxLine  = 1 << 20
)

// capturing is held from Capture to the end of its test: CoreDNS logs to one
// place per process. The owner is kept to tell a deadlock from a wait.
var (
	capturing sync.Mutex
	ownerMu   sync.Mutex
	owner     string
)

// Logs collects what CoreDNS and its plugins log, of all instances in the
// process, line by line without line ends.
type Logs struct {
	mu      sync.Mutex
	lines   []string
	lost    int
	partial []byte
	changed chan struct{} // closed and replaced with every line
}

// Capture collects log lines, in text, until the test ends. Call it before
// Start. A second capture in the process waits until the first test has
// ended; one in the same test or in a subtest of it, which would wait for
// ever, fails the test.
func Capture(t testing.TB) *Logs {
	t.Helper()
	return capture(t, "text")
}

// CaptureJSON is Capture with CoreDNS's JSON log format switched on meanwhile. It
// skips the test if this CoreDNS has none.
func CaptureJSON(t testing.TB) *Logs {
	t.Helper()
	if !logsJSON {
		t.Skip("this CoreDNS logs text only")
	}
	return capture(t, "json")
}

func capture(t testing.TB, format string) *Logs {
	t.Helper()
	refuseNested(t)
	capturing.Lock()
	setOwner(t.Name())
	output, flags := golog.Writer(), golog.Flags()
	golog.SetFlags(0) // as CoreDNS's command does: no time before the level
	logs := &Logs{changed: make(chan struct{})}
	if err := configure(format, logs); err != nil {
		golog.SetFlags(flags)
		setOwner("")
		capturing.Unlock()
		t.Fatalf("capture logs: %v", err)
	}
	t.Cleanup(func() {
		// Text again in either case: Configure also takes back what JSON
		// did to the standard logger.
		if err := configure("text", output); err != nil {
			t.Errorf("restore log output: %v", err)
		}
		golog.SetFlags(flags)
		setOwner("")
		capturing.Unlock()
	})
	return logs
}

func refuseNested(t testing.TB) {
	t.Helper()
	ownerMu.Lock()
	defer ownerMu.Unlock()
	if owner != "" && (t.Name() == owner || strings.HasPrefix(t.Name(), owner+"/")) {
		t.Fatalf("logs are captured already, by %s", owner)
	}
}

func setOwner(name string) {
	ownerMu.Lock()
	defer ownerMu.Unlock()
	owner = name
}

// Write takes log output; it is there for the logger.
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found && len(line) < maxLine {
			return len(p), nil
		}
		l.append(string(line))
		l.partial = append([]byte{}, rest...)
	}
}

func (l *Logs) append(line string) {
	l.lines = append(l.lines, line)
	if len(l.lines) > maxLines {
		l.lines = slices.Delete(l.lines, 0, maxLines/2)
		l.lost += maxLines / 2
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// Lines returns the lines so far, oldest first.
func (l *Logs) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// Matching returns the lines so far that contain text.
func (l *Logs) Matching(text string) []string {
	return slices.DeleteFunc(l.Lines(), func(line string) bool { return !strings.Contains(line, text) })
}

// WaitFor returns the first line that contains text, one logged before the
// call included, and fails the test with all lines if there is none in time.
func (l *Logs) WaitFor(t testing.TB, text string, timeout time.Duration) string {
	t.Helper()
	line, ok := l.wait(func(line string) bool { return strings.Contains(line, text) }, timeout)
	if !ok {
		t.Fatalf("no line with %q within %v:\n%s", text, timeout, strings.Join(l.Lines(), "\n"))
	}
	return line
}

// WaitForFunc is WaitFor with a function that tells the line.
func (l *Logs) WaitForFunc(t testing.TB, match func(line string) bool, timeout time.Duration) string {
	t.Helper()
	line, ok := l.wait(match, timeout)
	if !ok {
		t.Fatalf("no such line within %v:\n%s", timeout, strings.Join(l.Lines(), "\n"))
	}
	return line
}

func (l *Logs) wait(match func(string) bool, timeout time.Duration) (string, bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	next := 0
	for {
		l.mu.Lock()
		fresh := slices.Clone(l.lines[max(next-l.lost, 0):])
		next = l.lost + len(l.lines)
		changed := l.changed
		l.mu.Unlock()
		if i := slices.IndexFunc(fresh, match); i >= 0 {
			return fresh[i], true
		}
		select {
		case <-changed:
		case <-timer.C:
			return "", false
		}
	}
}
