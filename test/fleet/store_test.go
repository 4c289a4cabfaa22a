package fleet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// node starts one VictoriaLogs, in whatever role args give it, and waits until it
// answers.
func node(t *testing.T, dir string, args ...string) (*process, string) {
	t.Helper()
	return nodeAt(t, port.Free(t), dir, args...)
}

func nodeAt(t *testing.T, addr, dir string, args ...string) (*process, string) {
	t.Helper()
	p := run(t, nil, program(t, "victoria-logs"), append([]string{
		"-httpListenAddr=" + addr, "-storageDataPath=" + dir, "-retentionPeriod=30d", "-memory.allowedBytes=256MiB",
		// A machine that has much else to do answers late, not in part.
		"-search.maxQueryDuration=10m",
	}, args...)...)
	eventually(t, "VictoriaLogs answers", p.String, func() bool {
		resp, err := http.Get("http://" + addr + "/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p, "http://" + addr
}

// ship puts lines of a JSON log into a store, as docs/fleet.md says.
func ship(t *testing.T, store string, log io.Reader) {
	t.Helper()
	resp, err := http.Post(store+"/insert/jsonline?_time_field=time&_msg_field=msg&_stream_fields=cluster,instance,plugin&extra_fields=cluster=test",
		"application/stream+json", log)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, text)
	}
}

// rows is the answer of the store to a query.
func rows(t *testing.T, store, query string) (all []victorialogs.Row) {
	t.Helper()
	c, err := victorialogs.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Query(t.Context(), query, func(r victorialogs.Row) error { all = append(all, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stored waits until the store gives back as many lines of ede as it was given.
func stored(t *testing.T, store string, lines int) {
	t.Helper()
	got := ""
	eventually(t, fmt.Sprintf("the store has %d lines", lines), func() string { return got }, func() bool {
		got = rows(t, store, `plugin:="ede" | stats count() as n`)[0]["n"]
		return got == fmt.Sprint(lines)
	})
}

// reportOf is the report that `ede report --json` makes.
func reportOf(t *testing.T, c report.Config) (*report.Report, error) {
	t.Helper()
	var out bytes.Buffer
	c.Out, c.Format, c.Knowledge, c.Timeout = &out, report.JSON, report.Catalog, patience
	err := report.Run(t.Context(), c)
	var r report.Report
	if jsonErr := json.Unmarshal(out.Bytes(), &r); jsonErr != nil && err == nil {
		t.Fatal(jsonErr)
	}
	return &r, err
}

// comparable is what the report says of failures: all but how many lines of others
// it has read, what lies outside the time that was asked for, and how the failures
// of a summary are spread over its window.
func comparable(t *testing.T, r *report.Report) string {
	t.Helper()
	one := *r
	one.Log.Lines, one.Log.Ours, one.Log.Notices, one.Log.Answers, one.Log.Filtered.Failures = 0, 0, 0, 0, 0
	if one.Timeline != nil {
		line := *one.Timeline
		line.Counts = nil
		one.Timeline = &line
	}
	causes := append([]report.Cause(nil), one.Causes...)
	for i := range causes {
		causes[i].Timeline = nil
	}
	one.Causes = causes
	text, err := json.MarshalIndent(&one, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// difference is the first lines that differ.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			from, to := max(i-3, 0), i+4
			return fmt.Sprintf("%s\n---\n%s", strings.Join(as[from:min(to, len(as))], "\n"), strings.Join(bs[from:min(to, len(bs))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, %d lines", len(as), len(bs))
}
