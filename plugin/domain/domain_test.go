package domain

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

var update = flag.Bool("update", false, "write deep.txt")

func TestZonesAreRegisteredDomains(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.org.": "example.org.", "a.b.example.co.uk.": "example.co.uk.", "org.": "org.", ".": ".",
		// A dot within a label.
		`1\..example.org.`: "example.org.", `www.1\.example.org.`: `1\.example.org.`, `www.1\\.example.org.`: "example.org.",
		"api.prod.svc.cluster.local.": "cluster.local.", `a\.b.`: `a\.b.`,
	} {
		if got := Of(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// rules are those of the list that is compiled in, from the list's own tests.
func rules(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, val := range parsed.Scope.Lookup("rules").Decl.(*ast.ValueSpec).Values {
		for _, rule := range val.(*ast.CompositeLit).Elts {
			text, err := strconv.Unquote(rule.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
	}
	if len(all) < 5000 {
		t.Fatalf("%d rules", len(all))
	}
	return all
}

func TestEveryRuleOfMoreThanTwoLabelsIsKnown(t *testing.T) {
	var ends []string
	for _, rule := range rules(t) {
		if labels := strings.Split(strings.TrimPrefix(rule, "!"), "."); len(labels) > 2 {
			ends = append(ends, strings.Join(labels[len(labels)-2:], "."))
		}
	}
	slices.Sort(ends)
	want := publicsuffix.List.String() + "\n" + strings.Join(slices.Compact(ends), "\n") + "\n"
	if *update {
		if err := os.WriteFile("deep.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if deepText != want {
		t.Error("deep.txt is of another list: go test ./plugin/domain -update")
	}
}

// names are all rules, what lies above them and below, and what is no name.
func names(t *testing.T) []string {
	t.Helper()
	names := []string{
		".", "..", "a", "a.b", "a..org", ".a.example.org", "a.example.org.", `a.b\.co.uk`, `\.co.uk`, "192.0.2.1", "a.0.2.1",
		"2001:db8::1", "::ffff:192.0.2.1", "fe80::1%a.example.org", "%.example.org", "a.example.nolist", "A.CO.UK", "a.b.CO.UK",
		strings.Repeat("a", 200) + ".example.org", "a." + strings.Repeat("b", 200) + ".org",
	}
	for _, rule := range rules(t) {
		rule = strings.TrimPrefix(rule, "!")
		for _, rule := range []string{rule, strings.Replace(rule, "*", "any", 1), strings.TrimPrefix(rule, "*.")} {
			names = append(names, rule, "a."+rule, "b.a."+rule, "c.b.a."+rule, "x"+rule)
			for _, below, ok := strings.Cut(rule, "."); ok; _, below, ok = strings.Cut(below, ".") {
				names = append(names, below, "a."+below, "b.a."+below)
			}
		}
	}
	return names
}

func TestAFinderFindsWhatASearchDoes(t *testing.T) {
	f := NewFinder()
	if deep() == nil {
		t.Fatal("deep.txt is of another list: go test ./plugin/domain -update")
	}
	names := names(t)
	for range 2 {
		for _, name := range names {
			if got, want := f.Length([]byte(name)), search(name); got != want {
				t.Fatalf("%s: %d octets, want %d", name, got, want)
			}
		}
	}
	for i := range 2 * maxEnds {
		name := "www.z" + strconv.Itoa(i) + ".org"
		if got := f.Length([]byte(name)); got != len(name)-len("www.") {
			t.Fatalf("%s: %d octets", name, got)
		}
	}
	if len(f.endings) != maxEnds {
		t.Errorf("%d ends are remembered", len(f.endings))
	}
}

func TestOfAnotherListNothingIsTakenFromTheEnd(t *testing.T) {
	if got := endingOf(nil, "example.org"); got != oneByOne {
		t.Error(got)
	}
}

func FuzzFinder(f *testing.F) {
	for _, seed := range []string{"www.example.org", "a.b.co.uk", `a\.b.co.uk`, "192.0.2.1", "::1", "a..b", "x.www.ck", "x.y.ck"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" {
			return
		}
		finder := NewFinder()
		for range 2 {
			if got, want := finder.Length([]byte(name)), search(name); got != want {
				t.Errorf("%q: %d octets, want %d", name, got, want)
			}
		}
	})
}
