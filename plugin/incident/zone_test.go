package incident

import (
	"strings"
	"testing"
)

func TestNamesAreGroupedByWhatIsRegistered(t *testing.T) {
	label := strings.Repeat("l", 63)
	for _, c := range []struct{ name, block, want string }{
		{"www.example.co.uk.", ".", "example.co.uk."},
		{"example.org.", ".", "example.org."},
		{label + "." + label + ".example.net.", ".", "example.net."},
		{"db.corp.", ".", "corp."},
		{"db.site.corp.", "site.corp.", "site.corp."},
		{"localhost.", ".", "."},
		{"co.uk.", ".", "."},
		{"odd..example.org.", ".", "."},
		{".", ".", "."},
		// A dot within a label.
		{`1\..example.org.`, ".", "example.org."},
		{`www.1\.example.org.`, ".", `1\.example.org.`},
		{`www.1\\.example.org.`, ".", "example.org."},
		{`1\.co.uk.`, ".", `1\.co.uk.`},
		{`1\..corp.`, ".", "corp."},
	} {
		// The second time it is known.
		for range 2 {
			if got := ZoneOf(c.name, c.block); got != c.want {
				t.Errorf("%s in the block %s is grouped under %q, want %q", c.name, c.block, got, c.want)
			}
		}
	}
}
