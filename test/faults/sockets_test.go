//go:build linux

package faults

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-1b7246af/coredns-ede/test/transcript"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// A process that has used up its file descriptors says so, as docs/causes.md
// shows.
func TestProcessOutOfDescriptors(t *testing.T) {
	parallel(t)
	up := upstream.Start(t, upstream.Config{})
	line := "forward . " + up.Addr() + " {\n max_fails 0\n }"
	p := start(t, []string{"ede", line})
	var limit unix.Rlimit
	set := func(to, before *unix.Rlimit) {
		t.Helper()
		if err := unix.Prlimit(p.command.Process.Pid, unix.RLIMIT_NOFILE, to, before); err != nil {
			t.Fatal(err)
		}
	}
	set(nil, &limit)
	set(&unix.Rlimit{Max: limit.Max}, nil)
	defer set(&limit, nil)
	session := transcript.Session{
		Plugins: line, Addr: p.dns, Command: "dig", Args: []string{"www.example.org", "A"},
		Line: func(id string) string { return p.line(t, " cause=out_of_sockets ", " id="+id+" ") },
	}
	transcript.Check(t, "../../cmd/ede/causes/examples", "out_of_sockets", session.Take(t))
}

// line waits for a line of what the process says that has all words.
func (p *process) line(t *testing.T, words ...string) string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		for line := range strings.Lines(p.said()) {
			if all(line, words) {
				return strings.TrimRight(line, "\n")
			}
		}
	}
	t.Fatalf("no line with %q:\n%s", words, p.said())
	return ""
}

func all(line string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}
