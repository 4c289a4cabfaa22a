package main

import (
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

func seconds(name string) time.Duration { return time.Duration(metric(name) * float64(time.Second)) }

// leanest is the CPU of counting failures by cause. The store works out only now and
// then what it has spent, so the query is asked until that is a good deal.
func leanest() (time.Duration, error) {
	const enough, most = 3 * time.Second, 1000
	before, times := seconds("process_cpu_seconds_total"), 0
	for ; times < most && seconds("process_cpu_seconds_total")-before < enough; times++ {
		if _, err := get("/select/logsql/query?query=" + url.QueryEscape(`plugin:="ede" rcode:* | stats by (cause) count() as n`)); err != nil {
			return 0, err
		}
	}
	return (seconds("process_cpu_seconds_total") - before) / time.Duration(times), nil
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
