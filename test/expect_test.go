package test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// errorsOf is the INFO-CODEs and texts of an answer, "23 no reply".
func errorsOf(m *dns.Msg) []string {
	var all []string
	for _, e := range server.ExtendedErrors(m) {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s", e.InfoCode, e.ExtraText)))
	}
	return all
}

// expect fails the test unless m has the rcode and exactly these EDEs, in which
// … stands for anything.
func expect(t testing.TB, m *dns.Msg, rcode string, edes ...string) {
	t.Helper()
	got := errorsOf(m)
	if dns.RcodeToString[m.Rcode] != rcode || !slices.EqualFunc(edes, got, matches) {
		t.Errorf("answer is %s %q, want %s %q", dns.RcodeToString[m.Rcode], got, rcode, edes)
	}
}

// matches reports whether text is pattern, in which … stands for anything.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "…")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

func TestAnEllipsisMatchesAnything(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"no reply", "no reply", true},
		{"no reply", "no reply at all", false},
		{"no … within … s", "no reply within 2.0 s", true},
		{"no … within … s", "no reply within 2.0 h", false},
		{"a…a", "a", false},
		{"…", "", true},
	} {
		if got := matches(tc.pattern, tc.text); got != tc.want {
			t.Errorf("%q against %q: %v, want %v", tc.pattern, tc.text, got, tc.want)
		}
	}
}
