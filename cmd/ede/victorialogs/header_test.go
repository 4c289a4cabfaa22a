package victorialogs

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHeadersComeFromTheEnvironmentAndReachTheStore(t *testing.T) {
	env := map[string]string{AuthorizationVariable: "Bearer abc", HeadersVariable: "AccountID: 12\n\n ProjectID:34 \n"}
	h, err := Header(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	var got http.Header
	var form map[string][]string
	var path string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		got, form, path = r.Header, r.PostForm, r.URL.Path
		w.Header().Set("Content-Type", streamType)
		w.Write([]byte(`{"n":"7","bad":"NaN","sum":"1.5e3","at":"2026-11-20T14:00:00.5Z"}` + "\n"))
	}))
	defer s.Close()
	for _, address := range []string{s.URL, s.URL + "/", s.URL + "/select/vmui/?#/", s.URL + queryPath} {
		c, err := New(address, h)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		rows := 0
		err = c.Query(ctx, "*", func(r Row) error {
			rows++
			if r.Uint("n") != 7 || r.Uint("bad") != 0 || r.Uint("sum") != 1500 || r.Uint("none") != 0 || r.Time("at").Nanosecond() != 5e8 || !r.Time("none").IsZero() {
				t.Errorf("row %v", r)
			}
			return nil
		})
		stop()
		if err != nil || rows != 1 {
			t.Fatal(rows, err)
		}
		if path != queryPath || got.Get("Authorization") != "Bearer abc" || got.Get("AccountID") != "12" || got.Get("ProjectID") != "34" {
			t.Errorf("%s: %s %v", address, path, got)
		}
		if form["allow_partial_response"][0] != "0" || !strings.HasPrefix(form["timeout"][0], "5") {
			t.Errorf("form %v", form)
		}
	}
}

func TestAHeaderThatIsNoneIsRefusedWithoutItsSecret(t *testing.T) {
	for _, line := range []string{"secret", ": secret", "a b: secret", "Bearer secret:x y"} {
		_, err := Header(func(name string) string {
			if name == HeadersVariable {
				return line
			}
			return ""
		})
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), HeadersVariable) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestFiltersAreQuoted(t *testing.T) {
	for _, c := range [][2]string{
		{Quote("a\"b\\c\n\u202e"), `"a\"b\\c\n\u202e"`},
		{In("cause", []string{"a", `b"`}), `cause:in("a", "b\"")`},
		{Below("qname", "a+b.example.org."), `qname:~"(?i)(^|\\.)a\\+b\\.example\\.org\\.$"`},
		{Below("qname", "."), "qname:*"},
		{Between(time.Time{}, time.Time{}), ""},
		{Any("a", "", "b"), "(a or b)"},
		{All("a", "", "b"), "(a b)"},
		{All("", "a"), "a"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, want %s", c[0], c[1])
		}
	}
}
