package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

func version() string {
	out, _ := exec.Command("go", "version", "-m", which("victoria-logs")).Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "mod" {
			return fields[2]
		}
	}
	return "of unknown version"
}

func which(name string) string {
	path, _ := exec.LookPath(name)
	return path
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func number(n int) string { return humanize.Comma(int64(n)) }

func size(n int64) string { return humanize.Bytes(uint64(n)) }

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func span(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// replace writes the text between the marks of a document anew.
func replace(name, mark, fresh string) error {
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->\n"
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no %q and %q", name, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(name, []byte(head+begin+"\n"+fresh+"\n"+end+tail), 0o644)
}
