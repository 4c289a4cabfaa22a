package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

// tallied is the tally of a log in text.
func tallied(t *testing.T, lines string) *tally {
	t.Helper()
	ta := newTally(Filter{})
	var parser logline.Parser
	for line := range strings.Lines(lines) {
		var r logline.Record
		if ours, err := parser.Parse([]byte("[INFO] plugin/ede: "+strings.TrimSpace(line)), &r); !ours || err != nil {
			t.Fatalf("%s: ours %v, %v", line, ours, err)
		}
		ta.add(&r)
	}
	return ta
}

func failed(cause, name, advice string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "rcode=SERVFAIL cause=%s ede=0 owner=upstream at=forward upstream=192.0.2.53:53 qname=n%d.%s text=\"it failed\"", cause, i, name)
		if i == 0 && advice != "" {
			fmt.Fprintf(&b, " advice=%q", advice)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestWhatADiagnosisFoundComesFirstInWhatToDo(t *testing.T) {
	const found = "diagnosis cause=dnssec_signature_expired ede=7 owner=zone zone=a.example.org. qname=n1.a.example.org. qtype=A queries=8 duration_seconds=0.01 text=\"RRSIG expired\" advice=\"Sign the zone.\"\n"
	const path = "diagnosis cause=upstream_timeout ede=23 owner=upstream result=undecided zone=example.net. qname=n1.example.net. qtype=A queries=2 duration_seconds=2 text=\"lost\" advice=\"Look at the path.\"\n"
	for _, tc := range []struct {
		name, log string
		want      []string
	}{
		{"failures without a reason count under what was found for their zone",
			failed("upstream_servfail", "a.example.org.", "Try another.", 5) + failed("upstream_timeout", "example.com.", "Look.", 3) + found,
			[]string{"dnssec_signature_expired 5 zone: Sign the zone.", "upstream_timeout 3 upstream: Look."}},
		{"other zones keep theirs",
			failed("upstream_servfail", "a.example.org.", "Try another.", 2) + failed("upstream_servfail", "example.com.", "", 4) + found,
			[]string{"upstream_servfail 4 upstream: Try another.", "dnssec_signature_expired 2 zone: Sign the zone."}},
		{"what was proved otherwise is left alone",
			failed("acl_block", "a.example.org.", "Change the acl.", 2) + found,
			[]string{"acl_block 2 upstream: Change the acl."}},
		{"an undecided diagnosis has the better advice",
			failed("upstream_timeout", "example.net.", "Try another.", 2) + path,
			[]string{"upstream_timeout 2 upstream: Look at the path."}},
		{"the line's own advice goes before the catalog's",
			failed("upstream_refused", "example.net.", "It limits.", 2),
			[]string{"upstream_refused 2 upstream: It limits."}},
		{"and the last one before those before it",
			failed("upstream_refused", "example.net.", "First.", 1) + failed("upstream_refused", "example.com.", "Later.", 1),
			[]string{"upstream_refused 2 upstream: Later."}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, a := range tallied(t, tc.log).report(Catalog, 10).Actions {
				got = append(got, fmt.Sprintf("%s %d %s: %s", a.Cause, a.Count, a.Owner, a.Advice))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("to be done:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}
