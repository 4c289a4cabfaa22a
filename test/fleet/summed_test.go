package fleet_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/fleet/synthetic"
)

// made is a log of 40 instances over three hours, and how many of its lines are
// ede's.
func made(t *testing.T) (log []byte, ours int, start time.Time) {
	t.Helper()
	start = time.Now().UTC().Add(-4 * time.Hour).Truncate(time.Second)
	var b bytes.Buffer
	if _, err := (synthetic.Log{Instances: 40, Lines: 20000, Start: start, Span: 3 * time.Hour, Names: 3000, Seed: 1}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), bytes.Count(b.Bytes(), []byte(`"plugin":"ede"`)), start
}

// What the store sums up is what comes out of reading every line, whatever is asked
// for.
func TestTheStoreSumsUpWhatTheFilesSay(t *testing.T) {
	log, ours, start := made(t)
	_, store := node(t, t.TempDir())
	ship(t, store, bytes.NewReader(log))
	stored(t, store, ours)
	file := filepath.Join(t.TempDir(), "coredns.log")
	if err := os.WriteFile(file, log, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]report.Filter{
		"all":                         {},
		"a time":                      {Since: start.Add(time.Hour), Until: start.Add(2 * time.Hour)},
		"a cause":                     {Causes: []string{"acl_block", "upstream_timeout"}},
		"a cause that nothing has":    {Causes: []string{"panic"}},
		"a zone":                      {Zones: []string{"z3.example."}},
		"a name below a zone":         {Zones: []string{"h3.z3.example."}},
		"two zones and a cause":       {Zones: []string{"z1.example.", "h7.z7.example."}, Causes: []string{"upstream_servfail"}},
		"a name that is no zone's":    {Zones: []string{"3.example."}},
		"clients":                     {Clients: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/25")}},
		"a client, a zone and a time": {Clients: []netip.Prefix{netip.MustParsePrefix("198.51.103.7/32")}, Zones: []string{"z3.example."}, Since: start.Add(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := reportOf(t, report.Config{Files: []string{file}, Filter: f, Top: 50})
			if err != nil {
				t.Fatal(err)
			}
			asked, err := reportOf(t, report.Config{From: store, Filter: f, Top: 50})
			if err != nil {
				t.Fatal(err)
			}
			sameMostly(files, asked)
			if want, got := comparable(t, files), comparable(t, asked); want != got {
				t.Errorf("the files, and the store:\n%s", difference(want, got))
			}
			if f.Since.IsZero() && files.Log.Filtered.Failures != asked.Log.Filtered.Failures {
				t.Errorf("left out: %d, %d", files.Log.Filtered.Failures, asked.Log.Filtered.Failures)
			}
			var inLine, inStore uint64
			if files.Timeline != nil {
				for _, n := range files.Timeline.Counts {
					inLine += n
				}
				for _, n := range asked.Timeline.Counts {
					inStore += n
				}
			}
			if inLine != inStore || inLine != files.Failures {
				t.Errorf("timelines have %d and %d of %d failures", inLine, inStore, files.Failures)
			}
		})
	}
}

// sameMostly forgets the cause of most where it is not known of a stream of lines, as it
// does not stand out there.
func sameMostly(files, asked *report.Report) {
	tops := func(r *report.Report) [][]report.Item {
		return [][]report.Item{r.Zones.Items, r.Names.Items, r.Clients.Items, r.Upstreams.Items, r.Instances.Items, r.Namespaces.Items, r.Pods.Items}
	}
	told := tops(asked)
	for i, top := range tops(files) {
		for j := range top {
			if top[j].Mostly == "" && j < len(told[i]) {
				told[i][j].Mostly = ""
			}
		}
	}
}
