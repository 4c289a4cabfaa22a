package fleet_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// rollup runs the command, and returns what it says of each hour that it sums up.
func rollup(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	c := sums.Command()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if strings.HasPrefix(out.String(), "nothing to sum up") {
		return nil
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// summedUp waits until the store has sums for so many hours.
func summedUp(t *testing.T, store string, hours int) {
	t.Helper()
	c, err := victorialogs.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	eventually(t, fmt.Sprintf("%d hours are summed up", hours), func() string { return fmt.Sprint(got) }, func() bool {
		all, err := sums.Hours(t.Context(), c, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		got = 0
		for _, h := range all {
			if h.Roll != "" {
				got++
			}
		}
		return got == hours
	})
}

func newServer(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// asking is the address of a proxy to the store, and what has been asked through it.
func asking(t *testing.T, store string) (address string, asked func() string) {
	t.Helper()
	to, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all strings.Builder
	proxy := httputil.NewSingleHostReverseProxy(to)
	return newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		form, _ := url.ParseQuery(body.String())
		mu.Lock()
		all.WriteString(form.Get("query") + "\n")
		mu.Unlock()
		r.Body = io.NopCloser(&body)
		proxy.ServeHTTP(w, r)
	}), func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

// The report of hours that are summed up is that of the files to the last number; so it is
// when lines came later, when rows of the sums are gone, and when hours are cut through.
func TestSumsOfHoursAreWhatTheFilesSay(t *testing.T) {
	log, ours, start := made(t)
	_, store := node(t, t.TempDir(), "-delete.enable")
	file := filepath.Join(t.TempDir(), "coredns.log")
	lines := bytes.SplitAfter(log, []byte("\n"))
	var early, late []byte
	hour := start.Truncate(time.Hour).Add(time.Hour) // the first that is whole
	for i, line := range lines {
		if i%50 == 0 && bytes.Contains(line, []byte(`"time":"`+hour.Format("2006-01-02T15"))) {
			late = append(late, line...)
		} else {
			early = append(early, line...)
		}
	}
	oursLate := bytes.Count(late, []byte(`"plugin":"ede"`))
	same := func(text []byte, wantSums bool) {
		t.Helper()
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]report.Filter{
			"all":                {},
			"hours cut through":  {Since: start.Add(20 * time.Minute), Until: start.Add(160 * time.Minute)},
			"whole hours":        {Since: hour, Until: hour.Add(2 * time.Hour)},
			"a part of one hour": {Since: hour.Add(5 * time.Minute), Until: hour.Add(50 * time.Minute)},
			"a cause in a zone":  {Causes: []string{"upstream_timeout"}, Zones: []string{"z3.example."}},
		} {
			files, err := reportOf(t, report.Config{Files: []string{file}, Filter: f, Top: 50})
			if err != nil {
				t.Fatal(err)
			}
			address, asked := asking(t, store)
			summed, err := reportOf(t, report.Config{From: address, Filter: f, Top: 50})
			if err != nil {
				t.Fatal(err)
			}
			sameMostly(files, summed)
			if want, got := comparable(t, files), comparable(t, summed); want != got {
				t.Errorf("%s: the files, and the store:\n%s", name, difference(want, got))
			}
			var failures uint64
			if summed.Timeline != nil {
				for _, n := range summed.Timeline.Counts {
					failures += n
				}
			}
			if failures != files.Failures {
				t.Errorf("%s: the timeline has %d of %d failures", name, failures, files.Failures)
			}
			// The others have hours whose sums may be out of date, or none that is whole.
			if used := strings.Contains(asked(), "roll:in("); (name == "all" || name == "whole hours") && used != wantSums {
				t.Errorf("%s: sums are asked for: %v", name, used)
			}
		}
	}

	ship(t, store, bytes.NewReader(early))
	stored(t, store, ours-oursLate)
	same(early, false)
	first := rollup(t, "--from", store, "--settle", "0s")
	if len(first) < 3 {
		t.Fatalf("summed up: %q", first)
	}
	summedUp(t, store, len(first))
	same(early, true)
	if again := rollup(t, "--from", store, "--settle", "0s"); len(again) != 0 {
		t.Errorf("summed up again: %q", again)
	}

	// Lines that came later are read, and their hour is summed up anew.
	ship(t, store, bytes.NewReader(late))
	stored(t, store, ours)
	same(log, true)
	if again := rollup(t, "--from", store, "--settle", "0s"); len(again) != 1 || !strings.HasPrefix(again[0], hour.Format("2006-01-02 15:04")) {
		t.Errorf("summed up again: %q, want %v", again, hour)
	}
	summedUp(t, store, len(first))
	same(log, true)

	// Sums that have lost rows are not used.
	resp, err := http.PostForm(store+"/delete/run_task", url.Values{"filter": {`{plugin="ede_hourly",table="zone"}`}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	summedUp(t, store, 0)
	same(log, false)
}

// A store that may not be read or written is an error that says so, and leaves no sums.
func TestAnHourThatCannotBeSummedUpIsSaid(t *testing.T) {
	log, ours, _ := made(t)
	_, store := node(t, t.TempDir())
	ship(t, store, bytes.NewReader(log))
	stored(t, store, ours)
	refusing := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "the disk is full", http.StatusInsufficientStorage)
	})
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no store":        {nil, "--from is missing"},
		"no address":      {[]string{"--from", "victorialogs:9428"}, "for example http://"},
		"a full disk":     {[]string{"--from", store, "--to", refusing, "--settle", "0s"}, "the disk is full"},
		"a store in need": {[]string{"--from", refusing}, "the disk is full"},
		"no time":         {[]string{"--from", store, "--since", "0s"}, "longer than 0"},
	} {
		cmd := sums.Command()
		cmd.SetArgs(c.args)
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	summedUp(t, store, 0)
}
