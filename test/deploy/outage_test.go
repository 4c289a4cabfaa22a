package deploy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

var outageLasts = flag.Duration("outage", time.Second, "how long each part of the outage under load lasts")

// outageServer has log, metrics and page on, and no other upstream than the one
// that goes down.
const outageServer = `
.:{port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    ede {
        page 127.0.0.1:{page}
    }
    cache {
        servfail 1s
    }
    forward . 127.0.0.1:{upstream} {
        health_check 200ms
        max_fails 1
    }
}
`

const outageUpstream = `
.:{upstream} {
    bind 127.0.0.1
    template ANY ANY {
        answer "{{ .Name }} 1 IN A 192.0.2.1"
    }
}
`

// story is what happened as one of the witnesses tells it.
type story struct {
	failures, cached uint64
	causes           map[string]uint64
}

func (s *story) add(cause string, failures, cached uint64) {
	if s.causes == nil {
		s.causes = make(map[string]uint64)
	}
	s.causes[cause] += failures
	s.failures += failures
	s.cached += cached
}

// clients ask until stop is closed and count every answer by rcode.
func clients(t *testing.T, addr string, stop <-chan struct{}) (wait func() [16]uint64) {
	t.Helper()
	const together = 16
	var counts [16]atomic.Uint64
	var lost atomic.Uint64
	var all sync.WaitGroup
	for c := range together {
		conn, err := dns.Dial("udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer conn.Close()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				zone := [...]string{"example.org.", "example.net.", "example.com."}[i%3]
				q := server.Message(fmt.Sprintf("n%d.%s", (i*together+c)%200, zone), dns.TypeA, server.EDNS())
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				if conn.WriteMsg(q) != nil {
					lost.Add(1)
					return
				}
				for {
					r, err := conn.ReadMsg()
					if err != nil {
						lost.Add(1)
						return
					}
					if r.Id == q.Id {
						counts[r.Rcode].Add(1)
						break
					}
				}
			}
		})
	}
	return func() (seen [16]uint64) {
		all.Wait()
		if n := lost.Load(); n > 0 {
			t.Errorf("%d queries got no answer", n)
		}
		for i := range counts {
			seen[i] = counts[i].Load()
		}
		return seen
	}
}

