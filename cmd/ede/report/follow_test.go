package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// safeBuffer may be read while the report writes to it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.b.Reset()
	return s.b.String()
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// following runs -f on one file in a bubble whose clock is the test's: after
// step, the follower has looked at the file.
func following(t *testing.T, redraw time.Duration, body func(path string, out *safeBuffer, step func())) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "coredns.log")
	appendTo(t, path, queryOf("upstream_timeout", "old.example.org.")+"\n")
	var final string
	synctest.Test(t, func(t *testing.T) {
		out := &safeBuffer{}
		ctx, cancel := context.WithCancel(t.Context())
		c := testConfig(out)
		c.Files, c.Follow, c.Redraw = []string{path}, true, redraw
		done := make(chan error)
		go func() { done <- Run(ctx, c) }()
		step := func() {
			time.Sleep(3 * time.Second)
			synctest.Wait()
		}
		step()
		body(path, out, step)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		// The last poll of the file ends by itself.
		time.Sleep(3 * time.Second)
		final = out.take()
	})
	return final
}

func TestFollowWritesNewFailuresAcrossRotationAndTruncation(t *testing.T) {
	final := following(t, 0, func(path string, out *safeBuffer, step func()) {
		expect := func(what, name string) {
			t.Helper()
			step()
			got := out.take()
			if strings.Count(got, "\n") != 1 || !strings.Contains(got, name) {
				t.Errorf("%s: %q, want one line with %s", what, got, name)
			}
		}
		if got := out.take(); got != "" {
			t.Errorf("what was there at the start was written: %q", got)
		}
		appendTo(t, path, queryOf("x", "appended.example.org.")+"\n")
		expect("appended", "appended.example.org.")

		whole := queryOf("x", "halves.example.org.") + "\n"
		appendTo(t, path, whole[:60])
		step()
		if got := out.take(); got != "" {
			t.Errorf("half a line was taken: %q", got)
		}
		appendTo(t, path, whole[60:])
		expect("its other half", "halves.example.org.")

		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, path+".1", queryOf("x", "late.example.org.")+"\n")
		expect("written to the old file", "late.example.org.")
		appendTo(t, path, queryOf("x", "rotated.example.org.")+"\n")
		expect("in the new file", "rotated.example.org.")

		appendTo(t, path, whole[:60])
		step()
		if err := os.Rename(path, path+".2"); err != nil {
			t.Fatal(err)
		}
		appendTo(t, path, queryOf("x", "unbroken.example.org.")+"\n")
		expect("after a file that ended within a line", "unbroken.example.org.")

		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		step()
		appendTo(t, path, queryOf("x", "truncated.example.org.")+"\n")
		expect("after truncation", "truncated.example.org.")
	})
	if !strings.Contains(final, "7 failures") {
		t.Errorf("the final report:\n%s", final)
	}
}

func TestFollowOnATerminalDrawsTheReportAnewWhenThereIsNews(t *testing.T) {
	following(t, time.Second, func(path string, out *safeBuffer, step func()) {
		if got := out.take(); strings.Count(got, clearScreen) != 1 || !strings.Contains(got, "1 failure ") {
			t.Errorf("first: %q", got)
		}
		step()
		if got := out.take(); got != "" {
			t.Errorf("drawn without news: %q", got)
		}
		appendTo(t, path, queryOf("x", "appended.example.org.")+"\n")
		step()
		if got := out.take(); strings.Count(got, clearScreen) != 1 || !strings.Contains(got, "2 failures ") {
			t.Errorf("second: %q", got)
		}
	})
}

func TestFollowGoesOnWithTheOtherFilesIfOneIsMissing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var out bytes.Buffer
	c := testConfig(&out)
	c.Files, c.Follow = []string{"testdata/missing.log", "-"}, true
	c.Stdin = strings.NewReader(fmt.Sprintln(queryOf("x", "a.example.org.")))
	err := Run(ctx, c)
	if err == nil || !strings.Contains(out.String(), "1 failure ") {
		t.Errorf("error %v, report:\n%s", err, out.String())
	}
}
