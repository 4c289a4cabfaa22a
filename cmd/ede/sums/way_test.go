package sums

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/found"
)

// reads reports whether a question about a zone reads the part that rows of another are in.
func reads(t *testing.T, asked, kept string) bool {
	t.Helper()
	_, value, _ := strings.Cut(Way.Within([]string{asked}).streams(), `table=~"`)
	value, _, closed := strings.Cut(value, `"`)
	if !closed {
		t.Fatalf("%s: %s", asked, Way.Within([]string{asked}).streams())
	}
	return regexp.MustCompile("^(?:" + value + ")$").MatchString(Way.Name + partOf(kept))
}

// A question about a zone reads the parts of all zones below it and above it, and few others.
func TestAQuestionReadsThePartsOfItsZones(t *testing.T) {
	zones := []string{".", "org.", "example.org.", "EXAMPLE.org.", "a.example.org.", "b.a.example.org.", "co.", "t.co.", "uk.", "co.uk.", "example.co.uk.",
		"a.example.co.uk.", "ibm.example.", "in-addr.arpa.", "2.0.192.in-addr.arpa.", "0.192.in-addr.arpa.", "localhost."}
	for _, asked := range zones {
		for _, kept := range zones {
			a, k := strings.ToLower(asked), strings.ToLower(kept)
			if (found.Within(a, k) || found.Within(k, a)) && !reads(t, asked, kept) {
				t.Errorf("a question about %s does not read %s", asked, kept)
			}
		}
	}
	parts := make(map[string]int)
	read := 0
	for i := range 1000 {
		zone := fmt.Sprintf("z%d.example.", i)
		parts[partOf(zone)]++
		if reads(t, "ibm.example.", zone) {
			read++
		}
	}
	if len(parts) != numParts || read > 3*1000/numParts {
		t.Errorf("%d parts, of 1000 zones in them a question reads %d", len(parts), read)
	}
}

// A question about names reads the parts of these, however few labels they have.
func TestAQuestionAboutNamesReadsTheirParts(t *testing.T) {
	got := Name.Only([]string{"router.", "a.example.org.", "b.example.org."}).streams()
	if want := `{plugin="ede_hourly",table=~"name-few|name` + partOf("example.org.") + `"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
