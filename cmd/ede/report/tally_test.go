package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logfile"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

func queryOf(cause, name string) string {
	return fmt.Sprintf("2026-11-20T12:00:00Z [INFO] plugin/ede: rcode=SERVFAIL cause=%s owner=us lasts=persistent client_ip=198.51.100.7 qname=%s cached=false", cause, name)
}

func TestRecoveriesAndDiagnosesAreNotCountedAsFailures(t *testing.T) {
	r := sumUp(t, Filter{}, wwwLine, summaryLine,
		`2026-11-20T12:31:00Z [INFO] plugin/ede: recovered cause=upstream_timeout zone=example.org. after_seconds=60 count=101`,
		`2026-11-20T12:31:00Z [INFO] plugin/ede: diagnosis cause=lame_delegation owner=zone zone=example.org. text="no server answers"`)
	if r.Failures != 101 || r.Cached != 50 {
		t.Errorf("%d failures, %d cached; want 101, 50", r.Failures, r.Cached)
	}
	if c := r.Causes[0]; len(r.Causes) != 1 || c.State != figures.Recovered || c.Recoveries != 1 || c.Longest != 60 {
		t.Errorf("causes %+v", r.Causes)
	}
}

func TestFindingsThatDifferInTheirResultAloneHaveAnOrder(t *testing.T) {
	var lines []string
	for _, result := range []string{"found", "agrees", "disagrees"} {
		lines = append(lines, "[INFO] plugin/ede: diagnosis cause=dnssec_signature_expired owner=zone zone=example.org. text=expired result="+result)
	}
	for range 20 {
		var got []string
		for _, f := range sumUp(t, Filter{}, lines...).Findings {
			got = append(got, f.Result)
		}
		if want := []string{"agrees", "disagrees", "found"}; !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestDropsAreNoFailures(t *testing.T) {
	const drops = `2026-11-20T12:31:00Z [INFO] plugin/ede: summary sent=dropped at=rrl server=dns://:53 count=60 window_seconds=10 error="over the limit"`
	r := sumUp(t, Filter{}, wwwLine, drops)
	if r.Failures != 1 || len(r.Causes) != 1 || r.Log.Ours != 2 || r.Log.Summed != 0 {
		t.Errorf("%d failures, causes %+v, log %+v", r.Failures, r.Causes, r.Log)
	}
	if !slices.Contains(r.BySent, figures.Share{Value: "dropped", Count: 60}) {
		t.Errorf("sent %v", r.BySent)
	}
	if r := sumUp(t, Filter{Causes: []string{"upstream_timeout"}}, wwwLine, drops); slices.Contains(r.BySent, figures.Share{Value: "dropped", Count: 60}) {
		t.Errorf("of one cause: sent %v", r.BySent)
	}
	var rec logline.Record
	if ok, err := new(logline.Parser).Parse([]byte(drops), &rec); !ok || err != nil || figures.Brief(&rec, time.UTC) != "12:31:00 dropped 60 queries by rrl\n" {
		t.Errorf("%q, %v", figures.Brief(&rec, time.UTC), err)
	}
}

func TestSummariesAreTakenToBeLikeTheLinesOfTheirCause(t *testing.T) {
	r := sumUp(t, Filter{}, wwwLine, summaryLine,
		`2026-11-20T12:31:00Z [INFO] plugin/ede: summary cause=only_in_summaries count=5`,
		`2026-11-20T12:31:00Z [INFO] plugin/ede: summary cause=of_no_catalog count=2`)
	for name, tc := range map[string]struct {
		got  []figures.Share
		want string
	}{
		"owner": {r.ByOwner, "[{upstream 101} {network 5} {unknown 2}]"},
		"lasts": {r.ByLasts, "[{transient 106} {unknown 2}]"},
		"rcode": {r.ByRCode, "[{SERVFAIL 101} {unknown 7}]"},
	} {
		if fmt.Sprint(tc.got) != tc.want {
			t.Errorf("%s: %v, want %v", name, tc.got, tc.want)
		}
	}
}

func TestATallyStaysBoundedWhateverTheLogHolds(t *testing.T) {
	ta := newTally(Filter{})
	r := &run{tally: ta}
	var log strings.Builder
	const many = maxNames + 500
	for i := range many {
		fmt.Fprintf(&log, "%s at=at%d sent=s%d upstream=u%d\n[INFO] plugin/ede: diagnosis cause=c%d zone=z%d.\n",
			queryOf(fmt.Sprintf("cause_%d", i), fmt.Sprintf("www.zone%d.example.", i)), i, i, i, i, i)
	}
	if err := logfile.Scan(t.Context(), strings.NewReader(log.String()), r.parser(time.Time{}), r.take); err != nil {
		t.Fatal(err)
	}
	if ta.singles != many || total(ta.bad[:]) != 0 {
		t.Fatalf("%d of %d counted, malformed %v", ta.singles, many, ta.bad)
	}
	for name, n := range map[string][2]int{
		"causes": {len(ta.causes), maxCauses}, "names": {len(ta.names.heap), maxNames}, "zones": {len(ta.zones.heap), maxZones},
		"upstreams": {len(ta.upstream.heap), maxUpstreams}, "findings": {len(ta.findings), maxFindings}, "sent": {len(ta.sent), maxLabels},
		"alikes": {len(ta.alikes), maxAlikes},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want the limit of %d", n[0], name, n[1])
		}
	}
	if ta.missed != many-maxFindings {
		t.Errorf("%d findings missed", ta.missed)
	}
	rep := ta.report(Knowledge{}, 10)
	if rep.Failures != many || rep.Causes[0].Cause != other {
		t.Errorf("%d failures, most of %q", rep.Failures, rep.Causes[0].Cause)
	}
}

func TestNewIsWhatBeganInTheLastHourForSure(t *testing.T) {
	at := func(clock, cause, name string) string {
		return fmt.Sprintf("2026-11-20T%sZ [INFO] plugin/ede: rcode=SERVFAIL cause=%s qname=%s upstream=192.0.2.53:53", clock, cause, name)
	}
	tests := map[string]struct {
		lines []string
		want  string
	}{
		"a cause and a zone": {
			[]string{at("10:00:00", "a", "www.example.org."), at("12:00:00", "b", "www.example.net."), at("12:01:00", "a", "www.example.org.")},
			"[cause b zone example.net.]",
		},
		"nothing in a log of less than an hour": {
			[]string{at("12:00:00", "a", "www.example.org."), at("12:30:00", "b", "www.example.net.")}, "[]",
		},
		"nothing that a line without time may have told of before": {
			[]string{at("10:00:00", "a", "www.example.org."), `[INFO] plugin/ede: rcode=SERVFAIL cause=b qname=www.example.net.`, at("12:00:00", "b", "www.example.net.")}, "[]",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := []string{}
			for _, n := range sumUp(t, Filter{}, tc.lines...).New {
				got = append(got, n.What+" "+n.Key)
			}
			if fmt.Sprint(got) != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestWhatStillFailsComesBeforeWhatHasPassed(t *testing.T) {
	r := sumUp(t, Filter{}, wwwLine, summaryLine, netLine,
		`2026-11-20T12:31:00Z [INFO] plugin/ede: recovered cause=upstream_timeout zone=example.org.`)
	if len(r.Actions) != 2 || r.Actions[0].Cause != "acl_block" || r.Actions[0].State != figures.Failing || r.Actions[1].State != figures.Recovered {
		t.Errorf("actions %+v", r.Actions)
	}
}

func TestWhatHadToShareItsPlaceIsNotCalledNew(t *testing.T) {
	ta := newTally(Filter{})
	ta.zones = newHeavy(1)
	ta.first, ta.last = noon.Add(-3*time.Hour), noon
	ta.cause([]byte("x"))
	for _, zone := range []string{"example.org.", "example.net.", "example.net."} {
		ta.zones.add([]byte(zone), 1).see(noon, 1, 0, 0)
	}
	if got := ta.fresh(10); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestASummaryWhoseNamesAddUpToMoreThanItsCountIsNotBelieved(t *testing.T) {
	r := sumUp(t, Filter{}, `[INFO] plugin/ede: summary cause=x zone=example.org. count=5 top="a.example.org.:4 b.example.org.:900"`)
	if n := r.Names.Items; len(n) != 2 || n[0].Count != 4 || n[1].Count != 1 || r.Log.Unnamed != 0 {
		t.Errorf("names %+v, unnamed %d", n, r.Log.Unnamed)
	}
}

func TestTheLogsOwnAdviceStandsInForACatalogThatHasNone(t *testing.T) {
	r := sumUp(t, Filter{}, queryOf("of_no_catalog", "a.example.org.")+` ede=0 text="what" advice="turn it on"`)
	if len(r.Actions) != 1 || r.Actions[0].Advice != "turn it on" || r.Causes[0].Text != "what" {
		t.Errorf("actions %+v", r.Actions)
	}
}

func TestAZoneIsNotAnyNameThatEndsAlike(t *testing.T) {
	for name, want := range map[string]bool{
		"example.org.": true, "www.example.org.": true, "notexample.org.": false, "org.": false,
	} {
		if within(name, "example.org.") != want {
			t.Errorf("%s: not %v", name, want)
		}
	}
}

// There are more kinds of failures than places for alikes, so that some are counted without.
func TestFailuresAreCountedTheSameWhetherTheyHaveAPlaceWithTheirLikeOrNot(t *testing.T) {
	var lines []string
	want, on := make(map[string]map[string]uint64), make(map[string]map[string]bool)
	for i := range 4 * maxAlikes {
		var line strings.Builder
		line.WriteString("[INFO] plugin/ede:")
		for _, field := range []struct {
			key, val string
		}{
			{"rcode", []string{"SERVFAIL", "REFUSED"}[i/3%2]}, {"cause", fmt.Sprint("c", i/5%2)}, {"ede", fmt.Sprint(i % 5)},
			{"owner", fmt.Sprint("o", i/7%2)}, {"lasts", fmt.Sprint("l", i/11%2)}, {"at", fmt.Sprint("a", i%3)},
			{"upstream", fmt.Sprint("u", i%13)}, {"sent", fmt.Sprint("s", i/13%4)}, {"instance", fmt.Sprint("i", i%1009%(10+i%300))},
		} {
			fmt.Fprintf(&line, " %s=%s", field.key, field.val)
			if want[field.key] == nil {
				want[field.key] = make(map[string]uint64)
			}
			want[field.key][field.val]++
		}
		lines = append(lines, line.String())
		cause, instance := fmt.Sprint("c", i/5%2), fmt.Sprint("i", i%1009%(10+i%300))
		if on[cause] == nil {
			on[cause] = make(map[string]bool)
		}
		on[cause][instance] = true
	}
	r := sumUp(t, Filter{}, lines...)
	got := map[string][]figures.Share{"rcode": r.ByRCode, "owner": r.ByOwner, "lasts": r.ByLasts, "sent": r.BySent}
	for _, c := range r.Causes {
		got["cause"] = append(got["cause"], figures.Share{Value: c.Cause, Count: c.Count})
		if c.Instances != uint64(len(on[c.Cause])) {
			t.Errorf("%s: on %d instances, want %d", c.Cause, c.Instances, len(on[c.Cause]))
		}
		got["ede"], got["at"] = append(got["ede"], c.Codes...), append(got["at"], c.At...)
	}
	for key, top := range map[string]figures.Top{"upstream": r.Upstreams, "instance": r.Instances} {
		for _, i := range top.Items {
			got[key] = append(got[key], figures.Share{Value: i.Key, Count: i.Count})
		}
	}
	for key, shares := range got {
		counts := make(map[string]uint64)
		for _, s := range shares {
			counts[s.Value] += s.Count
		}
		for val, n := range counts {
			if n != want[key][val] {
				t.Errorf("%s=%s: %d, want %d", key, val, n, want[key][val])
			}
		}
		if shown := min(len(want[key]), 10); len(counts) != shown {
			t.Errorf("%s: %d values, want %d", key, len(counts), shown)
		}
	}
}
