package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/sums"
)

// answering is a store whose answers are made by f of the query.
func answering(t *testing.T, f func(w http.ResponseWriter, query string, partial bool)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/stream+json")
		f(w, r.FormValue("query"), r.FormValue("allow_partial_response") == "1")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// twoFailures answers as a store does that holds two failures on one of three
// instances.
func twoFailures(w http.ResponseWriter, query string) {
	switch {
	case strings.Contains(query, "as singles"):
		fmt.Fprintln(w, `{"lines":"3","singles":"2","summaries":"0","recoveries":"0","diagnoses":"0","summed":"NaN"}`)
	case strings.Contains(query, "count() as instances"):
		fmt.Fprintln(w, `{"instances":"3"}`)
	case strings.Contains(query, "row_min"):
		fmt.Fprintln(w, `{"cause":"upstream_timeout","rcode":"SERVFAIL","owner":"upstream","lasts":"transient","ede":"[23]","upstream":"192.0.2.53:53","cached":"false","n":"2","first":"2026-11-20T14:00:00Z","last":"2026-11-20T14:01:00Z","said":"{\"_time\":\"2026-11-20T14:00:00Z\",\"text\":\"no reply\"}"}`)
	case strings.Contains(query, "stats by (cause, instance)"):
		fmt.Fprintln(w, `{"cause":"upstream_timeout","instances":"1","open":"1"}`)
	}
}

func reportFrom(t *testing.T, url string, change func(*Config)) (string, error) {
	t.Helper()
	var got bytes.Buffer
	c := testConfig(&got)
	c.From, c.Timeout = url, time.Minute
	if change != nil {
		change(&c)
	}
	err := Run(t.Context(), c)
	return got.String(), err
}

func TestAStoreIsReportedLikeALog(t *testing.T) {
	url := answering(t, func(w http.ResponseWriter, query string, _ bool) { twoFailures(w, query) })
	asked := 0
	got, err := reportFrom(t, url, func(c *Config) { c.Asking = func(string, int, int) { asked++ } })
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 failures", "1 of 3 instances", "192.0.2.53:53", "23 Network Error: no reply", "1 other message"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if asked < 10 || strings.Contains(got, "NOT THE WHOLE") {
		t.Errorf("%d questions\n%s", asked, got)
	}
}

// A store tells which failures went the way of the one that was diagnosed.
func TestADiagnosisInAStoreTakesOverNoOtherFailures(t *testing.T) {
	url := answering(t, func(w http.ResponseWriter, query string, _ bool) {
		switch {
		case strings.Contains(query, "as singles"):
			fmt.Fprintln(w, `{"lines":"7","singles":"6","diagnoses":"1"}`)
		case strings.Contains(query, "refines"):
			fmt.Fprintln(w, `{"cause":"upstream_resolves_nothing","zone":"example.org.","refines":"upstream_servfail","at":"forward","upstream":"192.0.2.1:53","places":"[\" edge-1\"]","n":"1","said":"{\"_time\":\"2026-11-20T14:01:00Z\",\"owner\":\"upstream\",\"text\":\"seen\",\"advice\":\"Act.\"}"}`)
		case strings.Contains(query, "row_min"):
			for cause, n := range map[string]int{"upstream_unreachable": 3, "upstream_servfail": 3} {
				fmt.Fprintf(w, `{"cause":%q,"rcode":"SERVFAIL","owner":"upstream","ede":"[0]","upstream":"192.0.2.1:53","cached":"false","n":"%d","first":"2026-11-20T14:00:00Z","last":"2026-11-20T14:01:00Z"}`+"\n", cause, n)
			}
		case strings.Contains(query, "(zone, cause, at, upstream, server, instance)"):
			for _, of := range []string{"upstream_servfail edge-1 192.0.2.1:53", "upstream_servfail edge-1 192.0.2.2:53", "upstream_servfail edge-2 192.0.2.1:53", "upstream_unreachable edge-1 192.0.2.1:53"} {
				f := strings.Fields(of)
				fmt.Fprintf(w, `{"key":"example.org.","cause":%q,"at":"forward","upstream":%q,"places":"[\"1  %s\"]"}`+"\n", f[0], f[2], f[1])
			}
		}
	})
	got, err := reportFrom(t, url, func(c *Config) { c.Format, c.Knowledge = JSON, Catalog })
	var r figures.Report
	if err != nil || json.Unmarshal([]byte(got), &r) != nil {
		t.Fatal(err, got)
	}
	var first []string
	for _, a := range r.Actions {
		first = append(first, fmt.Sprint(a.Cause, " ", a.Count))
	}
	if want := "upstream_unreachable 3 upstream_servfail 2 upstream_resolves_nothing 1"; strings.Join(first, " ") != want {
		t.Errorf("to be done: %s, want %s", strings.Join(first, " "), want)
	}
}

