package record

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestTheMetricsKeepToPrometheusRules(t *testing.T) {
	SetBuild("v1.0.0", "abc", "go1.26")
	Count(&Failure{Verdict: refused, Rcode: dns.RcodeServerFailure, Server: "dns://:53", Zone: ".", Cached: true})
	CountOptions("dns://:53", []option.Option{{Code: 23}})
	CountDiagnosis("found", 9, time.Second)
	DiagnosisSkipped("rate")
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		// The names of CoreDNS itself are its own affair.
		if strings.HasPrefix(p.Metric, "coredns_ede_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestUpstreamsBeyondTheBoundShareALabel(t *testing.T) {
	forgetUpstreams()
	t.Cleanup(forgetUpstreams)
	v := *refused
	for i := range maxUpstreams + 10 {
		v.Upstream = fmt.Sprintf("192.0.2.%d:53", i)
		Count(&Failure{Verdict: &v, Server: "dns://:53"})
	}
	v.Upstream = "192.0.2.0:53"
	Count(&Failure{Verdict: &v, Server: "dns://:53"})
	if got := len(series(t, upstreamFailures)); got != maxUpstreams+1 {
		t.Errorf("%d series, want %d", got, maxUpstreams+1)
	}
	if got := value(t, upstreamFailures.WithLabelValues("dns://:53", otherUpstream, v.Cause.ID)); got != 10 {
		t.Errorf("%v failures of other upstreams, want 10", got)
	}
	if got := value(t, upstreamFailures.WithLabelValues("dns://:53", "192.0.2.0:53", v.Cause.ID)); got != 2 {
		t.Errorf("%v failures of a known upstream, want 2", got)
	}
}

// forgetUpstreams makes the process as new: the labels are of the process.
func forgetUpstreams() {
	alikeCounters.held.Store(nil)
	optionCounters.held.Store(nil)
	upstreamLabels.Lock()
	upstreamLabels.known = make(map[string]bool)
	upstreamLabels.Unlock()
	upstreamFailures.Reset()
}

func TestAnyInfoCodeFallsIntoAClosedSetOfLabels(t *testing.T) {
	optionsTotal.Reset()
	for code := range 1 << 16 {
		CountOptions("dns://:53", []option.Option{{Code: uint16(code), Source: option.Upstream}})
	}
	// 36 that are assigned, unassigned, private.
	if got := len(series(t, optionsTotal)); got != 36+2 {
		t.Errorf("%d series", got)
	}
}

func TestTheCatalogCanBeJoinedByCause(t *testing.T) {
	seen := make(map[string]int)
	for _, line := range series(t, causeInfo) {
		_, rest, _ := strings.Cut(line, `cause="`)
		id, _, _ := strings.Cut(rest, `"`)
		seen[id]++
	}
	for _, c := range cause.All() {
		if seen[c.ID] != 1 {
			t.Errorf("%s has %d series: a join on it would fail", c.ID, seen[c.ID])
		}
	}
}

func TestTheMetadataOfAFailureIsThereForLogAndDnstap(t *testing.T) {
	ctx := metadata.ContextWithMetadata(context.Background())
	v := cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true,
		Options: []option.Option{{Code: 6, Text: "bogus"}, {Code: 10}},
	})
	Label(ctx, &Failure{Verdict: v})
	want := map[string]string{
		"ede/cause": "upstream_ede", "ede/code": "6,10", "ede/text": "from 192.0.2.53: bogus", "ede/at": "forward",
		"ede/upstream": "192.0.2.53:53", "ede/lasts": "persistent", "ede/owner": "unknown",
	}
	for _, label := range Labels {
		f := metadata.ValueFunc(ctx, label)
		if f == nil {
			t.Errorf("no %s", label)
			continue
		}
		if got := f(); got != want[label] {
			t.Errorf("%s is %q, want %q", label, got, want[label])
		}
	}
	if len(Labels) != len(want) {
		t.Errorf("%d labels", len(Labels))
	}
	Label(context.Background(), &Failure{Verdict: v}) // does nothing, and does not panic
}
