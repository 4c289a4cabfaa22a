package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// bench is one run of this program.
type bench struct {
	binary, dir            string
	serverCore, clientCore string
	seconds                float64
	starts, pairs          int
	// godebug is the GODEBUG of the servers.
	godebug string
}

// whole is b as it is.
func (b *bench) whole() *bench { return b }

// once is b with one start of the servers for each contest: for tables of less weight.
func (b *bench) once() *bench {
	o := *b
	o.starts = 1
	return &o
}

// bare is b without the runtime's help: goroutines begin with the smallest stack, where Go
// gives them what the last ones needed on the average.
func (b *bench) bare() *bench {
	o := *b
	o.godebug = "adaptivestackstart=0"
	return &o
}

// pair is both forms of a contest, running.
type pair struct{ base, with *server }

// figures are medians over the pairs of runs, of the base and with ede.
type figures struct {
	perSecond [2]float64
	cpu       [2]time.Duration // of the server, a query
	// throughput and spent are the medians of each pair's ratio, with to base, and more
	// that of what with spends more a query.
	throughput, spent float64
	more              time.Duration
}

func (b *bench) open(ctx context.Context, c contest) (*pair, error) {
	base, err := b.start(ctx, func(port int) string { return c.corefile(c.base, port, b.dir) })
	if err != nil {
		return nil, fmt.Errorf("%s, base: %w", c.name, err)
	}
	with, err := b.start(ctx, func(port int) string { return c.corefile(c.with, port, b.dir) })
	if err != nil {
		base.stop()
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return &pair{base, with}, nil
}

func (p *pair) close() {
	p.base.stop()
	p.with.stop()
}

// contest measures c from its start to its end. Both servers are started more than
// once: where the system puts the memory of a process makes it faster or slower by
// some percent for as long as it lives.
func (b *bench) contest(ctx context.Context, c contest) (figures, error) {
	var all runs
	for range b.starts {
		p, err := b.open(ctx, c)
		if err != nil {
			return figures{}, err
		}
		err = b.race(ctx, p, c, &all)
		p.close()
		if err != nil {
			return figures{}, err
		}
	}
	return all.figures(c), nil
}

// measure is contest for a pair that runs.
func (b *bench) measure(ctx context.Context, p *pair, c contest) (figures, error) {
	var all runs
	if err := b.race(ctx, p, c, &all); err != nil {
		return figures{}, err
	}
	return all.figures(c), nil
}

// runs are what pairs of runs gave: queries a second and nanoseconds of the server
// a query, each of the base and with ede.
type runs struct{ perSecond, cpu [2][]float64 }

// warmUps are the runs of each server that are not counted. What the Go runtime
// learns of a process takes some collections of garbage.
const warmUps = 2

// race has both forms asked in turn, to warm up and then b.pairs times. Which of
// them is first changes from pair to pair.
func (b *bench) race(ctx context.Context, p *pair, c contest, all *runs) error {
	servers := [2]*server{p.base, p.with}
	for round := range warmUps + b.pairs {
		for turn := range 2 {
			i := (turn + round) % 2
			r, d, err := b.burst(ctx, servers[i], c.ask)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round < warmUps {
				continue
			}
			all.perSecond[i] = append(all.perSecond[i], r.perSecond)
			all.cpu[i] = append(all.cpu[i], float64(d)/float64(r.completed))
		}
	}
	return nil
}

func (all *runs) figures(c contest) figures {
	f := figures{throughput: median(ratios(all.perSecond)), spent: median(ratios(all.cpu)), more: time.Duration(median(differences(all.cpu)))}
	for i := range 2 {
		f.perSecond[i], f.cpu[i] = median(all.perSecond[i]), time.Duration(median(all.cpu[i]))
	}
	fmt.Fprintf(os.Stderr, "%-48s throughput %.3f, CPU %.3f, %s\n", c.name, f.throughput, f.spent, signed(f.more))
	return f
}

// ratios are those of each pair, with ede to without.
func ratios(of [2][]float64) []float64 {
	all := make([]float64, len(of[0]))
	for i := range all {
		all[i] = of[1][i] / of[0][i]
	}
	return all
}

// differences are those of each pair, with ede less without.
func differences(of [2][]float64) []float64 {
	all := make([]float64, len(of[0]))
	for i := range all {
		all[i] = of[1][i] - of[0][i]
	}
	return all
}

// burst asks s as fast as it answers, and returns what it spent on that.
func (b *bench) burst(ctx context.Context, s *server, l load) (*report, time.Duration, error) {
	before, err := s.cpu()
	if err != nil {
		return nil, 0, err
	}
	r, err := b.fire(ctx, s, l, "-q", "100", "-l", strconv.FormatFloat(b.seconds, 'f', -1, 64))
	if err != nil {
		return nil, 0, err
	}
	after, err := s.cpu()
	return r, after - before, err
}

// latencyRate is how many queries a second the latency is measured at: far
// below what a server can do.
const latencyRate = 2000

// latency returns the 50th and 99th percentiles of both forms of c.
func (b *bench) latency(ctx context.Context, c contest) (p50, p99 [2]time.Duration, err error) {
	p, err := b.open(ctx, c)
	if err != nil {
		return p50, p99, err
	}
	defer p.close()
	var all50, all99 [2][]float64
	for range max(b.pairs/2, 1) {
		for i, s := range []*server{p.base, p.with} {
			r, err := b.fire(ctx, s, c.ask, "-v", "-Q", strconv.Itoa(latencyRate), "-q", "100", "-l", strconv.FormatFloat(2*b.seconds, 'f', -1, 64))
			if err != nil {
				return p50, p99, fmt.Errorf("%s: %w", c.name, err)
			}
			all50[i] = append(all50[i], float64(percentile(r.latencies, 0.50)))
			all99[i] = append(all99[i], float64(percentile(r.latencies, 0.99)))
		}
	}
	for i := range 2 {
		p50[i], p99[i] = time.Duration(median(all50[i])), time.Duration(median(all99[i]))
	}
	fmt.Fprintf(os.Stderr, "%-48s p50 %v and %v, p99 %v and %v\n", c.name, p50[0], p50[1], p99[0], p99[1])
	return p50, p99, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
