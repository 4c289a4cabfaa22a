package documents_test

import (
	"slices"
	"strings"
	"testing"
)

// TestTheREADMEIsShortAndBeginsWithWhatIsNeeded counts words as wc does.
func TestTheREADMEIsShortAndBeginsWithWhatIsNeeded(t *testing.T) {
	all := documents(t)
	text := all[slices.IndexFunc(all, func(d document) bool { return d.path == "README.md" })].text
	if words := len(strings.Fields(text)); words > 1600 {
		t.Errorf("%d words, want 1600 at most", words)
	}
	lines := strings.Split(text, "\n")
	for _, start := range []string{"Status: ", "Contents: "} {
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, start) }); i < 0 || i >= 30 {
			t.Errorf("%q stands on line %d, want one before line 30", start, i+1)
		}
	}
	place := 0
	for _, section := range []string{"Name", "Description", "Syntax", "Metrics", "Examples", "Bugs", "See Also"} {
		i := slices.Index(lines, "## "+section)
		if i < place {
			t.Errorf("section %q stands on line %d", section, i+1)
		}
		place = i
	}
}
