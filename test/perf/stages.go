package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// measured are the packages whose benchmarks make the table of stages.
var measured = []string{".", "./plugin/observe", "./plugin/cause", "./plugin/incident", "./plugin/memory", "./plugin/record", "./plugin/option"}

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\S+)\s+\d+\s+([\d.]+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op`)

// stages runs the Go benchmarks on one core.
func stages(ctx context.Context, _ *bench) (table, error) {
	t := table{head: []string{"", "time", "memory", "allocations"}}
	for _, pkg := range measured {
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem", "-cpu", "1", "-count", "6", "-benchtime", "100ms", pkg).Output()
		if err != nil {
			return t, fmt.Errorf("go test %s: %w: %s", pkg, err, out)
		}
		var order []string
		times, rest := make(map[string][]float64), make(map[string][]string)
		for _, m := range benchmarkLine.FindAllStringSubmatch(string(out), -1) {
			name := m[1]
			if times[name] == nil {
				order = append(order, name)
			}
			ns, _ := strconv.ParseFloat(m[2], 64)
			times[name] = append(times[name], ns)
			rest[name] = m[3:]
		}
		for _, name := range order {
			where := strings.TrimPrefix(strings.TrimPrefix(pkg, "./plugin/"), ".")
			if where != "" {
				where += ": "
			}
			t.add(where+strings.ReplaceAll(name, "_", " "), fmt.Sprintf("%.0f ns", median(times[name])), rest[name][0]+" B", rest[name][1])
		}
	}
	return t, nil
}
