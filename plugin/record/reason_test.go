package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

func TestASummaryHasTheReasonWhereItTellsIncidentsApart(t *testing.T) {
	id := incident.ID{Cause: "upstream_ede", At: "forward", Upstream: "192.0.2.53:53", Zone: "example.org."}
	for _, tc := range []struct {
		reason incident.Reason
		want   string
	}{
		{incident.Reason{}, "cause=upstream_ede at=forward "},
		{incident.Reason{Rcode: "REFUSED", Code: "18"}, "rcode=REFUSED cause=upstream_ede ede=18 at=forward "},
		{incident.Reason{Rcode: "REFUSED", Code: "private"}, "rcode=REFUSED cause=upstream_ede at=forward "},
	} {
		id.Reason = tc.reason
		in := incident.Incident{ID: id, Count: 3}
		for word, fs := range map[string]fields{
			"summary": summaryFields(incident.Summary{Incident: in, Window: 3}, time.Second), "recovered": recoveredFields(in),
		} {
			if line := string(appendText(nil, fs)); !strings.HasPrefix(line, tc.want) {
				t.Errorf("%s %s does not begin with %q", word, line, tc.want)
			}
		}
	}
}

func TestNoReasonIsLostWhereSummariesAreMerged(t *testing.T) {
	var all []incident.Summary
	for i := range 100 {
		all = append(all, incident.Summary{Window: 1, Incident: incident.Incident{ID: incident.ID{
			Cause: "upstream_ede", Upstream: fmt.Sprintf("192.0.2.%d:53", i), Zone: fmt.Sprintf("z%d.example.", i),
			Reason: incident.Reason{Rcode: "SERVFAIL", Code: fmt.Sprint(6 + i%3)},
		}}})
	}
	counts := make(map[string]uint64)
	for _, s := range merge(all, 2, summaryID, addSummary) {
		counts[s.Reason.Code] += s.Window
	}
	if len(counts) != 3 || counts["6"] != 34 || counts["7"] != 33 || counts["8"] != 33 {
		t.Errorf("told are %v", counts)
	}
}
