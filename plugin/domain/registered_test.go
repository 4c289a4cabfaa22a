package domain

import (
	"fmt"
	"strings"
	"testing"
)

func TestRegisteredFindsWhatASearchDoes(t *testing.T) {
	for range 2 {
		for _, name := range names(t) {
			name := strings.ToLower(name) + "."
			if got, want := Registered(name), searched(name, strings.TrimSuffix(name, ".")); got != want {
				t.Fatalf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestATopLevelDomainThatIsNotListedStandsForItsNames(t *testing.T) {
	for name, want := range map[string]string{
		"db.corp.": "corp.", "a.db.corp.": "corp.", "corp.": "", ".": "", "": "", `1\..corp.`: "corp.", `a.1\..corp.`: "corp.",
		"a.b.example.co.uk.": "example.co.uk.", "example.co.uk.": "example.co.uk.", "co.uk.": "", "uk.": "",
		"odd..example.org.": "", ".example.org.": "", `www.1\.example.org.`: `1\.example.org.`,
	} {
		for range 2 {
			if got := Registered(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

// More ends of names than are known push each other out.
func TestEndsThatShareAPlaceAreToldApart(t *testing.T) {
	for range 2 {
		for i := range 4 * len(known) {
			want := fmt.Sprintf("z%d.org.", i)
			if i%2 == 0 {
				want = fmt.Sprintf("z%d.co.uk.", i)
			}
			if got := Registered("www." + want); got != want {
				t.Fatalf("www.%s: %q", want, got)
			}
		}
	}
}

func TestALongDomainIsFound(t *testing.T) {
	domain := strings.Repeat(`\000`, 63) + ".org."
	for range 2 {
		if got := Registered("www." + domain); got != domain {
			t.Errorf("%q, want %q", got, domain)
		}
	}
}

func TestANameThatIsKnownTakesNoMemory(t *testing.T) {
	Registered("www.example.org.")
	if n := testing.AllocsPerRun(100, func() { Registered("ftp.example.org.") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRegistered(f *testing.F) {
	for _, seed := range []string{"www.example.org.", "a.b.co.uk.", `a\.b.co.uk.`, "192.0.2.1.", "::1.", "a..b.", "x.www.ck.", "db.corp.", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for i := range known {
			known[i].Store(0) // what an input covers must not depend on those before
		}
		for range 2 {
			if got, want := Registered(name), searched(name, strings.TrimSuffix(name, ".")); got != want {
				t.Errorf("%q: %q, want %q", name, got, want)
			}
		}
	})
}

func BenchmarkRegistered(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Registered("www.example.org.")
	}
}
