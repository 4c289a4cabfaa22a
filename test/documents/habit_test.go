package documents_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// habits are wordings that a reader trips over, with the plain one. CONTRIBUTING.md has
// the same list.
var habits = []struct {
	says  *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), "fix"},
	{regexp.MustCompile("(?i), as (in |for |of )?[\"`*0-9]"), "such as, for example"},
	{regexp.MustCompile(`(?i)\bbesides?\b`), "next to, in addition to, also"},
	{regexp.MustCompile(`(?i)\bout of (the |its |their )?\W?cache\b`), "from cache"},
	{regexp.MustCompile(`(?i)\b(take|takes|took|taken|taking)( \w+){1,5} for\b`), "read as, treated as"},
	{regexp.MustCompile(`(?i)\bgiv(e|es|en|ing) away\b`), "reveal"},
	{regexp.MustCompile(`(?i)\bhas it\b`), "name what it has, or does"},
	{regexp.MustCompile(`(?i)\baccepted (is|are)\b`), "want"},
	{regexp.MustCompile(`(?i)\b(is|are) going on\b`), "is happening, is open"},
	{regexp.MustCompile(`(?i)\bit is that\b`), "say the thing itself"},
	{regexp.MustCompile(`(?i)\bwhat (it|they) (has|have) not\b`), "what is missing"},
}

// isText reports whether file is text that people wrote here or that our tools made.
func isText(file string) bool {
	kinds := []string{".md", ".go", ".7", ".yaml", ".yml", ".txt", ".html", ".sh", ".json", ".corefile", ""}
	return slices.Contains(kinds, filepath.Ext(file)) && filepath.Base(file) != "habit_test.go" && filepath.Base(file) != "LICENSE"
}

// plainWords is the section of CONTRIBUTING.md that names the habits.
const plainWords = "## Plain words"

func TestNoTextHasAHabitThatReadersTripOver(t *testing.T) {
	const shown = 40
	found := 0
	for _, f := range files(t, isText) {
		names := false
		for i, line := range strings.Split(f.text, "\n") {
			if strings.HasPrefix(line, "## ") {
				names = line == plainWords
			}
			if names {
				continue
			}
			for _, h := range habits {
				if says := h.says.FindString(line); says != "" {
					if found++; found <= shown {
						t.Errorf("%s:%d: %q: plainer is %s", f.path, i+1, says, h.plain)
					}
				}
			}
		}
	}
	if found > shown {
		t.Errorf("and %d more", found-shown)
	}
}
