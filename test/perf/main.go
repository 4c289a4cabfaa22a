// Perf measures what ede costs a running CoreDNS: dnsperf asks one binary with
// and without ede in its Corefile, in turn, and what is told are medians of the
// ratios of each pair. It prints the tables of docs/performance.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		os.Exit(1)
	}
}

func run() error {
	b := &bench{}
	flag.StringVar(&b.binary, "bin", "", "the `binary` of CoreDNS, with ede and least; built from test/perf/coredns if empty")
	flag.Float64Var(&b.seconds, "seconds", 0.6, "how long each run of dnsperf takes")
	flag.IntVar(&b.starts, "starts", 3, "how many times both servers of a contest are started")
	flag.IntVar(&b.pairs, "pairs", 4, "how many pairs of runs follow each start; each figure is the median of all")
	var names []string
	for _, s := range sections {
		names = append(names, s.name)
	}
	only := flag.String("only", "", "the tables to make, out of "+strings.Join(names, ","))
	write := flag.String("write", "", "the `file` to put the tables into, as docs/performance.md")
	limit := flag.Duration("limit", 60*time.Minute, "when to give up")
	flag.Parse()
	if b.seconds <= 0 || b.starts < 1 || b.pairs < 1 {
		return errors.New("-seconds, -starts and -pairs have to be positive")
	}
	chosen := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-only %s: want one of %s", name, strings.Join(names, ", "))
		}
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	var err error
	if b.dir, err = os.MkdirTemp("", "ede-perf-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.prepare(ctx); err != nil {
		return err
	}

	tell := func(name, title, text string) error {
		fmt.Printf("## %s\n\n%s\n", title, text)
		if *write == "" {
			return nil
		}
		return place(*write, name, text)
	}
	if err := tell("machine", "Machine", machine(ctx, b.binary)); err != nil {
		return err
	}
	for _, s := range sections {
		if len(chosen) > 0 && !slices.Contains(chosen, s.name) {
			continue
		}
		t, err := s.run(ctx, b)
		if err != nil {
			return err
		}
		if err := tell(s.name, s.title, t.String()); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes what the contests need: the binary, a zone, a certificate.
func (b *bench) prepare(ctx context.Context) error {
	if _, err := exec.LookPath("dnsperf"); err != nil {
		return errors.New("dnsperf is not installed")
	}
	if _, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		b.serverCore, b.clientCore = "0", fmt.Sprintf("1-%d", runtime.NumCPU()-1)
	}
	if b.binary == "" {
		b.binary = filepath.Join(b.dir, "coredns")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.binary, "./test/perf/coredns").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w: %s", err, out)
		}
	}
	if err := writeZone(b.dir); err != nil {
		return err
	}
	return writeCertificate(b.dir)
}
