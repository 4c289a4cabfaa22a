package record

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var update = flag.Bool("update", false, "write the goldens anew")

const separator = "\n---\n"

// TestGoldens reads every scenario of testdata/golden: the evidence of one
// failure above the line, and below it everything that leaves for it.
func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	covered := make(map[string]bool)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(b), separator)
			sc := readScenario(t, strings.TrimSuffix(input, "\n"))
			got := sc.output(t)
			covered[sc.verdict().Cause.ID] = true
			if *update {
				if err := os.WriteFile(path, []byte(strings.TrimSuffix(input, "\n")+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("the outcome of %s differs.\ngot:\n%s\nwant:\n%s", path, got, want)
			}
		})
	}
	for _, c := range cause.All() {
		if !covered[c.ID] {
			t.Errorf("no golden has the cause %s", c.ID)
		}
	}
}

// output is everything that leaves for a failure, as an operator reads it.
func (sc *scenario) output(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	v := sc.verdict()
	fmt.Fprintln(&b, "answer")
	for _, words := range []cause.Words{cause.NoWords, cause.BriefWords, cause.FullWords} {
		udp, stream := printed(v.Options(words, true, true)), printed(v.Options(words, true, false))
		if udp == stream {
			fmt.Fprintf(&b, "  %-14s %s\n", words.String()+":", udp)
			continue
		}
		fmt.Fprintf(&b, "  %-14s %s\n", words.String()+", udp:", udp)
		fmt.Fprintf(&b, "  %-14s %s\n", words.String()+", stream:", stream)
	}
	if dropped := printed(v.Options(cause.BriefWords, false, false)); dropped != printed(v.Options(cause.BriefWords, true, false)) {
		fmt.Fprintf(&b, "  %-14s %s\n", "upstream drop:", dropped)
	}

	f := sc.failure(v)
	fs := fieldsOf(nil, f, ClientFull)
	fmt.Fprintf(&b, "log\n  %s\n", appendText(nil, fs))
	fmt.Fprintf(&b, "json\n  %s", jsonOf(fs))
	if sc.diagnosis != "" {
		d := Diagnosis{Verdict: sc.diagnosed(), At: v.At, Upstream: v.Upstream, Server: f.Server, Refines: cause.Classify(&sc.evidence).Cause.ID, Zone: sc.zone, Question: sc.evidence.Asked, Queries: 9, Duration: 41 * time.Millisecond, Text: sc.full}
		fmt.Fprintf(&b, "diagnosis\n  %s\n", appendText(nil, d.fields()))
	}
	fmt.Fprintln(&b, "metrics")
	failures.Reset()
	forgetUpstreams()
	cachedFailures.Reset()
	Count(f)
	for _, m := range []struct {
		name string
		c    prometheus.Collector
	}{{"failures_total", failures}, {"upstream_failures_total", upstreamFailures}, {"cached_failures_total", cachedFailures}} {
		for _, line := range series(t, m.c) {
			fmt.Fprintf(&b, "  coredns_ede_%s%s\n", m.name, line)
		}
	}
	fmt.Fprintln(&b, "trace")
	for _, fact := range v.Trace() {
		fmt.Fprintf(&b, "  %s\n", fact)
	}
	return b.String()
}

func printed(opts []option.Option) string {
	if len(opts) == 0 {
		return "-"
	}
	var all []string
	for _, o := range opts {
		text := ""
		if o.Text != "" {
			text = fmt.Sprintf(" %q", o.Text)
		}
		all = append(all, fmt.Sprintf("%d (%s)%s", o.Code, option.Name(o.Code), text))
	}
	return strings.Join(all, ", ")
}

// jsonOf is the line of CoreDNS's JSON log without its time.
func jsonOf(fs fields) []byte {
	var b bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	l.LogAttrs(context.Background(), slog.LevelInfo, "failure", attrs(fs)...)
	return b.Bytes()
}

// series prints the samples of c: "{label="value"} 1".
func series(t *testing.T, c prometheus.Collector) (all []string) {
	t.Helper()
	metrics := make(chan prometheus.Metric, 1000)
	c.Collect(metrics)
	close(metrics)
	for m := range metrics {
		var d dto.Metric
		if err := m.Write(&d); err != nil {
			t.Fatal(err)
		}
		var labels []string
		for _, l := range d.GetLabel() {
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
		all = append(all, fmt.Sprintf("{%s} %g", strings.Join(labels, ","), d.GetCounter().GetValue()))
	}
	return all
}

func (sc *scenario) verdict() *cause.Verdict {
	switch {
	case sc.diagnosis != "":
		return sc.diagnosed().For(cause.Classify(&sc.evidence), sc.found)
	case !sc.found.IsZero():
		return cause.Classify(sc.evidence.Nested).FromMemory(sc.found)
	}
	return cause.Classify(&sc.evidence)
}

func (sc *scenario) failure(v *cause.Verdict) *Failure {
	e, sent := &sc.evidence, SentYes
	if e.Shape == evidence.Panicked {
		sent = NotSent
	}
	return &Failure{
		Verdict: v, Rcode: e.Rcode, Server: "dns://:53", Zone: ".", Protocol: "udp",
		Client: netip.MustParseAddrPort("198.51.100.7:40112"), ID: 4711,
		Question: e.Question, Asked: e.Asked, Duration: e.Elapsed, Cached: e.CacheHit,
		Sent: sent, Error: e.Failure.Text(), First: true,
	}
}
