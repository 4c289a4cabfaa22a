package incident

import (
	"fmt"
	"strings"
	"testing"
)

// keptNames are the names at hand.
func keptNames() map[string]bool {
	all := make(map[string]bool)
	for i := range domains {
		if known := domains[i].kept.Load(); known != nil {
			all[known.name] = true
		}
	}
	return all
}

// Names that share a place are told apart, and one that is long takes none.
func TestTheDomainsAtHandAreBounded(t *testing.T) {
	for range 2 {
		for i := range 4 * keptDomains {
			domain := fmt.Sprintf("d%d.co.uk.", i)
			for range 3 {
				if got := ZoneOf("www."+domain, "."); got != domain {
					t.Fatalf("www.%s is grouped under %q", domain, got)
				}
			}
		}
	}
	label := strings.Repeat("l", 63)
	long := label + "." + label + ".example.net."
	for range 3 {
		if got := ZoneOf(long, "."); got != "example.net." {
			t.Errorf("a long name is grouped under %q", got)
		}
	}
	if kept := keptNames(); kept[long] {
		t.Errorf("%s is kept", long)
	} else if len(kept) < keptDomains/2 {
		t.Errorf("%d names are kept of many that failed several times", len(kept))
	}
}

func TestANameThatFailsOnceIsNotKept(t *testing.T) {
	const name, other = "once.example.org.", "again.example.org."
	ZoneOf(name, ".")
	ZoneOf(other, ".")
	ZoneOf(other, ".")
	if kept := keptNames(); kept[name] || !kept[other] {
		t.Errorf("kept: %t, want false; after two failures: %t, want true", kept[name], kept[other])
	}
}
