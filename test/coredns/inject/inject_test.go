package inject

import "testing"

func TestInto(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a block":           {".:0 {\n\twhoami\n}\n", ".:0 {\n\tede\n\twhoami\n}\n"},
		"several blocks":    {"a.org {\n}\nb.org, c.org {\n}", "a.org {\n\tede\n}\nb.org, c.org {\n\tede\n}"},
		"nested blocks":     {". {\n\tfile db {\n\t\treload 1s\n\t}\n}", ". {\n\tede\n\tfile db {\n\t\treload 1s\n\t}\n}"},
		"a snippet":         {"(s) {\n\tlog\n}\n. {\n\timport s\n}", "(s) {\n\tlog\n}\n. {\n\tede\n\timport s\n}"},
		"an empty block":    {".:0 {}\n", ".:0 {\n\tede\n}\n"},
		"indented":          {"\t. {\n\t}", "\t. {\n\tede\n\t}"},
		"a comment":         {"# . {\n. {\n# }\n}", "# . {\n. {\n\tede\n# }\n}"},
		"a template's text": {". {\n\ttemplate ANY ANY {\n\t\tanswer \"{{ .Name }} {\"\n\t}\n}", ". {\n\tede\n\ttemplate ANY ANY {\n\t\tanswer \"{{ .Name }} {\"\n\t}\n}"},
		"a lone server":     {".:0\nwhoami", ".:0\nwhoami"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Into(c.in, "ede"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCorefileIsLeftAloneWithoutADirective(t *testing.T) {
	t.Setenv(Variable, "")
	if got := Corefile(". {\n}"); got != ". {\n}" {
		t.Errorf("got %q", got)
	}
	t.Setenv(Variable, "ede")
	if got := Corefile(". {\n}"); got != ". {\n\tede\n}" {
		t.Errorf("got %q", got)
	}
}
