package preflight

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens anew")

func parseFile(t *testing.T, path string, order []string) []Block {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	blocks, err := Parse(path, f, order)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// transcript writes warnings as a golden has them, with paths cut to names.
func transcript(warnings []Warning) string {
	var b strings.Builder
	for _, w := range warnings {
		w.File = filepath.Base(w.File)
		fmt.Fprintf(&b, "%s\n    %s %s\n", w, w.Code, strings.Join(w.Reports, " "))
	}
	return b.String()
}

func TestEachMistakeGetsItsWarnings(t *testing.T) {
	t.Setenv("PREFLIGHT_ZONE", "example.org")
	files, err := filepath.Glob("testdata/mistakes/*.corefile")
	if err != nil || len(files) == 0 {
		t.Fatal("no mistakes to test", err)
	}
	met := make(map[string]bool)
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".corefile")
		t.Run(name, func(t *testing.T) {
			order := buildOrder(t)
			if name == "ede-too-low" {
				order = orderWith(t, "forward", "ede")
			}
			lenient := order
			if strings.HasPrefix(name, "unknown-directive") || name == "removed-option" {
				lenient = nil
			}
			warnings := Host{ReadFile: os.ReadFile}.Check(parseFile(t, path, lenient), order)
			for _, w := range warnings {
				met[w.Code] = true
			}
			got, golden := transcript(warnings), strings.TrimSuffix(path, ".corefile")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) || got == "" {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	for _, c := range checks {
		if !met[c.code] {
			t.Errorf("no mistake shows the check %s", c.code)
		}
	}
}

func TestCleanCorefilesGetNoWarning(t *testing.T) {
	files, err := filepath.Glob("testdata/clean/*.corefile")
	if err != nil || len(files) == 0 {
		t.Fatal("no Corefiles to test", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".corefile"), func(t *testing.T) {
			order := append(buildOrder(t), "unbound", "kubernetai")
			if got := transcript(Check(parseFile(t, path, order), order)); got != "" {
				t.Errorf("false alarm:\n%s", got)
			}
		})
	}
}
