package incident

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// said is the verdict on an answer of an upstream with these codes.
func said(rcode int, codes ...uint16) *cause.Verdict {
	e := &evidence.Evidence{
		Rcode: rcode, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true, Reply: evidence.Reply{Written: true},
	}
	for _, code := range codes {
		e.Options = append(e.Options, option.Option{Code: code})
	}
	return cause.Classify(e)
}

func TestEachReasonOfAnUpstreamIsAnIncident(t *testing.T) {
	const servfail, refused = dns.RcodeServerFailure, dns.RcodeRefused
	for _, tc := range []struct {
		rcode int
		codes []uint16
		want  Reason
	}{
		{servfail, []uint16{7}, Reason{"SERVFAIL", "7"}},
		{servfail, []uint16{13, 7}, Reason{"SERVFAIL", "7"}},
		{servfail, []uint16{7, 13}, Reason{"SERVFAIL", "7"}},
		{servfail, []uint16{13}, Reason{"SERVFAIL", "13"}},
		{refused, []uint16{18}, Reason{"REFUSED", "18"}},
		{refused, []uint16{48000}, Reason{"REFUSED", "unassigned"}},
		{refused, []uint16{50000}, Reason{"REFUSED", "private"}},
		{servfail, nil, Reason{}},
	} {
		id := IDOf(said(tc.rcode, tc.codes...), tc.rcode, "example.org.")
		if id.Reason != tc.want || id.Upstream != "192.0.2.53:53" || id.Zone != "example.org." {
			t.Errorf("%s with %d is the incident %+v, want reason %+v", dns.RcodeToString[tc.rcode], tc.codes, id, tc.want)
		}
	}
}

func TestAnIncidentHasTheAdviceOfItsMostTellingCode(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	v := said(dns.RcodeServerFailure, 13, 7)
	table.Failed(&Failure{ID: IDOf(v, dns.RcodeServerFailure, "example.org."), Verdict: v})
	in := table.Incidents()[0]
	if in.Code != 7 || in.Advice != cause.ByID("upstream_ede").AdviceOn([]uint16{7}, dns.RcodeServerFailure) || in.Owner != "unknown" {
		t.Errorf("the incident has code %d, owner %s and the advice %q", in.Code, in.Owner, in.Advice)
	}
}

// What of an incident is told after it made room for another still has its reason.
func TestADisplacedReasonIsNotLost(t *testing.T) {
	w := newWatch()
	table := New(DefaultEntries, w.now)
	for _, code := range []uint16{7, 9} {
		v := said(dns.RcodeServerFailure, code)
		id := IDOf(v, dns.RcodeServerFailure, "example.org.")
		table.Untold(&id, "www.example.org.", false)
	}
	got := make(map[Reason]uint64)
	for _, s := range table.Summaries() {
		got[s.Reason] += s.Window
	}
	if len(got) != 2 || got[Reason{"SERVFAIL", "7"}] != 1 || got[Reason{"SERVFAIL", "9"}] != 1 {
		t.Errorf("told are %v", got)
	}
}

func TestFailuresWithoutRDAreAnIncidentOfTheirOwn(t *testing.T) {
	with := &evidence.Evidence{Rcode: dns.RcodeRefused, At: "forward", Upstream: "192.0.2.53:53", UpstreamAnswered: true}
	without := *with
	without.NoRD = true
	if a, b := IDOf(cause.Classify(with), dns.RcodeRefused, "."), IDOf(cause.Classify(&without), dns.RcodeRefused, "."); a == b {
		t.Errorf("one incident: %+v", a)
	}
}
