package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logfile"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func total(counts []uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// sumUp makes the report of some lines in text.
func sumUp(t *testing.T, f Filter, lines ...string) *figures.Report {
	t.Helper()
	r := &run{Config: testConfig(new(bytes.Buffer)), tally: newTally(f)}
	if err := logfile.Scan(t.Context(), strings.NewReader(strings.Join(lines, "\n")), r.parser(time.Time{}), r.take); err != nil {
		t.Fatal(err)
	}
	if n := total(r.tally.bad[:]); n > 0 {
		t.Fatalf("%d of the test's own lines are malformed", n)
	}
	return r.tally.report(testKnowledge, 10)
}

const (
	wwwLine     = `2026-11-20T12:00:00Z [INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout owner=upstream lasts=transient client_ip=198.51.100.7 qname=www.example.org. cached=false`
	netLine     = `2026-11-20T13:00:00Z [INFO] plugin/ede: rcode=REFUSED cause=acl_block owner=us lasts=persistent client_ip=::ffff:203.0.113.9 qname=example.net. cached=false`
	undatedLine = `[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout client_ip=198.51.100.0/24 qname=notexample.org. cached=true`
	summaryLine = `2026-11-20T12:30:00Z [INFO] plugin/ede: summary cause=upstream_timeout zone=example.org. count=100 cached=50 window_seconds=10 top="www.example.org.:40 x.www.example.org.:20 api.example.org.:10"`
	othersLine  = `2026-11-20T12:30:00Z [INFO] plugin/ede: summary cause=upstream_timeout zone=(others) count=7 cached=0 window_seconds=10`
)

func TestFilterKeepsWhatWasAskedForAndTellsWhatItCannotDecide(t *testing.T) {
	clients := func(texts ...string) Filter {
		c, err := ParseClients(texts)
		if err != nil {
			t.Fatal(err)
		}
		return Filter{Clients: c}
	}
	tests := map[string]struct {
		filter    Filter
		failures  uint64
		undated   uint64
		undecided uint64
	}{
		"everything":                        {Filter{}, 110, 0, 0},
		"one cause":                         {Filter{Causes: []string{"acl_block"}}, 1, 0, 0},
		"two causes":                        {Filter{Causes: []string{"acl_block", "upstream_timeout"}}, 110, 0, 0},
		"a zone, not one that ends alike":   {Filter{Zones: ParseZones([]string{"Example.org"})}, 101, 0, 7},
		"a name below a summary's zone":     {Filter{Zones: ParseZones([]string{"www.example.org."})}, 61, 0, 47},
		"a name that no top list has":       {Filter{Zones: ParseZones([]string{"new.example.org"})}, 0, 0, 107},
		"another zone":                      {Filter{Zones: ParseZones([]string{"example.net"})}, 1, 0, 7},
		"the root":                          {Filter{Zones: ParseZones([]string{"."})}, 103, 0, 7},
		"a client":                          {clients("198.51.100.7"), 1, 0, 107},
		"a network, and clients by prefix":  {clients("198.51.100.0/24"), 2, 0, 107},
		"a client in mapped form":           {clients("203.0.113.9"), 1, 0, 107},
		"since, which is meant inclusively": {Filter{Since: noon.Add(time.Hour)}, 1, 1, 0},
		"until, which is meant exclusively": {Filter{Until: noon.Add(time.Hour)}, 108, 1, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := sumUp(t, tc.filter, wwwLine, netLine, undatedLine, summaryLine, othersLine)
			if got := (figures.Filtered{Failures: 110 - tc.failures, Undated: tc.undated, Undecided: tc.undecided}); r.Failures != tc.failures || r.Log.Filtered != got {
				t.Errorf("%d failures, left out %+v; want %d, %+v", r.Failures, r.Log.Filtered, tc.failures, got)
			}
		})
	}
}

func TestAFilterThatLetsNothingThroughIsNotCalledALogWithoutFailures(t *testing.T) {
	var got bytes.Buffer
	c := testConfig(&got)
	c.Stdin = strings.NewReader(wwwLine + "\n" + netLine + "\n")
	c.Filter = Filter{Causes: []string{"upstream_timout"}}
	if err := Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No failure is left: --cause, --zone, --client, --since or --until left out 2.", `"upstream_timout" is no cause of this version`} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no %q in:\n%s", want, got.String())
		}
	}
}

func TestParseTimeReadsWhatPeopleType(t *testing.T) {
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                     {},
		"90m":                  now.Add(-90 * time.Minute),
		"-2h":                  now.Add(-2 * time.Hour),
		"12:00":                noon,
		"2026-11-20 12:00":     noon,
		"2026-11-20T12:00:00Z": noon,
		"2026-11-20":           noon.Add(-12 * time.Hour),
	} {
		if got, err := ParseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if _, err := ParseTime("yesterday", now); err == nil {
		t.Error("yesterday was understood")
	}
	if _, err := ParseClients([]string{"example.org"}); err == nil {
		t.Error("a name was taken for a client")
	}
}

// Lines and instances are counted that are of the time of the report, as a store does.
func TestATimeBoundsInstancesAndLines(t *testing.T) {
	at := func(clock, instance, rest string) string {
		return "2026-11-20T" + clock + "Z [INFO] plugin/ede: " + rest + " instance=" + instance
	}
	const failure = "rcode=SERVFAIL cause=upstream_timeout qname=www.example.org. cached=false"
	r := sumUp(t, Filter{Since: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Until: time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC)},
		at("11:00:00", "edge-1", failure), at("12:00:00", "edge-2", failure), at("12:30:00", "edge-3", "answer ede=15 server=dns://:53 qname=www.example.org. text=blocked"),
		at("11:30:00", "edge-4", "answer ede=15 server=dns://:53 qname=www.example.org. text=blocked"), at("13:00:00", "edge-5", failure))
	if r.Known != 2 || r.Log.Ours != 2 || r.Failures != 1 || r.Log.Filtered.Failures != 2 || r.Log.Answers != 1 {
		t.Errorf("%d instances, %d failures, log %+v", r.Known, r.Failures, r.Log)
	}
}
