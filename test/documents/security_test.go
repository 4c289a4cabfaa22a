package documents_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	namedTest    = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	declaredTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]+)\(`)
)

// Every threat of the security document names its test, and every fuzz target is
// among those that have run.
func TestTheTestsOfTheSecurityDocumentExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	var declared, named []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declaredTest.FindAllStringSubmatch(string(source), -1) {
			declared = append(declared, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range namedTest.FindAllStringSubmatch(string(text), -1) {
		named = append(named, m[1])
		if !slices.Contains(declared, m[1]) {
			t.Errorf("docs/security.md names %s, which is no test", m[1])
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range declared {
		if strings.HasPrefix(name, "Fuzz") && !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("docs/security.md has no executions of %s", name)
		}
	}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, _, _ := strings.Cut(section, "\n")
		if !strings.HasPrefix(section, "# ") && !namedTest.MatchString(section) {
			t.Errorf("the section %q names no test", title)
		}
	}
}
