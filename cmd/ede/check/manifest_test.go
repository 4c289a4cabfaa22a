package check

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configMap is a manifest whose Corefile begins in its sixth line.
func configMap(corefile string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: coredns\ndata:\n  Corefile: |\n    " +
		strings.ReplaceAll(strings.TrimSuffix(corefile, "\n"), "\n", "\n    ") + "\n"
}

func TestTheManifestsOfKnownClustersAreQuiet(t *testing.T) {
	files, err := filepath.Glob("testdata/clean/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no manifests", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			out, err := run(t, file)
			if err != nil || !strings.Contains(out, "no mistakes found in ") || strings.Contains(out, " 0 server blocks") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

const alone = "# hosts alone\nlab.example {\n    hosts {\n        192.0.2.5 a.lab.example\n    }\n}\n"

func TestAWarningHasTheLineOfTheFileGiven(t *testing.T) {
	quoted, err := json.Marshal(alone)
	if err != nil {
		t.Fatal(err)
	}
	server := strings.ReplaceAll(configMap(alone), "Corefile: |", "lab.server: |")
	tests := []struct{ name, file, text, want string }{
		{"a Corefile", "Corefile", alone, "FILE:3: "},
		{"a block of YAML", "cm.yaml", configMap(alone), "FILE:9: "},
		{"a block of YAML without a telling name", "cm", configMap(alone), "FILE:9: "},
		{"a second document", "all.yml", "kind: Secret\n---\n" + configMap(alone), "FILE:11: "},
		{"JSON", "cm.json", "{\"kind\": \"ConfigMap\",\n \"data\": {\n  \"Corefile\": " + string(quoted) + "\n}}", "FILE:3:Corefile:3: "},
		{"a quoted string of YAML", "cm.yaml", "kind: ConfigMap\ndata:\n  Corefile: " + string(quoted) + "\n", "FILE:3:Corefile:3: "},
		{"a key that ends in .server", "custom.yaml", server, "FILE:9: "},
		{"deep in a manifest", "deep.yaml", "a:\n- b:\n    Corefile: |-\n      " + strings.ReplaceAll(alone, "\n", "\n      "), "FILE:6: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), test.file)
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := run(t, file)
			if !errors.Is(err, ErrFound) || !strings.Contains(out, "[hosts-alone]") ||
				!strings.Contains(out, place80(file, test.want)) {
				t.Errorf("%v, want %q:\n%s", err, place80(file, test.want), out)
			}
		})
	}
}

// place80 is want with the file as warnings have it, which cut long names.
func place80(file, want string) string {
	if name, line, ok := strings.Cut(want, ":Corefile"); ok {
		return printed(strings.ReplaceAll(name, "FILE", file)+":Corefile") + line
	}
	return strings.ReplaceAll(want, "FILE", printed(file))
}

func printed(file string) string {
	const most = 80
	if len(file) > most {
		return file[:most] + "..."
	}
	return file
}

func TestStandardInputIsAManifestOrACorefile(t *testing.T) {
	for name, text := range map[string]string{"a manifest": configMap(alone), "a Corefile": alone} {
		t.Run(name, func(t *testing.T) {
			out, err := runOn(t, text, "-")
			if !errors.Is(err, ErrFound) || !strings.HasPrefix(out, "stdin:") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

func TestAnOverrideIsJudgedWithinTheDefaultCorefile(t *testing.T) {
	override := func(text string) string {
		return "kind: ConfigMap\ndata:\n  a.override: |\n    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
	}
	if out, err := runOn(t, override("log\nforward example.org 192.0.2.53"), "-"); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	out, err := runOn(t, override("log\ntemplate IN A lab.example {\n    match ^x\n    rcode NXDOMAIN\n}"), "-")
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "stdin:5: template has no fallthrough") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestFilesOfThisMachineAreReadForACorefileByItsPathOnly(t *testing.T) {
	const corefile = ". {\n    forward . /nonexistent/resolv.conf\n    ede {\n        diagnose {\n            trust_anchor /nonexistent/anchors\n        }\n    }\n}\n"
	for _, text := range []string{corefile, configMap(corefile)} {
		if out, err := runOn(t, text, "-"); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
	}
	file := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(file, []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, file)
	if !errors.Is(err, ErrFound) || !strings.Contains(out, "[forward-file-unreadable]") || !strings.Contains(out, "[ede-directive]") {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestWhatIsNoManifestAndNoCorefile(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"a manifest without a Corefile": {"a.yaml", "kind: Secret\n", "no Corefile in it"},
		"broken YAML":                   {"b.yaml", "a: [\n", "b.yaml: yaml"},
		"a broken Corefile":             {"c.yaml", configMap(". {\n    hosts {\n"), "c.yaml:"},
		"too large":                     {"d", strings.Repeat("#", maxInput+1), "larger than"},
		"nothing":                       {"Corefile", "", "Corefile: empty: want a Corefile"},
		"nothing but space":             {"e.yaml", "\ufeff \n\r\n\t", "e.yaml: empty: want a Corefile"},
		"nothing but comments":          {"Corefile", "# . {\n# }\n", "Corefile: no server block in it"},
		"nothing but a snippet":         {"Corefile", "(s) {\n    errors\n}\n", "Corefile: no server block in it"},
		"a Corefile that is empty":      {"f.yaml", "kind: ConfigMap\ndata:\n  Corefile: \"\"\n", "f.yaml:3:Corefile: no server block in it"},
		"a Corefile of comments":        {"g.yaml", configMap("# one"), "g.yaml:6: no server block in it"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), test.file)
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := run(t, file); err == nil || errors.Is(err, ErrFound) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q:\n%s", err, test.want, out)
			}
		})
	}
}

func TestAnErrorInAManifestHasItsLineThere(t *testing.T) {
	const head = "apiVersion: v1\nkind: ConfigMap\ndata:\n  Corefile: |\n"
	text := head + "    . {\n        forward . 192.0.2.53\n    }\n---\n" + head + "    . {\n        import nonesuch.conf\n    }\n---\n" + head + "    a, {\n    }\n"
	_, err := runOn(t, text, "-")
	for _, want := range []string{"stdin:14 - Error during parsing: File to import not found", "stdin:21 - Error during parsing: Expected another address"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one with %q", err, want)
		}
	}
}

// A pipe whose first command fails gives nothing.
func TestEmptyInputIsNoCleanCorefile(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n"} {
		if out, err := runOn(t, text, "-"); err == nil || errors.Is(err, ErrFound) || !strings.HasPrefix(err.Error(), "stdin: ") || out != "" {
			t.Errorf("%q: %v\n%s", text, err, out)
		}
	}
}
