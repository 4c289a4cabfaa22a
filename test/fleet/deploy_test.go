package fleet_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
	"github.com/seed-1b7246af/coredns-ede/test/fleet/synthetic"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// queries are those of deploy/victorialogs/queries.logsql, by the words before the
// colon.
func queries(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for block := range strings.SplitSeq(read(t, "deploy/victorialogs/queries.logsql"), "\n\n") {
		var query []string
		question := ""
		for line := range strings.Lines(block) {
			if words, ok := strings.CutPrefix(line, "# "); ok {
				if question == "" {
					question, _, _ = strings.Cut(words, ":")
				}
			} else {
				query = append(query, line)
			}
		}
		if len(query) > 0 {
			all[question] = strings.Join(query, "")
		}
	}
	return all
}

// withAnHour is a store with failures of this hour, and none before it.
func withAnHour(t *testing.T) string {
	t.Helper()
	_, store := node(t, t.TempDir())
	var log bytes.Buffer
	if _, err := (synthetic.Log{Instances: 20, Lines: 5000, Start: time.Now().UTC().Add(-45 * time.Minute), Span: 40 * time.Minute, Names: 500, Seed: 3}).WriteTo(&log); err != nil {
		t.Fatal(err)
	}
	ours := bytes.Count(log.Bytes(), []byte(`"plugin":"ede"`))
	ship(t, store, &log)
	stored(t, store, ours)
	return store
}

// The questions of the runbook have the answers that the report has, for the same
// hour.
func TestTheQueriesOfTheRunbookAgreeWithTheReport(t *testing.T) {
	store := withAnHour(t)
	r, err := reportOf(t, report.Config{From: store, Top: 20})
	if err != nil {
		t.Fatal(err)
	}
	items := func(top report.Top) map[string]uint64 {
		all := make(map[string]uint64)
		for _, i := range top.Items {
			all[i.Key] += i.Count
		}
		return all
	}
	causes := make(map[string]uint64)
	for _, c := range r.Causes {
		if c.Count > 0 {
			causes[c.Cause] = c.Count
		}
	}
	all := queries(t)
	for question, c := range map[string]struct {
		key   string
		count func(victorialogs.Row) uint64
		want  map[string]uint64
	}{
		"Causes now":   {"cause", func(r victorialogs.Row) uint64 { return r.Uint("failures") }, causes},
		"Upstreams":    {"upstream", func(r victorialogs.Row) uint64 { return r.Uint("failures") }, items(r.Upstreams)},
		"Instances":    {"instance", func(r victorialogs.Row) uint64 { return r.Uint("failures") }, items(r.Instances)},
		"Who is hit":   {"client_ip", func(r victorialogs.Row) uint64 { return r.Uint("failures") }, items(r.Clients)},
		"What changed": {"cause", func(r victorialogs.Row) uint64 { return r.Uint("change") }, causes},
	} {
		got := make(map[string]uint64)
		for _, row := range rows(t, store, all[question]) {
			got[row[c.key]] += c.count(row)
			for field, value := range row {
				if value == "NaN" {
					t.Errorf("%s: %s of %s is no number", question, field, row[c.key])
				}
			}
		}
		if len(got) == 0 || len(got) < len(c.want) {
			t.Errorf("%s: %d rows, the report has %d", question, len(got), len(c.want))
		}
		for key, n := range c.want {
			if got[key] != n && len(got) < 20 {
				t.Errorf("%s: %s has %d, the report %d", question, key, got[key], n)
			}
		}
		delete(all, question)
	}
	for question, query := range all {
		if len(rows(t, store, query)) == 0 {
			t.Errorf("%s: no answer", question)
		}
	}
}

var flagName = regexp.MustCompile(`(?m)^-([A-Za-z.]+)(?:=|$)`)

// The flags of the shipped files are flags of the programs, the manifests are ones
// of the Kubernetes API, and the store forgets.
func TestTheShippedFilesOfTheStoreAreAccepted(t *testing.T) {
	known := ""
	for _, name := range []string{"victoria-logs", "vlagent"} {
		out, _ := exec.Command(program(t, name), "-help").CombinedOutput()
		known += string(out)
	}
	for _, file := range []string{"kubernetes.yaml", "victorialogs.service", "vlagent.service"} {
		text := read(t, "deploy/victorialogs/"+file)
		flags := flagName.FindAllStringSubmatch(regexp.MustCompile(`(?m)^ +- -`).ReplaceAllString(text, "-"), -1)
		if strings.HasSuffix(file, ".service") {
			flags = flagName.FindAllStringSubmatch(strings.Join(argumentsOf(t, file, nil), "\n"), -1)
		}
		if len(flags) < 4 {
			t.Errorf("%s has %d flags", file, len(flags))
		}
		for _, f := range flags {
			if !strings.Contains(known, "\n  -"+f[1]) {
				t.Errorf("%s: no program has the flag -%s", file, f[1])
			}
		}
		if file != "vlagent.service" && !strings.Contains(text, "-retentionPeriod=30d") {
			t.Errorf("%s: nothing is ever forgotten", file)
		}
	}
	hourly := sums.Command()
	for _, f := range regexp.MustCompile(`--([a-z]+)`).FindAllStringSubmatch(read(t, "deploy/victorialogs/ede-rollup.service"), -1) {
		if hourly.Flags().Lookup(f[1]) == nil {
			t.Errorf("ede rollup has no flag --%s", f[1])
		}
	}
	strict := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, kjson.SerializerOptions{Yaml: true, Strict: true})
	var objects []runtime.Object
	for document := range strings.SplitSeq(read(t, "deploy/victorialogs/kubernetes.yaml"), "\n---\n") {
		o, _, err := strict.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		objects = append(objects, o)
	}
	if len(objects) != 6 {
		t.Errorf("%d objects", len(objects))
	}
}
