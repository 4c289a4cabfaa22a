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

// A failure is one that a line tells, a summary if it has a count.
type failure struct{ cause, instance, server, upstream, zone string }

func (f failure) line(i int) string {
	return fmt.Sprintf("rcode=SERVFAIL cause=%s ede=0 owner=upstream at=forward upstream=%s server=%s qname=n%d.%s instance=%s cached=false\n", f.cause, f.upstream, f.server, i, f.zone, f.instance)
}

func diagnosed(cause, owner, keys, zone string) string {
	return fmt.Sprintf("diagnosis cause=%s ede=0 owner=%s %s zone=%s qname=n0.%s qtype=A queries=2 duration_seconds=0.01 text=\"seen\" advice=\"Act.\"\n", cause, owner, keys, zone, zone)
}

// A diagnosis says nothing of failures that went another way, though they are in its zone.
func TestADiagnosisTakesOverNoOtherFailures(t *testing.T) {
	const (
		at1   = "refines=upstream_servfail at=forward upstream=192.0.2.1:53 server=dns://:53"
		on1   = at1 + " instance=edge-1"
		old   = "qclass=IN" // a line of an older version tells nothing of the failure
		found = "upstream_resolves_nothing"
	)
	servfail := failure{"upstream_servfail", "edge-1", "dns://:53", "192.0.2.1:53", "example.org."}
	text := servfail
	text.instance = `""`
	change := func(f failure, by func(*failure)) failure { by(&f); return f }
	for name, c := range map[string]struct {
		failures  []failure
		diagnosis string
		want      string
	}{
		"its own":             {[]failure{servfail, servfail}, diagnosed(found, "upstream", on1, "example.org."), "upstream_resolves_nothing 2 [192.0.2.1:53]"},
		"another upstream":    {[]failure{servfail, change(servfail, func(f *failure) { f.upstream = "192.0.2.2:53" })}, diagnosed(found, "upstream", on1, "example.org."), "upstream_resolves_nothing 1 [192.0.2.1:53]; upstream_servfail 1 [192.0.2.2:53]"},
		"a zone's too":        {[]failure{servfail, change(servfail, func(f *failure) { f.upstream = "192.0.2.2:53" })}, diagnosed("lame_delegation", "zone", on1, "example.org."), "lame_delegation 1 [example.org.]; upstream_servfail 1 [192.0.2.2:53]"},
		"another instance":    {[]failure{servfail, change(servfail, func(f *failure) { f.instance = "edge-2" })}, diagnosed(found, "upstream", on1, "example.org."), "upstream_resolves_nothing 1 [192.0.2.1:53]; upstream_servfail 1 [192.0.2.1:53]"},
		"another listener":    {[]failure{text, change(text, func(f *failure) { f.server = "dns://:54" })}, diagnosed(found, "upstream", at1, "example.org."), "upstream_resolves_nothing 1 [192.0.2.1:53]; upstream_servfail 1 [192.0.2.1:53]"},
		"another cause":       {[]failure{servfail, change(servfail, func(f *failure) { f.cause = "upstream_timeout" })}, diagnosed(found, "upstream", on1, "example.org."), "upstream_resolves_nothing 1 [192.0.2.1:53]; upstream_timeout 1 [192.0.2.1:53]"},
		"one that was proved": {[]failure{servfail, change(servfail, func(f *failure) { f.cause = "acl_block" })}, diagnosed(found, "upstream", on1, "example.org."), "acl_block 1 [192.0.2.1:53]; upstream_resolves_nothing 1 [192.0.2.1:53]"},
		"a zone next to it":   {[]failure{servfail, change(servfail, func(f *failure) { f.zone = "example.net." })}, diagnosed(found, "upstream", on1, "example.org."), "upstream_resolves_nothing 1 [192.0.2.1:53]; upstream_servfail 1 [192.0.2.1:53]"},
		"names next to it":    {[]failure{servfail, change(servfail, func(f *failure) { f.zone = "a.example.org." })}, diagnosed(found, "zone", on1, "a.example.org."), "upstream_resolves_nothing 1 [a.example.org.]; upstream_servfail 1 [192.0.2.1:53]"},
		"an older line":       {[]failure{servfail, servfail}, diagnosed(found, "upstream", old, "example.org."), "upstream_resolves_nothing 2 [192.0.2.1:53]"},
		"an older line that may be of either": {[]failure{servfail, change(servfail, func(f *failure) { f.cause, f.upstream = "upstream_unreachable", "192.0.2.2:53" })}, diagnosed(found, "upstream", old, "example.org."),
			"upstream_servfail 1 [192.0.2.1:53]; upstream_unreachable 1 [192.0.2.2:53]"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			for i, f := range c.failures {
				log.WriteString(f.line(i))
			}
			r := tallied(t, log.String()+c.diagnosis).report(Catalog, 10)
			var got []string
			var first, all uint64
			for _, a := range r.Actions {
				got = append(got, fmt.Sprint(a.Cause, " ", a.Count, " ", a.Where))
				first += a.Count
			}
			for _, c := range r.Causes {
				all += c.Count
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("to be done: %s, want %s", strings.Join(got, "; "), c.want)
			}
			if first != all || all != uint64(len(c.failures)) {
				t.Errorf("%d failures to be ended, %d in the causes, %d in the log", first, all, len(c.failures))
			}
		})
	}
}

// Failures in summaries, which tell no listener, are taken if they are of no other.
func TestADiagnosisTakesOverSummariesOfItsOwnOnly(t *testing.T) {
	const (
		summary = "summary cause=upstream_servfail at=forward upstream=192.0.2.1:53 zone=example.org. count=50 cached_count=0 names=9 window_seconds=10\n"
		keys    = "refines=upstream_servfail at=forward upstream=192.0.2.1:53 server=dns://:53"
	)
	one := failure{"upstream_servfail", `""`, "dns://:53", "192.0.2.1:53", "example.org."}
	two := one
	two.server = "dns://:54"
	for want, log := range map[string]string{
		"51": one.line(0) + summary + diagnosed("upstream_resolves_nothing", "upstream", keys, "example.org."),
		"1":  one.line(0) + two.line(1) + summary + diagnosed("upstream_resolves_nothing", "upstream", keys, "example.org."),
	} {
		got := ""
		for _, a := range tallied(t, log).report(Catalog, 10).Actions {
			if a.Cause == "upstream_resolves_nothing" {
				got = fmt.Sprint(a.Count)
			}
		}
		if got != want {
			t.Errorf("%s failures taken, want %s", got, want)
		}
	}
}
