package documents_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	codes   = regexp.MustCompile("`[^`]*`")
)

// anchors are the fragments that lead to the headings of a text, as GitHub makes
// them.
func anchors(d document) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(d.prose(), -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case r == ' ':
				b.WriteRune('-')
			case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
				b.WriteRune(r)
			}
		}
		all = append(all, b.String())
	}
	return all
}

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	all, followed := documents(t), 0
	for _, d := range all {
		for _, m := range link.FindAllStringSubmatch(codes.ReplaceAllString(d.prose(), ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			followed++
			to := d.path
			if target != "" {
				to = path.Join(path.Dir(d.path), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: %s leads nowhere", d.path, m[1])
				continue
			}
			if fragment == "" {
				continue
			}
			i := slices.IndexFunc(all, func(d document) bool { return d.path == to })
			if i < 0 || !slices.Contains(anchors(all[i]), fragment) {
				t.Errorf("%s: %s has no such heading", d.path, m[1])
			}
		}
	}
	if followed < 10 {
		t.Errorf("%d links are found", followed)
	}
}

// repositoryPath is a path below a folder of the repository.
var repositoryPath = regexp.MustCompile(`^(?:\.ci|\.github|cmd|deploy|docs|examples|man|plugin|test|tools)/[\w./*-]*$`)

func TestEveryPathOfTheRepositoryThatIsNamedExists(t *testing.T) {
	named := 0
	for _, d := range documents(t) {
		for _, words := range d.code() {
			for word := range strings.FieldsSeq(words) {
				word = strings.ReplaceAll(strings.TrimPrefix(word, "./"), "CAUSE", "*")
				if !repositoryPath.MatchString(word) || strings.Contains(word, "...") {
					continue
				}
				named++
				if found, err := filepath.Glob(filepath.Join(root, word)); err != nil || len(found) == 0 {
					t.Errorf("%s names %s, which does not exist", d.path, word)
				}
			}
		}
	}
	if named < 30 {
		t.Errorf("%d paths are found", named)
	}
}

func TestTheIndexHasEveryDocument(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(root, "docs/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents(t) {
		name, below := strings.CutPrefix(d.path, "docs/")
		if !below {
			name = "../" + d.path
		}
		if path.Dir(d.path) != "docs" && path.Dir(d.path) != "." || d.path == "docs/README.md" {
			continue
		}
		if !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/README.md does not list %s", d.path)
		}
	}
}
