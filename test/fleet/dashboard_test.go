package fleet_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

// A panel is one of deploy/grafana/ede-fleet.json.
type panel struct {
	Title, Type, Description string
	Targets                  []struct{ Expr, QueryType string }
}

// ignoresRange begins a query that sets its time itself.
const ignoresRange = "options(ignore_global_time_filter=true) "

// ask is the query of the panel as the store gets it, without a filter.
func (p panel) ask() string { return strings.ReplaceAll(p.Targets[0].Expr, "${filter:raw} ", "") }

func panels(t *testing.T) map[string]panel {
	t.Helper()
	var board struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/ede-fleet.json")), &board); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]panel)
	for _, p := range board.Panels {
		if p.Description == "" || len(p.Targets) != 1 || all[p.Title].Title != "" {
			t.Fatalf("panel %q says nothing, is there twice, or asks %d times", p.Title, len(p.Targets))
		}
		if strings.Count(p.Targets[0].Expr, "${filter:raw} ") != 1 || strings.Contains(p.ask(), "$") {
			t.Errorf("panel %q has not the filter and no other variable: %s", p.Title, p.Targets[0].Expr)
		}
		all[p.Title] = p
	}
	return all
}

// ofTheBoard is a query of the runbook as the dashboard asks it. The dashboard sets the time.
func ofTheBoard(query string) string {
	query = strings.Join(strings.Fields(query), " ")
	if strings.HasPrefix(query, ignoresRange) {
		return query
	}
	return regexp.MustCompile(`^_time:\w+ `).ReplaceAllString(query, "")
}

var grouping = regexp.MustCompile(`\| stats by \(([^)]*)\)`)

// shape is which lines a query counts, and by what.
func shape(query string) [2]string {
	lines, _, _ := strings.Cut(query, " |")
	by := grouping.FindStringSubmatch(query)
	if by == nil {
		return [2]string{lines, ""}
	}
	return [2]string{lines, by[1]}
}

// The dashboard has a panel for each question of the runbook. A table asks the very query; a
// graph counts the same lines, by the same keys. Numbers alone and the lines themselves are
// the dashboard's own.
func TestTheDashboardOfTheFleetAsksTheQuestionsOfTheRunbook(t *testing.T) {
	board := panels(t)
	for question, query := range queries(t) {
		p, ok := board[question]
		if !ok {
			t.Errorf("no panel for %q", question)
			continue
		}
		want, got := ofTheBoard(query), p.ask()
		switch {
		case p.Type == "timeseries" && shape(got) != shape(want):
			t.Errorf("%s: the graph has %q, the runbook %q", question, shape(got), shape(want))
		case p.Type != "timeseries" && got != want:
			t.Errorf("%s: the panel asks\n%s\nthe runbook\n%s", question, got, want)
		}
		delete(board, question)
	}
	for title, p := range board {
		if p.Type != "stat" && p.Type != "logs" {
			t.Errorf("the panel %q is no question of the runbook", title)
		}
	}
}

