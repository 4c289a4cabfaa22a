package check

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDocumentIsWhatTheChecksSay(t *testing.T) {
	var want bytes.Buffer
	if err := Markdown(&want); err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("docs/checks.md is stale: run go run ./cmd/ede check --markdown > docs/checks.md")
	}
}

// run executes `ede check` and returns what it prints and the error that
// decides the exit status.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return runOn(t, "", args...)
}

func runOn(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	c := Command()
	c.SilenceUsage, c.SilenceErrors = true, true
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetIn(strings.NewReader(stdin))
	c.SetArgs(args)
	err := c.Execute()
	return out.String(), err
}

func TestTheExitStatusTellsWhetherThereAreMistakes(t *testing.T) {
	out, err := run(t, "examples/hosts-without-fallthrough.corefile")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, ":2: hosts has no fallthrough") || !strings.Contains(out, "as reported in coredns#7942") {
		t.Errorf("%v: %s", err, out)
	}
	clean := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(clean, []byte(". {\n    ede\n    forward . 192.0.2.53\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, clean); err != nil || !strings.Contains(out, "no mistakes found in 1 server block") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := run(t, filepath.Join(t.TempDir(), "none")); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("a file that is not there: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(broken, []byte(". {\n    forward . 192.0.2.53\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, broken); err == nil || errors.Is(err, ErrFound) {
		t.Errorf("a file that does not parse: %v", err)
	}
}
