package incident

import (
	"fmt"
	"strings"
	"testing"
)

// Names that share a place are told apart, and one that is long takes none.
func TestTheDomainsAtHandAreBounded(t *testing.T) {
	for range 2 {
		for i := range 4 * keptDomains {
			domain := fmt.Sprintf("d%d.co.uk.", i)
			if got := ZoneOf("www."+domain, "."); got != domain {
				t.Fatalf("www.%s is grouped under %q", domain, got)
			}
		}
	}
	label := strings.Repeat("l", 63)
	long := label + "." + label + ".example.net."
	if got := ZoneOf(long, "."); got != "example.net." {
		t.Errorf("a long name is grouped under %q", got)
	}
	for i := range domains {
		if known := domains[i].Load(); known != nil && len(known.name) > keptName {
			t.Errorf("%s is kept", known.name)
		}
	}
}