// A store that is down, slow, or something else gets an error that says so, and
// no report: not one that says that nothing failed.
func TestAStoreThatDoesNotAnswerIsNoReport(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	hang := make(chan struct{})
	status := func(code int, text string) string {
		return answering(t, func(w http.ResponseWriter, _ string, _ bool) { http.Error(w, text, code) })
	}
	tests := map[string]struct {
		url, want string
		timeout   time.Duration
	}{
		"down":           {nobody.URL, "the store at " + nobody.URL + " does not answer: ", time.Minute},
		"slow":           {answering(t, func(http.ResponseWriter, string, bool) { <-hang }), "--timeout", 50 * time.Millisecond},
		"unauthorized":   {status(http.StatusUnauthorized, "no"), "EDE_STORE_AUTHORIZATION", time.Minute},
		"not found":      {status(http.StatusNotFound, "404 page not found"), "is this VictoriaLogs", time.Minute},
		"an insert node": {status(http.StatusBadRequest, "unsupported path requested"), "is this VictoriaLogs", time.Minute},
		"busy":           {status(http.StatusTooManyRequests, "couldn't start executing the request"), "try again", time.Minute},
		"all nodes down": {status(http.StatusBadGateway, "cannot connect to storage node"), "cannot connect to storage node", time.Minute},
		"a page": {answering(t, func(w http.ResponseWriter, _ string, _ bool) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>")
		}), "not VictoriaLogs", time.Minute},
		"elsewhere": {answering(t, func(w http.ResponseWriter, _ string, _ bool) {
			w.Header().Set("Location", "https://login.example.org/")
			w.WriteHeader(http.StatusFound)
		}), "login.example.org", time.Minute},
		"an error after rows": {answering(t, func(w http.ResponseWriter, q string, _ bool) {
			twoFailures(w, q)
			if strings.Contains(q, "row_min") {
				fmt.Fprintln(w, "cannot execute query: out of memory\x1b[2J")
			}
		}), `out of memory[2J"`, time.Minute},
		"an answer that breaks off": {answering(t, func(w http.ResponseWriter, q string, _ bool) {
			twoFailures(w, q)
			if strings.Contains(q, "row_min") {
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			}
		}), "broke off", time.Minute},
		"too many groups": {answering(t, func(w http.ResponseWriter, q string, _ bool) {
			if strings.Contains(q, "row_min") {
				for i := range maxGroups + 1 {
					fmt.Fprintf(w, `{"cause":"c%d","n":"1"}`+"\n", i)
				}
			}
		}), "more different values", time.Minute},
		"no address": {"victorialogs:9428", "want a URL, for example http://", time.Minute},
		"a password": {"http://me:secret@192.0.2.1:9428", "EDE_STORE_AUTHORIZATION", time.Minute},
	}
	// Before the servers wait for their handlers to end.
	t.Cleanup(func() { close(hang) })
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := reportFrom(t, c.url, func(conf *Config) { conf.Timeout = c.timeout })
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "summed up") || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
			if got != "" {
				t.Errorf("a report all the same:\n%s", got)
			}
		})
	}
}

func TestAClusterThatLacksANodeIsReportedAsAPart(t *testing.T) {
	for _, whole := range []int32{0, 4} {
		var asked atomic.Int32
		url := answering(t, func(w http.ResponseWriter, query string, partial bool) {
			if asked.Add(1) > whole && !partial {
				http.Error(w, "cannot execute query ["+query+strings.Repeat("x", 1000)+"]: node 192.0.2.2:9428 is down", http.StatusBadGateway)
				return
			}
			twoFailures(w, query)
		})
		got, err := reportFrom(t, url, nil)
		if err == nil || !strings.Contains(err.Error(), "192.0.2.2:9428") {
			t.Errorf("after %d whole answers: error %v", whole, err)
		}
		if !strings.HasPrefix(got, "NOT THE WHOLE") || !strings.Contains(got, "2 failures") || !strings.Contains(got, "a storage node is down") {
			t.Errorf("after %d whole answers:\n%s", whole, got)
		}
		got, _ = reportFrom(t, url, func(c *Config) { c.Format = JSON })
		var r figures.Report
		if err := json.Unmarshal([]byte(got), &r); err != nil || !r.Partial || r.Failures != 2 || len(r.Log.Problems) != 1 {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

func TestAnInterruptedQuestionIsNoReport(t *testing.T) {
	c := testConfig(&bytes.Buffer{})
	c.From = answering(t, func(w http.ResponseWriter, q string, _ bool) { twoFailures(w, q) })
	ctx := testContext(t)
	if err := Run(ctx, c); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v", err)
	}
}

// What a filter asks a store for. The meaning of each is tested against the store
// itself, in test/fleet.
func TestAFilterBecomesLogsQL(t *testing.T) {
	at := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	s := scopeOf(&Filter{Since: at, Until: at.Add(time.Hour), Causes: []string{"upstream_timeout"}, Zones: []string{"www.example.org."}}, sums.Found{})
	for what, c := range map[string][2]string{
		"queries":   {s.queries, `(((plugin:="ede" _time:>=2026-11-20T14:00:00Z _time:<2026-11-20T15:00:00Z) cause:in("upstream_timeout")) (rcode:* qname:*) qname:~"(?i)(^|\\.)www\\.example\\.org\\.$")`},
		"instances": {s.instances, `({instance!=""} _time:>=2026-11-20T14:00:00Z _time:<2026-11-20T15:00:00Z)`},
	} {
		if strings.ReplaceAll(c[0], "  ", " ") != c[1] {
			t.Errorf("%s\n%s, want\n%s", what, c[0], c[1])
		}
	}
	if !strings.Contains(s.above, `zone:in("(others)", "", ".", "example.org.", "org.")`) {
		t.Errorf("above: %s", s.above)
	}
	hostile := scopeOf(&Filter{Zones: []string{`a" or "b.`}, Causes: []string{`x") | delete (cause`}}, sums.Found{})
	if !strings.Contains(hostile.queries, `cause:in("x\") | delete (cause")`) || !strings.Contains(hostile.queries, `a\" or \"b`) {
		t.Errorf("%s", hostile.queries)
	}
	clients := scopeOf(&Filter{Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}, sums.Found{})
	if clients.summaries != "" || clients.unclear == "" || !strings.Contains(clients.clients, `(network:ipv4_range("192.0.2.0/24") or network:ipv6_range("2001:db8::/32"))`) {
		t.Errorf("%+v", clients)
	}
}

func testContext(t *testing.T) context.Context {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	return ctx
}
