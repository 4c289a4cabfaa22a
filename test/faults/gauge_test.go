//go:build linux

package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// gauge is what a process holds: goroutines, descriptors, and resident memory in
// octets.
type gauge struct{ goroutines, descriptors, memory int }

func (g gauge) most(other gauge) gauge {
	return gauge{max(g.goroutines, other.goroutines), max(g.descriptors, other.descriptors), max(g.memory, other.memory)}
}

const poll = 100 * time.Millisecond

// collectEvery is how many polls lie between two collections of garbage, which
// take a second of processor time with the race detector.
const collectEvery = 20

// settling is how long what a fault left may take to go: above the timeouts of
// idle connections, CoreDNS's and quic-go's, and long enough to work off what
// clients that have gone had asked.
func settling() time.Duration { return span(3*time.Minute, 5*time.Minute) }

// client does not keep connections: each would be two goroutines in CoreDNS.
var client = http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func fetch(url string) (string, error) {
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, r.Status)
	}
	return string(body), err
}

// gauge reads what the process holds now. During a reload, or on a machine that
// is busy, its profile may not answer; the goroutines are then 0.
func (p *process) gauge() gauge {
	var g gauge
	if text, err := p.profile(); err == nil {
		g.goroutines = goroutines(text)
	}
	if fds, err := os.ReadDir(p.proc("fd")); err == nil {
		g.descriptors = len(fds)
	}
	g.memory = p.memory("VmRSS")
	return g
}

func (p *process) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", p.command.Process.Pid, file)
}

// memory reads a line of the process's status, in octets.
func (p *process) memory(name string) int {
	status, _ := os.ReadFile(p.proc("status"))
	_, rest, _ := strings.Cut(string(status), name+":")
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	kB, _ := strconv.Atoi(words[0])
	return kB << 10
}

// metric returns the sum of all series of a metric.
func (p *process) metric(name string) (float64, error) {
	text, err := fetch("http://" + p.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, line := range strings.Split(text, "\n") {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// counter is metric for one that has to be there. A process that is busy may
// take long to answer.
func (p *process) counter(t *testing.T, name string) int {
	t.Helper()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		n, err := p.metric(name)
		if err == nil {
			return int(n)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v\n%s", name, patience, err, p.said())
		}
	}
}

// collect has the process collect garbage: CoreDNS's proxies end goroutines in
// finalizers.
func (p *process) collect() { _, _ = fetch("http://" + p.pprof + "/debug/pprof/heap?gc=1") }

func (p *process) stacks() string {
	text, err := p.profile()
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *process) profile() (string, error) {
	return fetch("http://" + p.pprof + "/debug/pprof/goroutine?debug=1")
}

// goroutines reads how many a profile counts. Two of them serve it. The metric of
// the same name would not do: it counts the workers that gather the metrics too,
// and the moment says how many those are.
func goroutines(profile string) int {
	first, _, _ := strings.Cut(profile, "\n")
	n, _ := strconv.Atoi(strings.TrimPrefix(first, "goroutine profile: total "))
	return n
}

// trial is one fault being tried.
type trial struct {
	t       *testing.T
	p       *process
	row     row
	begin   time.Time
	stop    chan struct{}
	sampled chan gauge
}

// try begins to measure, once the process is at rest.
func (p *process) try(t *testing.T, fault string) *trial {
	t.Helper()
	p.collect()
	tr := &trial{t: t, p: p, row: row{fault: fault, before: p.rest(t)}, stop: make(chan struct{}), sampled: make(chan gauge)}
	// From here on VmHWM is the peak of this fault.
	_ = os.WriteFile(p.proc("clear_refs"), []byte("5"), 0o600)
	tr.begin = time.Now()
	go tr.sample()
	return tr
}

// rest is the least that the process holds: the same in the first and in the
// second half of some polls. Each of these may meet the connection of the one
// before, which on a busy machine takes its time to end.
func (p *process) rest(t *testing.T) gauge {
	t.Helper()
	const half = 5
	tick := time.NewTicker(poll)
	defer tick.Stop()
	var polls []gauge
	for deadline := time.Now().Add(settling()); time.Now().Before(deadline); <-tick.C {
		now := p.gauge()
		if now.goroutines == 0 {
			continue
		}
		polls = append(polls, now)
		if len(polls) < 2*half {
			continue
		}
		last := polls[len(polls)-2*half:]
		first, second := least(last[:half]), least(last[half:])
		if first.goroutines == second.goroutines && first.descriptors == second.descriptors {
			return second
		}
	}
	t.Fatalf("the process does not come to rest in %v; its metrics answered %d times, with %+v:\n%s", settling(), len(polls), polls, p.stacks())
	return gauge{}
}

func least(all []gauge) gauge {
	g := all[0]
	for _, other := range all[1:] {
		g = gauge{min(g.goroutines, other.goroutines), min(g.descriptors, other.descriptors), min(g.memory, other.memory)}
	}
	return g
}

func (tr *trial) sample() {
	peak := tr.p.gauge()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-tr.stop:
			tr.sampled <- peak
			return
		case <-tick.C:
			peak = peak.most(tr.p.gauge())
		}
	}
}

// halt ends the measurement of the peak.
func (tr *trial) halt() {
	tr.row.took = time.Since(tr.begin)
	close(tr.stop)
	tr.row.peak = <-tr.sampled
	tr.row.peak.memory = max(tr.row.peak.memory, tr.p.memory("VmHWM"))
}

// done adds the row, and fails the test unless every query got one answer and
// nothing is left of it in the process.
func (tr *trial) done(all tally, note string, words ...any) {
	tr.t.Helper()
	tr.halt()
	tr.settle()
	tr.report(all, note, words...)
	tr.t.Helper()
	if all.queries == 0 || all.answers != all.queries || all.lost != 0 || all.doubled != 0 {
		tr.t.Errorf("%d queries, %d answers, %d lost, %d doubled, want one answer each", all.queries, all.answers, all.lost, all.doubled)
	}
}

// settle waits until the process holds no more than before, and fails the test
// if it goes on to.
func (tr *trial) settle() {
	tr.t.Helper()
	before := tr.row.before
	tick := time.NewTicker(poll)
	defer tick.Stop()
	polls := 0
	for deadline := time.Now().Add(settling()); time.Now().Before(deadline); <-tick.C {
		if polls++; polls%collectEvery == 0 {
			tr.p.collect()
		}
		after := tr.p.gauge()
		if after.goroutines > 0 {
			tr.row.after = after
		}
		if after.goroutines > 0 && after.goroutines <= before.goroutines && after.descriptors <= before.descriptors {
			return
		}
	}
	tr.t.Errorf("%d goroutines and %d descriptors before, %d and %d after:\n%s",
		before.goroutines, before.descriptors, tr.row.after.goroutines, tr.row.after.descriptors, tr.p.stacks())
}

func (tr *trial) report(all tally, note string, words ...any) {
	tr.t.Helper()
	tr.row.tally, tr.row.note = all, fmt.Sprintf(note, words...)
	table.add(tr.t, tr.row)
}