// TestAnOutageIsToldAlikeByLogMetricsPageAndReport kills the only upstream of a
// real CoreDNS under load, reloads it meanwhile, and brings the upstream back.
// What the clients saw, what the log has in lines and summaries, what
// Prometheus would scrape, what the page shows and what ede report makes of
// the log has to be the same, to the last failure.
func TestAnOutageIsToldAlikeByLogMetricsPageAndReport(t *testing.T) {
	words := strings.NewReplacer("{port}", freePort(t), "{metrics}", freePort(t), "{page}", freePort(t), "{upstream}", freePort(t))
	addr := words.Replace("127.0.0.1:{port}")
	upstreams := outageUpstreams{t: t, corefile: words.Replace(outageUpstream), addr: words.Replace("127.0.0.1:{upstream}")}
	upstreams.start()
	corefile := words.Replace(outageServer)
	it := corednsProcess(t, corefile)
	upstreams.await(addr, "NOERROR")

	stop := make(chan struct{})
	wait := clients(t, addr, stop)
	let := func() { time.Sleep(*outageLasts) } // the load needs a time to act in
	let()
	killed := time.Now()
	upstreams.kill()
	let()
	let()
	// The Corefile changes, so that the block is a new one.
	if err := os.WriteFile(filepath.Join(it.dir, "Corefile"), []byte(corefile+"\n# changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := it.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "CoreDNS reloads", it.said.String, func() bool { return strings.Contains(it.said.String(), "Reloading complete") })
	let()
	restarted := time.Now()
	upstreams.start()
	back := time.Now()
	// An incident is over once each name that failed resolves: the clients query until then.
	page := words.Replace("http://127.0.0.1:{page}/incidents.json")
	var shown string
	eventually(t, "no incident goes on", func() string { return shown }, func() bool {
		var p outagePage
		shown, _ = fetch(page)
		return json.Unmarshal([]byte(shown), &p) == nil && len(p.Ended) > 0 && p.over()
	})
	close(stop)
	seen := wait()
	failed := seen[dns.RcodeServerFailure]
	t.Logf("clients saw %d NOERROR and %d SERVFAIL", seen[dns.RcodeSuccess], failed)
	if failed == 0 || seen[dns.RcodeSuccess] == 0 || failed+seen[dns.RcodeSuccess] != sum(seen[:]) {
		t.Fatalf("answers by rcode %v", seen)
	}
	eventually(t, "the incidents are over", it.said.String, func() bool {
		return strings.Contains(it.said.String(), "recovered cause=upstream_unreachable")
	})

	metrics := metricsStory(t, words.Replace("http://127.0.0.1:{metrics}/metrics"))
	onPage, state := pageStory(t, page, failed)
	it.stop(t)
	text := it.said.String()
	file := filepath.Join(it.dir, "coredns.log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	logged := logStory(t, text)
	reported := reportStory(t, file)

	for name, told := range map[string]story{"metrics": metrics, "page": onPage, "log": logged, "report": reported} {
		if told.failures != failed {
			t.Errorf("%s: %d failures, the clients saw %d", name, told.failures, failed)
		}
		if told.cached != metrics.cached || !maps.Equal(told.causes, metrics.causes) {
			t.Errorf("%s: %d cached, causes %v; metrics: %d cached, %v", name, told.cached, told.causes, metrics.cached, metrics.causes)
		}
	}
	t.Logf("all tell %d failures, %d of them cached, by cause %v", failed, metrics.cached, metrics.causes)
	state.check(t, killed, restarted, back)
}

// sum adds up.
func sum(counts []uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// outageUpstreams is an upstream that comes and goes, in a process of its own.
type outageUpstreams struct {
	t              *testing.T
	corefile, addr string
	running        *process
}

func (u *outageUpstreams) start() {
	u.t.Helper()
	u.running = corednsProcess(u.t, u.corefile)
	u.await(u.addr, "NOERROR")
}

func (u *outageUpstreams) kill() {
	u.t.Helper()
	_ = u.running.cmd.Process.Kill()
	<-u.running.ended
}

func (u *outageUpstreams) await(addr, rcode string) {
	u.t.Helper()
	eventually(u.t, addr+" answers "+rcode, u.running.said.String, func() bool {
		c := dns.Client{Timeout: time.Second}
		r, _, err := c.Exchange(server.Message("ready.example.org.", dns.TypeA, server.EDNS()), addr)
		return err == nil && dns.RcodeToString[r.Rcode] == rcode
	})
}

var series = regexp.MustCompile(`(?m)^(coredns_ede_\w+_total)\{([^}]*)\} (\S+)$`)

func metricsStory(t *testing.T, url string) (s story) {
	t.Helper()
	body, ok := fetch(url)
	if !ok {
		t.Fatalf("%s does not answer", url)
	}
	for _, m := range series.FindAllStringSubmatch(body, -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		switch m[1] {
		case "coredns_ede_failures_total":
			cause := regexp.MustCompile(`cause="(\w+)"`).FindStringSubmatch(m[2])[1]
			s.add(cause, uint64(value), 0)
		case "coredns_ede_cached_failures_total":
			s.cached += uint64(value)
		}
	}
	return s
}

type outageIncident struct {
	Cause, Upstream, Beginning string
	Count                      uint64
	Cached                     uint64 `json:"cached_count"`
	First, Last                time.Time
	LastGood                   time.Time `json:"last_good"`
	Recovered                  bool
}

// outagePage is what the page says beyond the numbers.
type outagePage struct {
	Failures         uint64
	Incidents, Ended []outageIncident
	LastHour         struct {
		Causes []struct {
			Cause string
			Count uint64
		}
	} `json:"last_hour"`
}

// over is true when no incident is open but of failures from cache that
// were quicker than the one that put them there: their cause is not known, and
// so not when it ends.
func (p outagePage) over() bool {
	return !slices.ContainsFunc(p.Incidents, func(in outageIncident) bool { return in.Cause != "cached_failure" })
}

// pageStory reads the page once it is up to date: a response is up to a second
// old.
func pageStory(t *testing.T, url string, failed uint64) (s story, p outagePage) {
	t.Helper()
	var body string
	eventually(t, "the page has all failures and none goes on", func() string { return body }, func() bool {
		p = outagePage{}
		body, _ = fetch(url)
		return json.Unmarshal([]byte(body), &p) == nil && p.Failures >= failed && p.over()
	})
	for _, c := range p.LastHour.Causes {
		s.add(c.Cause, c.Count, 0)
	}
	if s.failures != p.Failures {
		t.Errorf("the page counts %d failures, and %d in its chart", p.Failures, s.failures)
	}
	incidents := make(map[string]uint64)
	for _, in := range append(p.Incidents, p.Ended...) {
		incidents[in.Cause] += in.Count
		s.cached += in.Cached
	}
	if !maps.Equal(incidents, s.causes) {
		t.Errorf("the page's incidents count %v, its chart %v", incidents, s.causes)
	}
	return s, p
}

// check compares what the page says of the incidents with what was done.
func (p outagePage) check(t *testing.T, killed, restarted, back time.Time) {
	t.Helper()
	const slack = time.Second
	for _, in := range p.Ended {
		t.Logf("%s at %s: since %v, until %v, last good %v, %q", in.Cause, in.Upstream, in.First.Sub(killed), in.Last.Sub(killed), in.LastGood.Sub(killed), in.Beginning)
		if in.First.Before(killed) || in.First.After(back.Add(slack)) {
			t.Errorf("%s began %v after the upstream was killed", in.Cause, in.First.Sub(killed))
		}
		if !in.Recovered || in.LastGood.Before(restarted) {
			t.Errorf("%s: recovered %v, last good %v after the upstream was started again", in.Cause, in.Recovered, in.LastGood.Sub(restarted))
		}
		// That the server has started says nothing of an upstream.
		if strings.Contains(in.Beginning, "start") {
			t.Errorf("%s: beginning %q", in.Cause, in.Beginning)
		}
	}
	if !slices.ContainsFunc(p.Ended, func(in outageIncident) bool { return strings.Contains(in.Beginning, "went down") }) {
		t.Errorf("no incident began when the upstream went down: %+v", p.Ended)
	}
}

var logField = regexp.MustCompile(`\b(cause|count|cached|cached_count|rcode)=(\S+)`)

func logStory(t *testing.T, text string) (s story) {
	t.Helper()
	for line := range strings.Lines(text) {
		_, words, ours := strings.Cut(line, "[INFO] plugin/ede: ")
		if !ours {
			continue
		}
		fields := make(map[string]string)
		for _, m := range logField.FindAllStringSubmatch(words, -1) {
			fields[m[1]] = m[2]
		}
		number := func(key string) uint64 {
			n, err := strconv.ParseUint(fields[key], 10, 64)
			if err != nil {
				t.Errorf("%s of %q: %v", key, line, err)
			}
			return n
		}
		switch {
		case fields["rcode"] != "":
			cached := uint64(0)
			if fields["cached"] == "true" {
				cached = 1
			}
			s.add(fields["cause"], 1, cached)
		case strings.HasPrefix(words, "summary "):
			s.add(fields["cause"], number("count"), number("cached_count"))
		}
	}
	return s
}

func reportStory(t *testing.T, file string) (s story) {
	t.Helper()
	var out bytes.Buffer
	if err := report.Run(t.Context(), report.Config{Files: []string{file}, Out: &out, Top: 10, Format: report.JSON}); err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Causes {
		s.add(c.Cause, c.Count, c.Cached)
	}
	if s.failures != r.Failures || s.cached != r.Cached || r.Log.Malformed != 0 {
		t.Errorf("the report counts %d failures, %d cached, by cause %+v, %d malformed", r.Failures, r.Cached, s, r.Log.Malformed)
	}
	return s
}

var dnsperfSaid = regexp.MustCompile(`(?m)^\s*(Queries sent|Queries completed|Queries lost):\s+(\d+)`)

// TestAFloodOfFailuresIsAFewLinesThatCountThemAll has dnsperf ask a server whose
// upstream is down, as fast as it goes.
func TestAFloodOfFailuresIsAFewLinesThatCountThemAll(t *testing.T) {
	program(t, "dnsperf")
	words := strings.NewReplacer("{port}", freePort(t), "{metrics}", freePort(t), "{page}", freePort(t), "127.0.0.1:{upstream}", nobody)
	it := corednsProcess(t, words.Replace(outageServer))
	eventually(t, "the server answers", it.said.String, func() bool {
		_, ok := fetch(words.Replace("http://127.0.0.1:{page}/"))
		return ok
	})
	var questions strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&questions, "n%d.example%d.org A\n", i, i%50)
	}
	file := filepath.Join(t.TempDir(), "questions")
	if err := os.WriteFile(file, []byte(questions.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	seconds := max(int(outageLasts.Seconds()), 3)
	began := time.Now()
	out, err := exec.Command("dnsperf", "-s", "127.0.0.1", "-p", words.Replace("{port}"), "-d", file, "-l", strconv.Itoa(seconds), "-q", "100", "-c", "4", "-e").CombinedOutput()
	if err != nil {
		t.Fatalf("dnsperf: %v\n%s", err, out)
	}
	seen := make(map[string]uint64)
	for _, m := range dnsperfSaid.FindAllStringSubmatch(string(out), -1) {
		seen[m[1]], _ = strconv.ParseUint(m[2], 10, 64)
	}
	sent, completed := seen["Queries sent"], seen["Queries completed"]
	if completed == 0 || !strings.Contains(string(out), fmt.Sprintf("SERVFAIL %d (100.00%%)", completed)) {
		t.Fatalf("dnsperf says\n%s", out)
	}
	metrics := metricsStory(t, words.Replace("http://127.0.0.1:{metrics}/metrics"))
	it.stop(t)
	text := it.said.String()
	logged := logStory(t, text)
	// A query that the kernel dropped on the way there failed nowhere.
	if logged.failures < completed || logged.failures > sent || logged.failures != metrics.failures || logged.cached != metrics.cached {
		t.Errorf("dnsperf sent %d and saw %d failures; log %+v, metrics %+v", sent, completed, logged, metrics)
	}
	// Not always as long as it was asked to.
	seconds = int(time.Since(began).Seconds()) + 1
	// The flood may begin at the end of a second that still has room for lines.
	if lines, most := strings.Count(text, "plugin/ede: "), 2*100+20*(seconds+1); lines > most {
		t.Errorf("%d lines in %d s, want at most %d", lines, seconds, most)
	}
	t.Logf("%d failures in %d s, %d lost on the way; %d lines tell of %d", completed, seconds, seen["Queries lost"], strings.Count(text, "plugin/ede: "), logged.failures)
}
