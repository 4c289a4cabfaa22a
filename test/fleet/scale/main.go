// Scale measures how the cost of a report grows with the number of lines: of a report from
// the sums of hours, from lines that VictoriaLogs counts, and from files.
//
//	go run ./test/fleet/scale -write docs/fleet.md
//
// It makes up 0.5 and 5 million lines of a thousand instances, and keeps them in
// temporary files and in a store of its own. It runs `ede report` on the store, before and
// after `ede rollup`, and on the files, and fails if the reports do not count the same. It
// takes some 3 GB of disk, and frees it at the end.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/fleet/synthetic"
)

const (
	instances = 1000
	names     = 20000
	// parts is how many files and requests the lines are split into.
	parts = 10
	// repeats is how often the quickest report is made; the one in the middle counts.
	repeats = 9
	addr    = "127.0.0.1:29428"
)

func main() {
	write := flag.String("write", "", "the document whose table is written anew")
	small := flag.Int("small", 500_000, "lines of the first run")
	large := flag.Int("large", 5_000_000, "lines of the second")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	table, estimate, err := measure(ctx, *small, *large)
	if err == nil && *write != "" {
		err = firstOf(replace(*write, "scale", table), replace(*write, "estimate", estimate))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		stop()
		os.Exit(1)
	}
	fmt.Print(table, "\n", estimate, "\nIt took ", time.Since(began).Round(time.Minute), ".\n")
}

// measure returns what is written into the document.
func measure(ctx context.Context, sizes ...int) (table, estimate string, err error) {
	dir, err := os.MkdirTemp("", "ede-scale")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	ede := filepath.Join(dir, "ede")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", ede, "./cmd/ede").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d processors, VictoriaLogs %s, %d instances, %d names.\n\n", runtime.Version(), runtime.NumCPU(), version(), instances, names)
	b.WriteString("| lines | size of files | size of the store | with sums | time to take in the lines | report from sums | report from lines | report from files | memory of the three reports, and of the store | summing up the hours |\n|---|---|---|---|---|---|---|---|---|---|\n")
	var first, last result
	for i, lines := range sizes {
		r, err := one(ctx, filepath.Join(dir, strconv.Itoa(lines)), ede, lines)
		if err != nil {
			return "", "", err
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s, %s, %s, %s | %s |\n", number(lines), size(r.files), size(r.stored), size(r.withSums), span(r.ingest),
			r.sums, r.store, r.file, size(r.sums.memory), size(r.store.memory), size(r.file.memory), size(r.resident), r.rollup)
		last = r
		if i == 0 {
			first = r
		}
	}
	times := func(of func(*result) time.Duration) float64 { return of(&last).Seconds() / of(&first).Seconds() }
	fmt.Fprintf(&b, "\nWith %d times the lines, the report from sums takes %.1f times as long (CPU %.1f times), the report from lines %.1f times\n"+
		"(CPU %.1f times), and the report from files %.1f times (CPU %.1f times). The cheapest query that reads lines counts the failures\n"+
		"by cause, and does nothing else. It takes the store %s of CPU for %s lines and %s for %s lines, %.1f times as much.\n"+
		"An hour of the first store has up to %s rows of sums, an hour of the second one up to %s.\n", sizes[len(sizes)-1]/sizes[0],
		times(func(r *result) time.Duration { return r.sums.took }), times(func(r *result) time.Duration { return r.sums.cpu }),
		times(func(r *result) time.Duration { return r.store.took }), times(func(r *result) time.Duration { return r.store.cpu }),
		times(func(r *result) time.Duration { return r.file.took }), times(func(r *result) time.Duration { return r.file.cpu }),
		millis(first.leanest), number(sizes[0]), millis(last.leanest), number(sizes[len(sizes)-1]), times(func(r *result) time.Duration { return r.leanest }),
		number(first.rows), number(last.rows))
	return b.String(), last.estimate(sizes[len(sizes)-1]), nil
}

