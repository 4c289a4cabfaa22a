package corefile

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func parseText(t testing.TB, text string, order []string) []Block {
	t.Helper()
	blocks, err := Parse("Corefile", strings.NewReader(text), order)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func TestParseKeepsTokensByLine(t *testing.T) {
	t.Setenv("PREFLIGHT_TTL", "300")
	blocks := parseText(t, `# a comment
example.org,
tls://example.net:8853 {
    template IN A "a zone" {
        answer "{{ .Name }} 60 IN A
192.0.2.1"
        rcode NOERROR # a comment
    }
    cache {$PREFLIGHT_TTL}
    hosts
    {
        192.0.2.1 a b
    }
    forward . 192.0.2.1
    forward . 192.0.2.2 { except a.example
        nested {
            deep x
        }
        expire 1s }
    log {
    }
}
`, nil)
	want := []Block{{
		Keys: []string{"example.org", "tls://example.net:8853"}, File: "Corefile", Line: 2,
		Directives: []Directive{
			{Name: "template", Lines: [][]string{
				{"IN", "A", "a zone"}, {"answer", "{{ .Name }} 60 IN A\n192.0.2.1"}, {"rcode", "NOERROR"},
			}, File: "Corefile", Line: 4},
			{Name: "cache", Lines: [][]string{{"300"}}, File: "Corefile", Line: 9},
			{Name: "hosts", Lines: [][]string{nil, {"192.0.2.1", "a", "b"}}, File: "Corefile", Line: 10},
			{Name: "forward", Lines: [][]string{{".", "192.0.2.1"}}, File: "Corefile", Line: 14},
			{Name: "forward", Lines: [][]string{
				{".", "192.0.2.2"}, {"except", "a.example"}, {"nested", "{"}, {"deep", "x"}, {"}"}, {"expire", "1s"},
			}, File: "Corefile", Line: 15, Use: 1},
			{Name: "log", Lines: [][]string{nil}, File: "Corefile", Line: 20},
		},
	}}
	for i := range blocks[0].Directives {
		d := &blocks[0].Directives[i]
		if len(d.Tokens) == 0 || d.Tokens[0].Text != d.Name || d.Tokens[0].Line != d.Line {
			t.Errorf("the tokens of %s: %v", d.Name, d.Tokens)
		}
		d.Tokens = nil
	}
	if !reflect.DeepEqual(blocks, want) {
		t.Errorf("got  %+v\nwant %+v", blocks, want)
	}
}

func TestParseFindsTheLineOfEachBlock(t *testing.T) {
	dir := t.TempDir()
	imported := filepath.Join(dir, "more.conf")
	if err := os.WriteFile(imported, []byte("\nexample.info {\n    log\n}\nexample.biz {\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PREFLIGHT_ZONE", "example.edu")
	tests := []struct {
		name, text string
		want       []string // "key@file:line"
	}{
		{"a block without braces", "\nexample.org\nlog\nerrors\n", []string{"example.org@Corefile:2"}},
		{"only keys", "example.org", []string{"example.org@Corefile:1"}},
		{"blocks after a snippet of the same name", "(log) {\n log\n}\nlog {\n import log\n}\n. {\n}", []string{"log@Corefile:4", ".@Corefile:7"}},
		{"two blocks with one key", ". {\n log\n}\n. {\n}", []string{".@Corefile:1", ".@Corefile:4"}},
		{"a key from the environment", "{$PREFLIGHT_ZONE}:53 {\n}\nexample.org {\n}", []string{"example.edu:53@Corefile:1", "example.org@Corefile:3"}},
		{"imported blocks", "import " + imported + "\n. {\n}", []string{"example.info@" + imported + ":2", "example.biz@Corefile:0", ".@Corefile:2"}},
		{"a brace that closes nothing", ". {\n}\n}\n", []string{".@Corefile:1", "}@Corefile:3"}},
		{"such a brace above a block", ". {\n log\n}\n}\n. {\n}", []string{".@Corefile:1", "}@Corefile:4"}},
		{"nothing", "# nothing\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, b := range parseText(t, test.text, nil) {
				got = append(got, fmt.Sprintf("%s@%s:%d", b.Keys[0], b.File, b.Line))
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestParseRejects(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an unknown directive", ". {\n    nonesuch\n}", "Corefile:2"},
		{"a block that does not end", ". {\n    hosts {\n", "Corefile:"},
		{"a snippet of itself", "(a) {\n import a\n}\n. {\n import a\n}", "import depth"},
		{"snippets of each other", "(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}", "import depth"},
		{"an import of nothing", ". {\n import nonesuch.conf\n}", "not found"},
		{"one octet too many", strings.Repeat("#", MaxSize+1), "larger than"},
		{"one block too many", strings.Repeat("a {\n}\n", MaxBlocks+1), "more than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("Corefile", strings.NewReader(test.text), []string{"hosts", "template", "forward", "import"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
	t.Run("but not at the limits", func(t *testing.T) {
		for _, text := range []string{strings.Repeat("#", MaxSize), strings.Repeat("a {\n}\n", MaxBlocks)} {
			parseText(t, text, []string{"hosts", "template", "forward", "import"})
		}
	})
}
