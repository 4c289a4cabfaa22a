package report

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// What a summary says of the upstream's reason counts for all of its failures, and the
// advice is that of the most telling code.
func TestASummaryWithAReasonCountsUnderIt(t *testing.T) {
	for lines, want := range map[string]string{
		"[INFO] plugin/ede: summary rcode=REFUSED cause=upstream_ede ede=14 at=forward zone=a.example. count=30 cached=0 names=1 window_seconds=10\n" +
			"[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_ede ede=7 qname=www.b.example.\n": cause.ByID("upstream_ede").AdviceOn([]uint16{14}, dns.RcodeRefused),
		"[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_ede ede=13,7 qname=www.b.example.\n": cause.ByID("upstream_ede").AdviceOn([]uint16{7}, dns.RcodeServerFailure),
	} {
		ta := newTally(Filter{})
		var parser logline.Parser
		for line := range strings.Lines(lines) {
			var r logline.Record
			if ours, err := parser.Parse([]byte(strings.TrimSpace(line)), &r); !ours || err != nil {
				t.Fatalf("%s: ours %v, %v", line, ours, err)
			}
			ta.add(&r)
		}
		if _, advice := Catalog.advice(ta.causes[0]); advice != want || want == "" {
			t.Errorf("the advice on\n%sis %q, want %q", lines, advice, want)
		}
		if codes := ta.report(Catalog, 10).Causes[0].Codes; strings.Contains(lines, "summary") && (len(codes) != 2 || codes[0].Value != "14" || codes[0].Count != 30) {
			t.Errorf("the codes are %v", codes)
		}
	}
}