type result struct {
	files, stored, withSums, resident int64
	ingest, taking                    time.Duration // taking is CPU, with writing and merging files
	sums, store, file, rollup         cost
	rows                              int // of sums of an hour, at most
	// leanest is what counting the failures by cause costs the store.
	leanest time.Duration
}

// one makes the lines, ships them and reports on them.
func one(ctx context.Context, dir, ede string, lines int) (r result, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "store")
	server := exec.CommandContext(ctx, "victoria-logs", "-httpListenAddr="+addr, "-storageDataPath="+data, "-retentionPeriod=30d",
		"-search.maxQueryDuration=10m")
	if err := server.Start(); err != nil {
		return r, err
	}
	storeProcess = server.Process.Pid
	defer func() { _ = server.Process.Signal(syscall.SIGTERM); _ = server.Wait() }()
	if err := until(ctx, func() bool { _, err := get("/health"); return err == nil }); err != nil {
		return r, err
	}
	var logs []string
	start := time.Now().UTC().Add(-25 * time.Hour)
	for i := range parts {
		name := filepath.Join(dir, fmt.Sprintf("coredns-%d.log", i))
		logs = append(logs, name)
		f, err := os.Create(name)
		if err != nil {
			return r, err
		}
		l := synthetic.Log{Instances: instances, Lines: lines / parts, Names: names, Seed: uint64(i + 1),
			Start: start.Add(time.Duration(i) * 24 * time.Hour / parts), Span: 24 * time.Hour / parts}
		n, err := l.WriteTo(f)
		r.files += n
		if err = firstOf(err, f.Close()); err != nil {
			return r, err
		}
	}
	ours := 0
	began, before := time.Now(), spent()
	for _, name := range logs {
		n, err := ship(ctx, name)
		if err != nil {
			return r, err
		}
		ours += n
	}
	err = until(ctx, func() bool {
		text, err := get("/select/logsql/query?query=" + `plugin:%3Dede%20|%20stats%20count()%20as%20n`)
		return err == nil && strings.Contains(text, fmt.Sprintf(`"%d"`, ours))
	})
	if err != nil {
		return r, err
	}
	r.ingest = time.Since(began)
	if r.stored, err = settled(ctx, data, ours); err != nil {
		return r, err
	}
	r.taking = spent() - before
	if r.store, err = asked(func() (cost, error) {
		return run(ctx, ede, "report", "--json", "--from", "http://"+addr, "--timeout", "10m")
	}); err != nil {
		return r, err
	}
	if r.rollup, err = asked(func() (cost, error) { return run(ctx, ede, "rollup", "--from", "http://"+addr, "--settle", "0s") }); err != nil {
		return r, err
	}
	if err := until(ctx, func() (done bool) { r.rows, done = summedUp(ours); return done }); err != nil {
		return r, err
	}
	if r.withSums, err = settled(ctx, data, ours); err != nil {
		return r, err
	}
	var again []cost
	for range repeats {
		c, err := asked(func() (cost, error) {
			return run(ctx, ede, "report", "--json", "--from", "http://"+addr, "--timeout", "10m")
		})
		if err != nil {
			return r, err
		}
		again = append(again, c)
	}
	slices.SortFunc(again, func(a, b cost) int { return cmp.Compare(a.took, b.took) })
	r.sums = again[repeats/2]
	if r.leanest, err = leanest(); err != nil {
		return r, err
	}
	if r.file, err = run(ctx, ede, append([]string{"report", "--json"}, logs...)...); err != nil {
		return r, err
	}
	if r.store.failures != r.file.failures || r.sums.failures != r.file.failures || r.file.failures == 0 {
		return r, fmt.Errorf("the store counts %d failures, its sums %d, the files have %d", r.store.failures, r.sums.failures, r.file.failures)
	}
	peak, err := metric("process_resident_memory_peak_bytes")
	r.resident = int64(peak)
	return r, err
}
