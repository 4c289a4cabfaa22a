//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// change writes file with its one place that says old changed, to be built in place
// of source.
func change(t *testing.T, source, file, old, changed string) {
	t.Helper()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%s has %d places that say %q, want one", source, n, old)
	}
	save(t, file, strings.Replace(string(text), old, changed, 1))
}

// overlaid builds cmd/coredns with one place of a file of the standard library
// changed, and returns the path of the binary.
func overlaid(t *testing.T, source, old, changed string) string {
	t.Helper()
	dir := t.TempDir()
	file, list := filepath.Join(dir, filepath.Base(source)), filepath.Join(dir, "overlay.json")
	change(t, source, file, old, changed)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: file}})
	if err != nil {
		t.Fatal(err)
	}
	save(t, list, string(overlay))
	return build(t, dir, "-overlay", list)
}

// replaced is overlaid for a file of a module, of which it builds a copy.
func replaced(t *testing.T, module, source, old, changed string) string {
	t.Helper()
	dir := t.TempDir()
	copied, mod := filepath.Join(dir, "copy"), filepath.Join(dir, "go.mod")
	from := printed(t, "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err := os.CopyFS(copied, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(copied, filepath.FromSlash(source))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(from, filepath.FromSlash(source)), file, old, changed)
	root := filepath.Dir(printed(t, "go", "env", "GOMOD"))
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			text = fmt.Appendf(text, "\nreplace %s => %q\n", module, copied)
		}
		save(t, filepath.Join(dir, name), string(text))
	}
	return build(t, dir, "-modfile", mod)
}

// build builds cmd/coredns in dir and returns the path of the binary.
func build(t *testing.T, dir string, arguments ...string) string {
	t.Helper()
	path := filepath.Join(dir, "coredns")
	arguments = append(append([]string{"build"}, arguments...), "-o", path, "../../cmd/coredns")
	if out, err := exec.Command("go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// printed is what a command prints, without the end of the line.
func printed(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(name, arguments...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, arguments, err)
	}
	return strings.TrimSpace(string(out))
}

func save(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
