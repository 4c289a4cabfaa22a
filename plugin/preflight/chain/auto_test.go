package chain

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// filled is a directory with empty files of these names.
func filled(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAutoAnswersWhatItsDirectoryHas(t *testing.T) {
	dir := filled(t, "db.example.org", "more/db.EXAMPLE.net", "readme", "db.", "zone-lab.example")
	few := []string{"example.org.", "example.net."}
	tests := []struct {
		name, block string
		held        []string
		question    string
		end         End
	}{
		{"a zone that it has", ". {\n auto . {\n directory " + dir + "\n }\n forward . 192.0.2.53\n}", few, "x.example.org.", Answered},
		{"a zone in a directory below", ". {\n auto {\n directory " + dir + "\n }\n}", few, "x.example.net.", Answered},
		{"one that it lacks", ". {\n auto {\n directory " + dir + "\n }\n loop\n}", few, "x.lab.example.", NoNext},
		{"one that it lacks, and the last", ". {\n auto {\n directory " + dir + "\n }\n}", few, "x.lab.example.", Refused},
		{"a name outside of its zones, and the last", ". {\n auto example.org {\n directory " + dir + "\n }\n}", few[:1], "x.example.net.", NoNext},
		{"a pattern of its own", ". {\n auto {\n directory " + dir + " zone-(.*)[.]example {1}.test\n }\n}", []string{"lab.test."}, "x.lab.test.", Answered},
		{"a path below root", ". {\n root " + filepath.Dir(dir) + "\n auto {\n directory " + filepath.Base(dir) + "\n }\n}", few, "x.example.org.", Answered},
		{"the last of two", ". {\n auto lab.example\n auto {\n directory " + dir + "\n }\n}", few, "x.lab.example.", Refused},
		{"an empty directory", ". {\n auto {\n directory " + t.TempDir() + "\n }\n}", nil, "x.example.org.", Unknown},
		{"none at all", ". {\n auto {\n directory " + dir + "/none\n }\n}", nil, "x.example.org.", Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := built(t, test.block)
			if known := c.Fill(ZoneFiles, 256); known != (test.held != nil) {
				t.Errorf("known: %t", known)
			}
			if i := slices.IndexFunc(c.Links, func(l Link) bool { return l.held }); i >= 0 {
				got := slices.Sorted(slices.Values(c.Links[i].Zones))
				if want := slices.Sorted(slices.Values(test.held)); !slices.Equal(got, want) {
					t.Errorf("zones %v, want %v", got, want)
				}
			}
			if out := c.Ask(Question{Name: test.question, Type: dns.TypeA}, nil); out.End != test.end {
				t.Errorf("end %d, want %d", out.End, test.end)
			}
		})
	}
}

func TestADirectoryWithTooManyFilesSaysNothing(t *testing.T) {
	var names []string
	for i := range maxFiles - 1 { // the directory itself counts
		names = append(names, fmt.Sprintf("db.z%d.example", i))
	}
	dir := filled(t, names...)
	if got, err := ZoneFiles(dir); err != nil || len(got) != len(names) {
		t.Errorf("%d files, %v", len(got), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "db.example"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ZoneFiles(dir); err != nil || got != nil {
		t.Errorf("with one more: %d files, %v", len(got), err)
	}
	c, _ := built(t, ". {\n auto {\n directory x\n }\n}")
	some := func(n int) func(string) ([]string, error) {
		return func(string) ([]string, error) { return names[:n], nil }
	}
	if c.Fill(some(257), 256) || !c.Fill(some(256), 256) {
		t.Error("the limit of zones")
	}
}
