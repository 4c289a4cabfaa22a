package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// tally is how often each test ended how, by name; of tests with subtests the
// subtests too.
type tally map[string]*ends

type ends struct {
	passed, failed, skipped int
	// said is the output of the last failure.
	said string
}

// event is a line of go test -json.
type event struct {
	Action, Test, Output string
}

// run runs the tests that match pattern, all if it is empty, count times.
func (s suite) run(count int, pattern string) (tally, error) {
	args := []string{"test", "-mod=mod", "-buildvcs=false", "-json", "-vet=off", "-timeout=20m", "-count=" + strconv.Itoa(count)}
	if pattern != "" {
		args = append(args, "-run", pattern)
	}
	c := s.command("go", append(args, "./test/...")...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	t, err := read(out)
	var exit *exec.ExitError
	if e := c.Wait(); e != nil && !errors.As(e, &exit) {
		return nil, e
	}
	if err == nil && len(t) == 0 {
		err = fmt.Errorf("no test of %s ran", s.dir)
	}
	return t, err
}

func read(r io.Reader) (tally, error) {
	t := make(tally)
	said := make(map[string]string)
	for d := json.NewDecoder(r); ; {
		var e event
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			// A test that never ended, as after a panic, has failed.
			for name, text := range said {
				t.of(name).failed++
				t.of(name).said = text
			}
			return t, nil
		case err != nil:
			return nil, err
		case e.Test == "":
			continue
		}
		switch e.Action {
		case "run":
			said[e.Test] = ""
			continue
		case "output":
			said[e.Test] += e.Output
			continue
		case "pass":
			t.of(e.Test).passed++
		case "skip":
			t.of(e.Test).skipped++
		case "fail":
			t.of(e.Test).failed++
			t.of(e.Test).said = said[e.Test]
		default:
			continue
		}
		delete(said, e.Test)
	}
}

func (t tally) of(name string) *ends {
	if t[name] == nil {
		t[name] = new(ends)
	}
	return t[name]
}

// counts are the cells of a table: how many tests passed, failed, and were
// skipped.
func (t tally) counts() string {
	var passed, failed, skipped int
	for _, e := range t {
		passed += e.passed
		failed += e.failed
		skipped += e.skipped
	}
	return fmt.Sprintf("%d | %d | %d", passed, failed, skipped)
}
