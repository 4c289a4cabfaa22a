package figures

import (
	"strings"
	"testing"
	"time"
)

func TestEveryLineFitsTheTerminal(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	long := strings.Repeat("a.", 200) + "中文.example.org."
	words := strings.Repeat("word ", 100) + strings.Repeat("w", 300)
	cause, owner, lasts := strings.Repeat("c", 64), strings.Repeat("o", 64), strings.Repeat("l", 64)
	zones := Top{Bound: 7, More: true, Items: []Item{
		{Key: long, Count: 90_000_000, Mostly: cause}, {Key: "example.org.", Count: 12, Cached: 3, Mostly: "upstream_timeout"},
	}}
	r := &Report{
		From: at, To: at.Add(25 * time.Hour), Failures: 90_000_012, Cached: 3, Known: 2, Partial: true,
		ByRCode: []Share{{"SERVFAIL", 90_000_012}}, ByOwner: []Share{{owner, 90_000_012}}, ByLasts: []Share{{lasts, 90_000_012}},
		Actions: []Action{{Cause: cause, Title: words, Advice: words, Owner: owner, State: Recovered, Count: 90_000_000, Instances: 2,
			Where: []string{long, long}, Example: "23 Network Error: " + strings.Repeat("中", 400), Last: at}},
		Causes: []Cause{
			{Cause: cause, Title: words, Owner: owner, Lasts: lasts, State: Recovered, Count: 90_000_000, Last: at, Timeline: make([]uint64, 500)},
			{Cause: "upstream_timeout", Owner: "upstream", Lasts: "transient", State: Failing, Count: 12, Timeline: []uint64{0, 1, 11}},
		},
		New:      []New{{What: "upstream", Key: long, Since: at, Count: 90_000_000}},
		Findings: []Finding{{Cause: "lame_delegation", Zone: long, Owner: "zone", Text: strings.Repeat("中", 200), Advice: words, Times: 1}},
		Zones:    zones, Upstreams: zones, Names: zones, Clients: zones, Namespaces: zones, Pods: zones, Instances: zones,
		Named:    []Item{{Key: "www.example.org.", Zone: "example.org.", Count: 12}, {Key: "x." + long, Zone: long, Count: 12}},
		Timeline: &Timeline{Start: at, WidthSeconds: 256, Counts: append(make([]uint64, 350), 1, 90_000_011)},
		Log:      Log{Lines: 2_000_000_000, Ours: 90_000_012, Summed: 90_000_000, Answers: 5, Problems: []string{long + ": no such file or directory"}},
	}
	r.Causes[0].Timeline[7] = 9
	for _, width := range []int{1, minWidth, 80, 100, 400} {
		var b strings.Builder
		if err := r.WriteText(&b, Style{Width: width, Location: time.UTC, Names: 3}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"WHAT TO DO FIRST", "TIMELINE", "CAUSES", "NEW IN", "DIAGNOSED", "ZONES AND", "www.example.org.", "UPSTREAMS", "PODS", "INSTANCES", "LOG"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("width %d: no %q", width, want)
			}
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "Who") || strings.HasPrefix(line, "Lasting") || strings.HasPrefix(line[min(2, len(line)):], ". ") {
				continue // words, which a terminal may wrap
			}
			if n := textWidth(line); n > min(max(width, minWidth), maxWidth) {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
}

func TestFitCutsInTheMiddleToTheColumn(t *testing.T) {
	for _, s := range []string{"", "a", "abcdefghij", "中文中文中文", "e\u0301e\u0301e\u0301e\u0301"} {
		for n := range 14 {
			got := fit(s, n)
			if textWidth(got) > n {
				t.Errorf("fit(%q, %d) = %q takes %d", s, n, got, textWidth(got))
			}
			if textWidth(s) <= n && got != s {
				t.Errorf("fit(%q, %d) = %q", s, n, got)
			}
		}
	}
	if got := fit("abcdefghij", 5); got != "ab…ij" {
		t.Errorf("got %q", got)
	}
}

func TestSpansAndSharesReadWell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "under 1s", 59 * time.Second: "59s", 83 * time.Second: "1m23s", time.Hour: "1h", 25*time.Hour + 59*time.Minute: "1d1h",
	} {
		if got := spanOf(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for want, of := range map[string][2]uint64{"0%": {0, 5}, "<1%": {1, 1000}, ">99%": {999, 1000}, "100%": {5, 5}, "50%": {1, 2}} {
		if got := percent(of[0], of[1]); got != want {
			t.Errorf("%v: %s, want %s", of, got, want)
		}
	}
}

func TestALogThatCannotBeReadIsNotSaidToHaveNoFailures(t *testing.T) {
	for malformed, want := range map[uint64]string{0: "No failures in this log.\n", 5: "No failures in what could be read.\n"} {
		var r Report
		r.Log.Malformed = malformed
		var b strings.Builder
		if err := r.WriteText(&b, Style{Width: 80}); err != nil || !strings.HasPrefix(b.String(), want) {
			t.Errorf("%d malformed lines: %v\n%s", malformed, err, b.String())
		}
	}
}
