package corefile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// scanned and lexed are the tokens of text with their lines.
func scanned(text string) (all []string) {
	for s := newScanner([]byte(text)); s.next(); {
		all = append(all, fmt.Sprintf("%d %q", s.at, s.text()))
	}
	return all
}

func lexed(text string) (all []string) {
	for d := caddyfile.NewDispenser("Corefile", strings.NewReader(text)); d.Next(); {
		all = append(all, fmt.Sprintf("%d %q", d.Line(), d.Val()))
	}
	return all
}

var oddTexts = []string{
	"", "a", "\uFEFFa b", "a,\nb {\r\n c \"d e\" # f\n}\r\n", "a#b c\nd", "# a \"b\nc", "\"a\nb\" c", `"a\"b\\" "" c`, "\"a", "\"\\", "\"", "a\rb",
	"a\xffb \u3000c", "\"a\\\nb\" c", "a\"b c\"", "\\\n\\", "{\r\n\"}\"", "a#\r\nb", "\v\fa\u0085b",
}

func TestTheScannerReadsAsCaddyDoes(t *testing.T) {
	for _, text := range oddTexts {
		if got, want := scanned(text), lexed(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range oddTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := scanned(text), lexed(text); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