// answerOf is what the store answers to a panel for some hours that end at end.
func answerOf(t *testing.T, store string, p panel, hours int, end time.Time) string {
	t.Helper()
	if len(p.Targets) == 0 {
		t.Fatal("the dashboard lacks a panel")
	}
	path, ok := map[string]string{"stats": "stats_query", "statsRange": "stats_query_range", "instant": "query"}[p.Targets[0].QueryType]
	if !ok {
		t.Fatalf("panel %q is of type %q", p.Title, p.Targets[0].QueryType)
	}
	stamp := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	resp, err := http.PostForm(store+"/select/logsql/"+path, url.Values{"query": {p.ask()}, "step": {"1m"}, "time": {stamp(end)},
		"start": {stamp(end.Add(-time.Duration(hours) * time.Hour))}, "end": {stamp(end)}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("panel %q: %s %v: %s", p.Title, resp.Status, err, answer)
	}
	return string(answer)
}

// Each panel of the dashboard asks what the store answers. Where nothing failed, a number is
// zero. A graph has as many failures as the runbook counts.
func TestTheDashboardOfTheFleetAsksWhatTheStoreAnswers(t *testing.T) {
	store := withAnHour(t)
	runbook := queries(t)
	// The newest lines are of this second, which a whole number of seconds cuts off.
	end := time.Now().Add(time.Minute)
	for title, p := range panels(t) {
		answer := answerOf(t, store, p, 6, end)
		if answer == "" || strings.Contains(answer, `"result":[]`) || strings.Contains(answer, "NaN") {
			t.Errorf("panel %q: %s", title, answer)
		}
		switch p.Type {
		case "stat":
			if empty := answerOf(t, store, p, 1, end.Add(-48*time.Hour)); !strings.Contains(empty, `"0"]`) {
				t.Errorf("panel %q, where nothing failed: %s", title, empty)
			}
		case "timeseries":
			keys := strings.Split(shape(p.ask())[1], ", ")
			key := func(value func(string) string) (all string) {
				for _, k := range keys {
					all += value(k) + " "
				}
				return all
			}
			want, got := make(map[string]uint64), make(map[string]uint64)
			query, _, _ := strings.Cut(runbook[title], " limit ")
			for _, row := range rows(t, store, query) {
				want[key(func(k string) string { return row[k] })] += row.Uint("failures")
			}
			for _, s := range series(t, answer) {
				for _, v := range s.Values {
					n := victorialogs.Row{"n": v[1].(string)}.Uint("n")
					got[key(func(k string) string { return s.Metric[k] })] += n
				}
			}
			if len(want) == 0 || !maps.Equal(want, got) {
				t.Errorf("panel %q has %v, the runbook %v", title, got, want)
			}
		}
	}
}

type aSeries struct {
	Metric map[string]string
	Values [][2]any
}

// series are those of an answer over time.
func series(t *testing.T, answer string) []aSeries {
	t.Helper()
	var a struct{ Data struct{ Result []aSeries } }
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	return a.Data.Result
}

// The hour before is there even if the time shown is the last hour, and an hour without
// failures counts zero.
func TestAChangeIsOfTwoHoursWhateverTimeIsShown(t *testing.T) {
	_, store := node(t, t.TempDir())
	now := time.Now().UTC()
	line := func(ago time.Duration, cause string) string {
		return `{"time":"` + now.Add(-ago).Format(time.RFC3339Nano) + `","msg":"failure","plugin":"ede","rcode":"SERVFAIL","cause":"` + cause +
			`","upstream":"192.0.2.53:53","qname":"www.example.org.","instance":"edge-1"}` + "\n"
	}
	ship(t, store, strings.NewReader(line(10*time.Minute, "upstream_timeout")+line(90*time.Minute, "upstream_timeout")+
		line(90*time.Minute, "upstream_refused")+line(20*time.Minute, "upstream_servfail")))
	stored(t, store, 4)
	board := panels(t)
	for title, want := range map[string][]map[string]string{
		"What changed": {
			{"cause": "upstream_servfail", "this_hour": "1", "hour_before": "0", "change": "1"},
			{"cause": "upstream_timeout", "this_hour": "1", "hour_before": "1", "change": "0"},
			{"cause": "upstream_refused", "this_hour": "0", "hour_before": "1", "change": "-1"},
		},
		"What began when": {{"cause": "upstream_servfail", "upstream": "192.0.2.53:53", "lines": "1"}},
	} {
		answer := answerOf(t, store, board[title], 1, now.Add(time.Second))
		lines := strings.Split(strings.TrimSpace(answer), "\n")
		for i, w := range want {
			var got map[string]string
			if i >= len(lines) || json.Unmarshal([]byte(lines[i]), &got) != nil {
				t.Fatalf("%s: %s", title, answer)
			}
			delete(got, "first")
			if !maps.Equal(got, w) {
				t.Errorf("%s: %v, want %v", title, got, w)
			}
		}
		if len(lines) != len(want) {
			t.Errorf("%s: %s", title, answer)
		}
	}
}
