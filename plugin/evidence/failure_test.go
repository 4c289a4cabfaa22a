package evidence

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestALocalPortDoesNotMakeEqualFailuresDiffer(t *testing.T) {
	for text, want := range map[string]string{
		"read udp 192.0.2.1:40112->192.0.2.53:53: i/o timeout":         "read udp 192.0.2.1->192.0.2.53:53: i/o timeout",
		"read udp [2001:db8::1]:40112->[2001:db8::53]:53: i/o timeout": "read udp [2001:db8::1]->[2001:db8::53]:53: i/o timeout",
		"read tcp [fe80::1%eth0]:9->[fe80::2%eth0]:53: EOF":            "read tcp [fe80::1%eth0]->[fe80::2%eth0]:53: EOF",
		"dial tcp 192.0.2.53:53: connect: connection refused":          "dial tcp 192.0.2.53:53: connect: connection refused",
		"a -> b": "a -> b",
	} {
		f := Failure{Kind: Timeout, Err: errors.New(text)}
		if got := f.Text(); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestALongAndHostileErrorBecomesOneShortLine(t *testing.T) {
	f := Failure{Kind: Other, Err: errors.New("bad\n\x1b[2J\u202e" + strings.Repeat("x", 1<<20))}
	text := f.Text()
	if len(text) > maxErrorText || text != option.Sanitize(text, maxErrorText) || strings.ContainsAny(text, "\n\x1b\u202e") {
		t.Errorf("%d octets: %.40q", len(text), text)
	}
}

func TestNoErrorSaysNothing(t *testing.T) {
	if text := new(Failure).Text(); text != "" {
		t.Errorf("%q", text)
	}
}
