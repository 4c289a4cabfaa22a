package main

import (
	"context"
	"fmt"
	"time"
)

// section is one table of the document.
type section struct {
	name, title string
	run         func(context.Context, *bench) (table, error)
}

var sections = []section{
	{"cost", "What a query costs more", costs},
	{"floor", "The least that a plugin costs", contestsBy(floor, (*bench).whole)},
	{"control", "An option without ede", contests(control)},
	{"logs", "Against errors and log", contests(logs)},
	{"entries", "By failures remembered", entries},
	{"memory", "Memory", memory},
	{"latency", "Latency", latency},
	{"alone", "The smallest block", contests(alone)},
	{"plugins", "By plugins in the block", contests(plugins())},
	{"shares", "By failing share", contests(shares())},
	{"sizes", "By size of the answer", contests(sizes())},
	{"transports", "By transport", contests(transports())},
	{"stages", "Stages", stages},
}

// costs has each contest as it is, and once more without the runtime's help.
func costs(ctx context.Context, b *bench) (table, error) {
	t := table{head: []string{"", "CoreDNS alone", "with ede", "more", "ratio", "target", "more, smallest stacks", "ratio, smallest stacks"}}
	for _, c := range cost {
		f, err := b.contest(ctx, c)
		if err != nil {
			return t, err
		}
		bare, err := b.bare().contest(ctx, c)
		if err != nil {
			return t, err
		}
		t.add(c.name, micro(f.cpu[0]), micro(f.cpu[1]), signed(f.more), fmt.Sprintf("%.3f", f.spent), c.wanted(), signed(bare.more), fmt.Sprintf("%.3f", bare.spent))
	}
	return t, nil
}

var contestHead = []string{"", "queries/s without", "with", "throughput", "CPU per query without", "with", "more", "ratio", "target"}

// contests are of less weight than those of costs.
func contests(all []contest) func(context.Context, *bench) (table, error) {
	return contestsBy(all, (*bench).once)
}

// contestsBy measures all with the bench that variant makes of the one at hand.
func contestsBy(all []contest, variant func(*bench) *bench) func(context.Context, *bench) (table, error) {
	return func(ctx context.Context, b *bench) (table, error) {
		t := table{head: contestHead}
		for _, c := range all {
			f, err := variant(b).contest(ctx, c)
			if err != nil {
				return t, err
			}
			t.add(f.row(c)...)
		}
		return t, nil
	}
}

func (f figures) row(c contest) []string {
	return []string{
		c.name, fmt.Sprintf("%.0f", f.perSecond[0]), fmt.Sprintf("%.0f", f.perSecond[1]), fmt.Sprintf("%.3f", f.throughput),
		micro(f.cpu[0]), micro(f.cpu[1]), signed(f.more), fmt.Sprintf("%.3f", f.spent), c.wanted(),
	}
}

// wanted is the target of c in print.
func (c contest) wanted() string {
	if c.target == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", c.target)
}

func signed(d time.Duration) string { return fmt.Sprintf("%+.2f µs", float64(d)/1000) }

func micro(d time.Duration) string { return fmt.Sprintf("%.2f µs", float64(d)/1000) }

func latency(ctx context.Context, b *bench) (table, error) {
	t := table{head: []string{"", "p50 without", "with", "p99 without", "with"}}
	for _, c := range cost {
		p50, p99, err := b.latency(ctx, c)
		if err != nil {
			return t, err
		}
		row := []string{c.name}
		for _, d := range [...]time.Duration{p50[0], p50[1], p99[0], p99[1]} {
			row = append(row, fmt.Sprintf("%d µs", d.Microseconds()))
		}
		t.add(row...)
	}
	return t, nil
}

// entries is what success and failure cost while many failures are remembered, to what
// they cost while there are few. Both servers have ede.
func entries(ctx context.Context, b *bench) (table, error) {
	t := table{head: []string{"", "CPU per query, none or few", "many", "more", "ratio", "target"}}
	failing := load{udp, names{hosts: few.hosts, failing: 100}, servfail}
	for _, n := range []int{100_000, distinct} {
		form := fmt.Sprintf("ede {\n log summary 10s\n memory %d\n}", n)
		c := contest{base: form, with: form, block: missing, ask: failing}
		p, err := b.open(ctx, c)
		if err != nil {
			return t, err
		}
		_, err = b.fire(ctx, p.with, load{udp, names{hosts: n, failing: 100}, servfail}, "-n", "1", "-q", "100")
		for _, ask := range []struct {
			name   string
			load   load
			target float64
		}{{"success", load{udp, few, noerror}, 1.05}, {"SERVFAIL", failing, 1.10}} {
			if err != nil {
				break
			}
			c.name, c.ask, c.target = fmt.Sprintf("%s, %d remembered", ask.name, n), ask.load, ask.target
			var f figures
			if f, err = b.measure(ctx, p, c); err == nil {
				t.add(c.name, micro(f.cpu[0]), micro(f.cpu[1]), signed(f.more), fmt.Sprintf("%.3f", f.spent), c.wanted())
			}
		}
		p.close()
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// distinct is how many names fail in the memory table.
const distinct = 1_000_000

// memory is how much of it a process has, before and after a million names have
// failed.
func memory(ctx context.Context, b *bench) (table, error) {
	t := table{head: []string{"", "at the start", "after 1,000,000 failing names", "growth", "target"}}
	for _, form := range []struct{ name, lines, target string }{
		{"without", "", ""},
		{"`ede`", plain, "16 MiB"},
		{"`ede`, `memory 1000000`", "ede {\n memory 1000000\n}", "300 MiB"},
	} {
		c := contest{with: form.lines, block: missing, ask: load{udp, names{hosts: distinct, failing: 100}, servfail}}
		s, err := b.start(ctx, func(port int) string { return c.corefile(c.with, port, b.dir) })
		if err != nil {
			return t, err
		}
		row, err := b.growth(ctx, s, c.ask)
		s.stop()
		if err != nil {
			return t, err
		}
		t.add(append(append([]string{form.name}, row...), form.target)...)
	}
	return t, nil
}

func (b *bench) growth(ctx context.Context, s *server, l load) ([]string, error) {
	warm := load{l.mode, names{hosts: few.hosts, failing: l.names.failing}, l.rcodes}
	if _, err := b.fire(ctx, s, warm, "-q", "100", "-l", "1"); err != nil {
		return nil, err
	}
	before, err := s.rss()
	if err != nil {
		return nil, err
	}
	if _, err := b.fire(ctx, s, l, "-q", "100", "-n", "1"); err != nil {
		return nil, err
	}
	after, err := s.rss()
	return []string{mib(before), mib(after), mib(after - before)}, err
}

func mib(octets int) string { return fmt.Sprintf("%.1f MiB", float64(octets)/(1<<20)) }
