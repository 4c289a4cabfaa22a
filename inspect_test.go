package ede

import (
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

func blocksOf(t *testing.T, corefile string) []preflight.Block {
	t.Helper()
	blocks, err := preflight.Parse("Corefile", strings.NewReader(corefile), nil)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

func TestInspectFindsWhatLoadRefuses(t *testing.T) {
	tests := []struct{ name, corefile, want string }{
		{"nothing wrong", ". {\n ede {\n text full\n why\n }\n}\nexample.org {\n whoami\n}\n", ""},
		{"an unknown level", ". {\n whoami\n ede {\n text verbose\n }\n}\n", "Corefile:4 - Error during parsing: unknown text level"},
		{"a property without ede's braces", "example.org {\n ede text full\n ede\n}\n", "Corefile:3 - Error during parsing: ede stands twice"},
		{"two blocks that differ", ". {\n ede {\n memory 200\n }\n}\nexample.org {\n ede {\n memory 300\n }\n}\n", "memory differs"},
		{"a file that is not there", ". {\n ede {\n diagnose {\n trust_anchor /nonexistent\n }\n }\n}\n", "Corefile:4"},
		{"a code that is none", ". {\n ede {\n ignore nonesuch\n }\n}\n", "Corefile:3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			errs := Inspect(blocksOf(t, test.corefile))
			if test.want == "" && len(errs) == 0 {
				return
			}
			if len(errs) != 1 || test.want == "" || !strings.Contains(errs[0].Error(), test.want) {
				t.Errorf("%v, want one with %q", errs, test.want)
			}
		})
	}
}
