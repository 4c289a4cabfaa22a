package corefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABraceThatIsNotClosedIsToldByItsLine(t *testing.T) {
	for text, want := range map[string]string{
		". {\n    errors\n    forward . 192.0.2.53\n":                                                             "Corefile:1 - ",
		"# x\nexample.org {\n    errors\n    forward . 192.0.2.53\n\n. {\n    errors\n    forward . 192.0.2.53\n": "Corefile:2 - ",
		". {\n    cache {\n        success 9\n    errors\n}\nlab.example {\n    cache {\n        success 9\n}\n":  "Corefile:2 - ",
		"(x) {\n    cache {\n        success 9\n    errors\n}\n. {\n    import x\n}\n":                            "Corefile:2 - ",
		". {\nhosts {\n192.0.2.1 a\n}\nforward . 192.0.2.53\n":                                                    "Corefile:1 - ",
		". {\n\thosts {\n\t\t192.0.2.1 a\n\t\tfallthrough\n\tforward . 192.0.2.53\n":                              "Corefile:2 - ",
	} {
		_, err := Parse("Corefile", strings.NewReader(text), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "is not closed") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"a.conf": "import b.conf\n", "b.conf": "errors\nhosts {\n    fallthrough\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Parse("Corefile", strings.NewReader(". {\n import "+dir+"/a.conf\n}\nexample.org {\n import "+dir+"/a.conf\n}\n"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "b.conf")+":2 - ") {
		t.Errorf("in a file that is imported: %v", err)
	}
	_, err = Parse("Corefile", strings.NewReader(". {\n log \"{remote}\n forward . 192.0.2.53\n}\n"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "Corefile:2 - the quotation mark of this line is not closed") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a quotation mark: %v", err)
	}
	_, err = Parse("Corefile", strings.NewReader(". { errors }\n"), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "write each `}` on a line of its own") {
		t.Errorf("a block in one line: %v", err)
	}
	for _, text := range []string{". {\n errors }\n", ". {\n errors\n}\n import /nonexistent/x\n"} {
		if _, err := Parse("Corefile", strings.NewReader(text), nil); err == nil || strings.Contains(err.Error(), "is not closed") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestABlockWithoutABraceKnowsTheBraceAboveIt(t *testing.T) {
	for text, want := range map[string]int{
		". {\n errors\n}\nexample.org {\n errors\n}\n":             0,
		". {\n errors\n}\nexample.org\n{\n errors\n}\n":            0,
		". {\n errors\n}\n}\nforward . 192.0.2.53\n cache\n}\n":    3, // the brace is the key
		". {\n hosts {\n }\n}\nforward . 192.0.2.53\n cache\n}\n":  4,
		". {\n hosts {\n }\n}\nforward\n":                          4,
		". {\n errors\n}\nexample.org,\nexample.net {\n errors\n}": 0,
	} {
		blocks := parseText(t, text, nil)
		if got := blocks[len(blocks)-1].Below; got != want {
			t.Errorf("%q: below %d, want %d", text, got, want)
		}
	}
}

func TestAnImportThatCannotBeSaysWhatToDo(t *testing.T) {
	for corefile, want := range map[string]string{
		"# (common) is a file\n. {\n    import common\n}\n":                     "Corefile:3 - Error during parsing: File to import not found: common",
		". {\n    import common\n}\n(common) {\n    whoami\n}\n":                "Corefile:2 - Error during parsing: File to import not found: common: move the snippet (common) above what imports it",
		". {\n    import common\n}\n":                                           "Corefile:2 - Error during parsing: File to import not found: common",
		"(up) {\n    forward . {args[0]}\n}\n. {\n    import up 192.0.2.1\n}\n": "Corefile:5 - Error during parsing: Import takes only one argument (glob pattern or file): write one import for each file or snippet; a snippet of a Corefile has no arguments",
	} {
		if _, err := Parse("Corefile", strings.NewReader(corefile), nil); err == nil || err.Error() != want {
			t.Errorf("%s%v, want %s", corefile, err, want)
		}
	}
}
