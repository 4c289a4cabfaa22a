package test_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// line is a log line of ede, by key.
type line map[string]string

const prefix = "[INFO] plugin/ede: "

// parseLine reads a text line of ede: key=value words, values quoted or not.
func parseLine(text string) (keys []string, l line, err error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return nil, nil, fmt.Errorf("%q is no line of ede", text)
	}
	l = make(line)
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, nil, fmt.Errorf("%q is no key=value", rest)
		}
		value, rest, err = readValue(value)
		if err != nil {
			return nil, nil, fmt.Errorf("value of %s: %w", key, err)
		}
		if _, twice := l[key]; twice {
			return nil, nil, fmt.Errorf("%s stands twice in %q", key, text)
		}
		keys, l[key] = append(keys, key), value
	}
	return keys, l, nil
}

func readValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, " ")
		return value, rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), strings.TrimPrefix(s[i+1:], " "), nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("%q does not end", s)
}

// failureOf returns the line that was logged for the query m, and fails the
// test unless there is exactly one.
func failureOf(t testing.TB, logs *server.Logs, m *dns.Msg) line {
	t.Helper()
	logs.WaitForFunc(t, func(text string) bool { return isFailureOf(text, m) }, patience)
	var found []string
	for _, text := range logs.Lines() {
		if isFailureOf(text, m) {
			found = append(found, text)
		}
	}
	if len(found) != 1 {
		t.Errorf("%d lines for one query:\n%s", len(found), strings.Join(found, "\n"))
	}
	_, l, err := parseLine(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func isFailureOf(text string, m *dns.Msg) bool {
	return strings.HasPrefix(text, prefix+"rcode=") &&
		strings.Contains(text, fmt.Sprintf(" id=%d ", m.Id)) &&
		strings.Contains(text, " qname="+m.Question[0].Name+" ")
}

// expectFields fails the test unless l has these values, in which … stands for
// anything; an empty one has to be absent.
func expectFields(t testing.TB, l, want line) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		got, there := l[key]
		if want[key] == "" && there || !matches(want[key], got) {
			t.Errorf("%s=%q is logged, want %q", key, got, want[key])
		}
	}
}
