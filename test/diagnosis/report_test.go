package diagnosis_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/report"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// What was found out of the upstream of one block is not what to do about another one, though
// both fail for names of one zone.
func TestAReportKeepsTheFailuresOfUpstreamsApart(t *testing.T) {
	logs := server.Capture(t)
	broken := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	nobody := upstream.Closed(t)
	s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n diagnose {\n wait 1s\n }\n }\n forward . %s\n}\n"+
		"example.org.:0 {\n bind 127.0.0.4\n ede\n forward . %s\n}\n", broken.Addr(), nobody))
	diagnosed, other := "", ""
	for _, l := range s.Listeners() {
		if strings.HasPrefix(l.UDP, "127.0.0.4:") {
			other = l.UDP
		} else {
			diagnosed = l.UDP
		}
	}
	for i := range 5 {
		server.Ask(t, other, fmt.Sprintf("n%d.example.org.", i), dns.TypeA, server.EDNS())
	}
	askHeld(t, diagnosed, "www.example.org.", dns.TypeA)
	line := logs.WaitFor(t, "plugin/ede: diagnosis cause=", patience)
	for _, want := range []string{" refines=upstream_servfail at=forward upstream=" + broken.Addr(), " server=dns://"} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in %s", want, line)
		}
	}
	logs.WaitFor(t, "rcode=SERVFAIL cause=upstream_resolves_nothing", patience)
	log := strings.Join(logs.Lines(), "\n") + "\n"
	var out bytes.Buffer
	if err := report.Run(t.Context(), report.Config{Stdin: strings.NewReader(log), Out: &out, Format: report.JSON, Knowledge: report.Catalog}); err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	var first, all uint64
	refused := false
	for _, a := range r.Actions {
		first += a.Count
		refused = refused || a.Count == 5 && fmt.Sprint(a.Where) == "["+nobody+"]"
	}
	for _, c := range r.Causes {
		all += c.Count
	}
	if !refused || len(r.Actions) < 2 || first != all || all != r.Failures {
		t.Errorf("%d of %d failures to be ended: %+v\n%s", first, r.Failures, r.Actions, log)
	}
}
