package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is what one run of dnsperf says.
type report struct {
	completed int
	perSecond float64
	rcodes    map[string]float64 // percent
	latencies []time.Duration    // sorted; only of runs at a fixed rate
}

// fire has dnsperf ask s. extra are further options.
func (b *bench) fire(ctx context.Context, s *server, l load, extra ...string) (*report, error) {
	path, err := l.names.file(b.dir)
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(s.port)
	args := []string{"-s", "127.0.0.1", "-p", port, "-m", string(l.mode), "-d", path, "-e", "-c", "8", "-t", "5"}
	if l.mode == doh {
		args = append(args, "-O", "doh-uri=https://127.0.0.1:"+port+"/dns-query", "-O", "doh-method=POST")
	}
	cmd := pinned(ctx, b.clientCore, "dnsperf", append(args, extra...)...)
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			return nil, fmt.Errorf("dnsperf: %w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("dnsperf: %w", err)
	}
	r, err := parse(string(out))
	if err != nil {
		return nil, err
	}
	return r, r.check(l.rcodes)
}

var (
	completedLine = regexp.MustCompile(`Queries completed:\s+(\d+)`)
	rateLine      = regexp.MustCompile(`Queries per second:\s+([\d.]+)`)
	rcodesLine    = regexp.MustCompile(`Response codes:\s+(.+)`)
	rcodeShare    = regexp.MustCompile(`(\w+) \d+ \(([\d.]+)%\)`)
	queryLine     = regexp.MustCompile(`(?m)^> \S+ \S+ \S+ ([\d.]+)$`)
)

func parse(out string) (*report, error) {
	completed, rate := completedLine.FindStringSubmatch(out), rateLine.FindStringSubmatch(out)
	if completed == nil || rate == nil {
		return nil, fmt.Errorf("dnsperf said nothing that is known: %s", out)
	}
	r := &report{rcodes: make(map[string]float64)}
	r.completed, _ = strconv.Atoi(completed[1])
	r.perSecond, _ = strconv.ParseFloat(rate[1], 64)
	if m := rcodesLine.FindStringSubmatch(out); m != nil {
		for _, share := range rcodeShare.FindAllStringSubmatch(m[1], -1) {
			r.rcodes[share[1]], _ = strconv.ParseFloat(share[2], 64)
		}
	}
	for _, m := range queryLine.FindAllStringSubmatch(out, -1) {
		seconds, _ := strconv.ParseFloat(m[1], 64)
		r.latencies = append(r.latencies, time.Duration(seconds*float64(time.Second)))
	}
	slices.Sort(r.latencies)
	return r, nil
}

// check fails if the answers were not those that are to be measured.
func (r *report) check(want map[string]float64) error {
	if r.completed == 0 {
		return fmt.Errorf("no query was answered")
	}
	for rcode, share := range want {
		if got := r.rcodes[rcode]; got < share-1 || got > share+1 {
			var all []string
			for rcode, share := range r.rcodes {
				all = append(all, fmt.Sprintf("%s %.1f %%", rcode, share))
			}
			slices.Sort(all)
			return fmt.Errorf("%s is not %.0f %% of the answers, which are %s", rcode, share, strings.Join(all, ", "))
		}
	}
	return nil
}

// percentile of sorted values, p between 0 and 1.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}
