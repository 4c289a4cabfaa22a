//go:build linux

package compatibility_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

const document = "../../docs/compatibility.md"

var writes = flag.Bool("write", false, "write docs/compatibility.md")

// row is a line of a table: what was observed of a program of a version.
type row struct{ name, version, cells string }

func (r row) String() string { return "| " + r.name + " | " + r.version + " " + r.cells }

// in tells whether the document has the line, or one of another version only.
func (r row) in(document string) bool {
	return strings.Contains(document, r.String()+"\n") || !strings.Contains(document, "\n| "+r.name+" | "+r.version+" |")
}

// Programs of other versions than those of the document may behave otherwise, and
// only must not break.
func TestUpstreamsBehaveAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	logs := server.Capture(t)
	documented(t, "upstreams", upstreams(t, logs, read(t)))
}

func TestClientsShowWhatIsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	documented(t, "clients", clients(t))
}

func read(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documented writes rows into the table below a mark, or holds them to be there.
func documented(t *testing.T, mark string, rows []row) {
	t.Helper()
	text := read(t)
	switch {
	case *writes && !t.Failed():
		if err := os.WriteFile(document, []byte(replaced(t, text, mark, rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	case !*writes:
		for _, r := range rows {
			if r.name != "" && !r.in(text) {
				t.Errorf("docs/compatibility.md has another line than\n%s", r)
			}
		}
	}
}

// replaced puts rows in place of those of the table below a mark.
func replaced(t *testing.T, text, mark string, rows []row) string {
	t.Helper()
	head, rest, found := strings.Cut(text, "<!-- "+mark+" -->\n")
	_, rest, closed := strings.Cut(rest, "|\n\n")
	if !found || !closed {
		t.Fatalf("the document has no table %s", mark)
	}
	titles, _, _ := strings.Cut(text[len(head):], "---|\n")
	var b strings.Builder
	b.WriteString(head + titles + "---|\n")
	for _, r := range rows {
		b.WriteString(r.String() + "\n")
	}
	return b.String() + "\n" + rest
}
