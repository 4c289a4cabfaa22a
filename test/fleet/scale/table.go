package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// until waits for a condition, for as long as a slow machine may take.
func until(ctx context.Context, ask func() bool) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Minute)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the store: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// metric reads a number that the store tells of itself.
func metric(name string) float64 {
	text, err := get("/metrics")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return n
		}
	}
	return 0
}

// storeProcess is the store that runs.
var storeProcess int

// spent is the CPU that the store has used, as the kernel counts it: its own metric is worked
// out only now and then.
func spent() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", storeProcess))
	if err != nil {
		return 0
	}
	// proc(5): the name of the program, in parentheses, may have spaces.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond
	return time.Duration(user+system) * tick
}

// leanest is the CPU of counting failures by cause.
func leanest() (time.Duration, error) {
	const times = 20
	before := spent()
	for range times {
		if _, err := get("/select/logsql/query?query=" + url.QueryEscape(`plugin:="ede" rcode:* qname:* | stats by (cause) count() as n`)); err != nil {
			return 0, err
		}
	}
	return (spent() - before) / times, nil
}

// summedUp reports whether the store has sums of so many lines.
func summedUp(lines int) bool {
	text, err := get("/select/logsql/query?query=" + url.QueryEscape(`{plugin="ede_hourly",table="whole"} | stats sum(lines) as n`))
	return err == nil && strings.Contains(text, fmt.Sprintf(`"%d"`, lines))
}

// tree is how much the files below dir hold.
func tree(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

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

// replace writes the table anew between the marks of a document.
func replace(name, table string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no %q and %q", name, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(name, []byte(head+begin+"\n"+table+"\n"+end+tail), 0o644)
}
