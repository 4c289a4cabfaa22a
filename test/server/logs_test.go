//go:build !coredns1.14

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	golog "log"
	"strings"
	"sync"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"

	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/miekg/dns"
)

func TestCaptureSeesWhatPluginsLog(t *testing.T) {
	logs := server.Capture(t)
	s := server.Start(t, here(".:0", "errors\n log\n forward . "+upstream.Closed(t)))
	server.Ask(t, s.UDP(), "www.example.org", dns.TypeA)

	line := logs.WaitFor(t, "plugin/errors", patience)
	if !strings.HasPrefix(line, "[ERROR] plugin/errors: 2 www.example.org. A:") {
		t.Errorf("got %q, want the line as CoreDNS's command writes it", line)
	}
	logs.WaitForFunc(t, func(line string) bool {
		return strings.Contains(line, "[INFO]") && strings.Contains(line, "SERVFAIL")
	}, patience)
	if got := logs.Matching("plugin/errors"); len(got) != 1 {
		t.Errorf("got %q, want one line of errors", got)
	}
}

func TestTheLoggerIsAsBeforeAfterACapture(t *testing.T) {
	before, flags := golog.Writer(), golog.Flags()
	t.Cleanup(func() { golog.SetFlags(flags) })
	const distinct = golog.Lmicroseconds | golog.Lshortfile
	for format, capture := range map[string]func(testing.TB) *server.Logs{
		"text": server.Capture, "json": server.CaptureJSON,
	} {
		golog.SetFlags(distinct)
		t.Run(format, func(t *testing.T) {
			capture(t)
			if got := clog.IsJSON(); got != (format == "json") {
				t.Errorf("JSON %v while capturing", got)
			}
		})
		if clog.IsJSON() || golog.Writer() != before || golog.Flags() != distinct {
			t.Errorf("%s: JSON %v, flags %d, or the output differs after the test that captured", format, clog.IsJSON(), golog.Flags())
		}
	}
}

func TestCaptureJSONSwitchesTheFormat(t *testing.T) {
	logs := server.CaptureJSON(t)
	clog.Warningf("disk %s", "full")
	var record struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(logs.WaitFor(t, "disk", patience)), &record); err != nil {
		t.Fatal(err)
	}
	if record.Level != "WARN" || record.Msg != "disk full" {
		t.Errorf("got %+v", record)
	}
}

func TestWaitForReturnsWithALineLoggedLater(t *testing.T) {
	logs := server.Capture(t)
	clog.Info("first")
	var logger sync.WaitGroup
	logger.Go(func() {
		for i := range 100 {
			clog.Infof("line %d.", i)
		}
	})
	if got := logs.WaitFor(t, "line 99.", patience); got != "[INFO] line 99." {
		t.Errorf("got %q", got)
	}
	if got := logs.WaitFor(t, "first", patience); got != "[INFO] first" {
		t.Errorf("got %q, want an earlier line to be found too", got)
	}
	logger.Wait()
	if got := len(logs.Lines()); got != 101 {
		t.Errorf("%d lines, want 101", got)
	}
}

func TestACaptureIsBounded(t *testing.T) {
	logs := server.Capture(t)
	const lines = 100_000
	for i := range lines + 1 {
		fmt.Fprintf(logs, "line %d.\n", i)
	}
	got := logs.Lines()
	if len(got) != lines/2+1 || got[len(got)-1] != fmt.Sprintf("line %d.", lines) {
		t.Errorf("%d lines kept, want the newer half and the last", len(got))
	}
	logs.WaitFor(t, fmt.Sprintf("line %d.", lines), patience)

	if _, err := logs.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
		t.Fatal(err)
	}
	logs.WaitFor(t, "xxx", patience)
}

func TestASecondCaptureInTheSameTestFailsIt(t *testing.T) {
	server.Capture(t)
	for name, as := range map[string]string{"the same": t.Name(), "a subtest": t.Name() + "/sub"} {
		f := &fatal{TB: t, name: as}
		var caller sync.WaitGroup
		caller.Go(func() {
			defer func() { _ = recover() }()
			server.Capture(f)
		})
		caller.Wait()
		if !f.failed {
			t.Errorf("%s: it did not fail", name)
		}
	}
}

// fatal stands for a test that ends with Fatalf.
type fatal struct {
	testing.TB
	name   string
	failed bool
}

func (f *fatal) Helper()      {}
func (f *fatal) Name() string { return f.name }
func (f *fatal) Fatalf(string, ...any) {
	f.failed = true
	panic("ended")
}
