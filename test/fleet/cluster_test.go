package fleet_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// TestAClusterThatLosesANode has two vlstorage, a vlinsert and a vlselect. It gives the report of
// the files; with one vlstorage killed it goes on taking lines, and the report says
// that it is not the whole; with the node back it is whole again.
func TestAClusterThatLosesANodeGoesOnAndTheReportSaysSo(t *testing.T) {
	log, ours, start := made(t)
	addrs, dirs := []string{port.Free(t), port.Free(t)}, []string{t.TempDir(), t.TempDir()}
	first, _ := nodeAt(t, addrs[0], dirs[0])
	nodeAt(t, addrs[1], dirs[1])
	nodes := "-storageNode=" + strings.Join(addrs, ",")
	_, insert := node(t, t.TempDir(), nodes, "-select.disable")
	_, selects := node(t, t.TempDir(), nodes, "-insert.disable")

	half := bytes.IndexByte(log[len(log)/2:], '\n') + len(log)/2 + 1
	early, late := log[:half], log[half:]
	ship(t, insert, bytes.NewReader(early))
	stored(t, selects, bytes.Count(early, []byte(`"plugin":"ede"`)))
	same := func(log []byte) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "coredns.log")
		if err := os.WriteFile(file, log, 0o600); err != nil {
			t.Fatal(err)
		}
		fromFiles, err := reportOf(t, report.Config{Files: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		fromStore, err := reportOf(t, report.Config{From: selects})
		if err != nil {
			t.Fatal(err)
		}
		if fromStore.Partial || fromStore.Failures != fromFiles.Failures || fromStore.Cached != fromFiles.Cached ||
			len(fromStore.Causes) != len(fromFiles.Causes) || fromStore.Known != fromFiles.Known {
			t.Errorf("the store has %d failures of %d causes on %d instances, the files %d, %d and %d",
				fromStore.Failures, len(fromStore.Causes), fromStore.Known, fromFiles.Failures, len(fromFiles.Causes), fromFiles.Known)
		}
	}
	same(early)
	// Sums are made of what the vlselect has, and stored by the vlinsert.
	hours := len(rollup(t, "--from", selects, "--to", insert, "--settle", "0s"))
	if hours == 0 {
		t.Error("no hour is summed up")
	}
	summedUp(t, selects, hours)
	same(early)

	// A node that is killed loses what is not written yet, the last five seconds.
	said := ""
	eventually(t, "the node has written its lines", func() string { return said }, func() bool {
		said = metrics(t, addrs[0])
		return strings.Contains(said, `vl_storage_parts{type="storage/inmemory"} 0`+"\n") && strings.Contains(said, `vl_pending_rows{type="storage"} 0`+"\n")
	})
	first.kill()
	ship(t, insert, bytes.NewReader(late))
	var part *report.Report
	eventually(t, "the part that is left is reported", func() string { return "" }, func() bool {
		r, err := reportOf(t, report.Config{From: selects, Filter: report.Filter{Since: start}})
		part = r
		return err != nil && strings.Contains(err.Error(), addrs[0]) && r.Failures > 0
	})
	if !part.Partial || len(part.Log.Problems) != 1 || !strings.Contains(part.Log.Problems[0], addrs[0]) {
		t.Errorf("the report of a part says %+v", part.Log.Problems)
	}

	nodeAt(t, addrs[0], dirs[0])
	stored(t, selects, ours)
	same(log)
}

func metrics(t *testing.T, addr string) string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
