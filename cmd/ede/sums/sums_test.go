package sums

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/victorialogs"
)

var hour = time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)

// store answers queries with f, and keeps what is inserted.
func store(t *testing.T, f func(w io.Writer, query string)) (c *victorialogs.Client, inserted func() string) {
	t.Helper()
	var mu sync.Mutex
	var all strings.Builder
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/insert/jsonline" {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				return // the client has given up
			}
			if got := r.Header.Get("Content-Type") + " " + r.FormValue("_stream_fields"); got != "application/stream+json plugin,table,roll" {
				t.Errorf("inserted as %s", got)
			}
			mu.Lock()
			defer mu.Unlock()
			all.Write(text)
			return
		}
		w.Header().Set("Content-Type", "application/stream+json")
		f(w, r.FormValue("query"))
	}))
	t.Cleanup(s.Close)
	c, err := victorialogs.New(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

func TestAnHourIsSummedUpWithItsLastRowLast(t *testing.T) {
	c, inserted := store(t, func(w io.Writer, query string) {
		switch {
		case strings.HasSuffix(query, "stats count() as lines"):
			fmt.Fprintln(w, `{"lines":"7"}`)
		case strings.Contains(query, "stats by (zone, cause)"):
			fmt.Fprintln(w, `{"key":"example.org.","cause":"a \"b\"","n":"5"}`)
		case strings.Contains(query, "stats by (key, cause, at, upstream)"):
			fmt.Fprintln(w, `{"key":"example.org.","cause":"a","at":"forward","places":"[\"5  edge-1\"]"}`)
		case strings.Contains(query, "_time:64s") && strings.Contains(query, "as lines"):
			fmt.Fprintln(w, `{"_time":"2026-11-20T13:59:28Z","cause":"a","lines":"5"}`)
		}
	})
	rows, err := Roll(t.Context(), c, c, Hour{Start: hour, Lines: 7})
	if err != nil || rows != 4 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	lines := strings.Split(strings.TrimSpace(inserted()), "\n")
	if len(lines) != 4 {
		t.Fatalf("stored:\n%s", inserted())
	}
	for i, wants := range [][]string{
		{`"table":"zone"`, `"_time":"2026-11-20T14:00:00Z"`, `"cause":"a \"b\""`},
		{`"table":"way` + partOf("example.org.") + `"`, `"_msg":"way"`},
		{`"table":"times"`, `"_time":"2026-11-20T13:59:28Z"`},
		{`"table":"whole"`, `"rows":"4"`, `"lines":"7"`, `"shape":"` + shape + `"`, `"hour":"2026-11-20T14:00:00Z"`},
	} {
		for _, want := range append(wants, `"plugin":"ede_hourly"`, `"roll":"2026-11-20T14-`) {
			if !strings.Contains(lines[i], want) {
				t.Errorf("no %s in %s", want, lines[i])
			}
		}
	}
}

// An hour with too many names, or with lines that come while it is summed up, gets no last
// row, without which its rows count for nothing.
func TestAnHourThatCannotBeSummedUpHasNoLastRow(t *testing.T) {
	for want, answer := range map[error]func(w io.Writer, query string){
		ErrMany: func(w io.Writer, query string) {
			if strings.Contains(query, "stats by (qname, cause)") {
				for i := range maxRows + 1 {
					fmt.Fprintf(w, `{"key":"h%d.example.org.","n":"1"}`+"\n", i)
				}
			}
		},
		ErrMoved: func(w io.Writer, query string) {
			if strings.HasSuffix(query, "stats count() as lines") {
				fmt.Fprintln(w, `{"lines":"8"}`)
			}
		},
	} {
		c, inserted := store(t, answer)
		if _, err := Roll(t.Context(), c, c, Hour{Start: hour, Lines: 7}); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if strings.Contains(inserted(), `"whole"`) {
			t.Errorf("%v: there is a last row", want)
		}
	}
}

// Sums count if all their rows are there, the lines are as many as then, and the tables are
// those of this version.
func TestSumsAreFoundThatAreWholeAndOfTheseLines(t *testing.T) {
	rolls := `{"roll":"old","have":"9","want":"9","hour":"2026-11-20T14:00:00Z","lines":"5","shape":"` + shape + `"}
{"roll":"new","have":"9","want":"9","hour":"2026-11-20T14:00:00Z","lines":"7","shape":"` + shape + `"}
{"roll":"cut","have":"8","want":"9","hour":"2026-11-20T15:00:00Z","lines":"3","shape":"` + shape + `"}
{"roll":"begun","have":"8","want":"","hour":"","lines":"","shape":"` + shape + `"}
{"roll":"late","have":"4","want":"4","hour":"2026-11-20T16:00:00Z","lines":"2","shape":"` + shape + `"}
{"roll":"older","have":"9","want":"9","hour":"2026-11-20T14:00:00Z","lines":"7","shape":""}
`
	for name, c := range map[string]struct {
		since, until time.Time
		total        int // lines in the hours that have sums
		late         int // lines in the last hour
		want         string
	}{
		"all as they were":      {total: 9, late: 2, want: "roll:in(new,late)"},
		"lines that came later": {total: 10, late: 3, want: "roll:in(new)"},
		"an hour cut through":   {since: hour.Add(time.Minute), total: 2, late: 2, want: "roll:in(late)"},
		"none that is whole":    {since: hour.Add(time.Minute), until: hour.Add(150 * time.Minute), want: ""},
	} {
		client, _ := store(t, func(w io.Writer, query string) {
			switch {
			case strings.Contains(query, "by (roll)"):
				io.WriteString(w, rolls)
			case strings.Contains(query, "by (_time:1h)"):
				fmt.Fprintf(w, `{"_time":"2026-11-20T14:00:00Z","lines":"7"}
{"_time":"2026-11-20T15:00:00Z","lines":"3"}
{"_time":"2026-11-20T16:00:00Z","lines":"%d"}
`, c.late)
			default:
				fmt.Fprintf(w, `{"lines":"%d"}`+"\n", c.total)
			}
		})
		found, err := Find(t.Context(), client, c.since, c.until)
		if err != nil {
			t.Fatal(err)
		}
		if rows := found.Rows(Zone); c.want == "" && rows != "" || !strings.Contains(rows, c.want) {
			t.Errorf("%s: %s, want %s", name, rows, c.want)
		}
	}
}

func TestTheRestIsWhatNoSumsStandFor(t *testing.T) {
	at := func(h int) Hour { return Hour{Start: hour.Add(time.Duration(h) * time.Hour), Roll: "r"} }
	since, until := hour.Add(-10*time.Minute), hour.Add(250*time.Minute)
	for name, c := range map[string]struct {
		found        Found
		since, until time.Time
		want         string
	}{
		"no sums, no time": {want: ""},
		"no sums":          {since: since, until: until, want: "_time:>=2026-11-20T13:50:00Z _time:<2026-11-20T18:10:00Z"},
		"both ends open":   {found: Found{[]Hour{at(0), at(1)}}, want: "_time:<2026-11-20T14:00:00Z, _time:>=2026-11-20T16:00:00Z"},
		"a gap": {found: Found{[]Hour{at(0), at(2)}}, since: since, until: until, want: "_time:>=2026-11-20T13:50:00Z _time:<2026-11-20T14:00:00Z, " +
			"_time:>=2026-11-20T15:00:00Z _time:<2026-11-20T16:00:00Z, _time:>=2026-11-20T17:00:00Z _time:<2026-11-20T18:10:00Z"},
		"nothing is left": {found: Found{[]Hour{at(0)}}, since: hour, until: hour.Add(time.Hour), want: "_time:>=2026-11-20T15:00:00Z _time:<2026-11-20T15:00:00Z"},
	} {
		if got := strings.Join(c.found.Rest(c.since, c.until), ", "); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
	many := Found{[]Hour{at(0), at(2), at(4), at(6), at(8)}}
	if rest := many.Rest(time.Time{}, time.Time{}); len(rest) != 1 || strings.Count(rest[0], " or ") != 5 {
		t.Errorf("many: %q", rest)
	}
}
