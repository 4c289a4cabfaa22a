package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testdata/forms.txt has small Corefiles, each below a line with its name and the
// codes of its warnings, in their order: "== NAME: CODE...".
const forms = "testdata/forms.txt"

func TestSmallCorefilesGetTheirVerdict(t *testing.T) {
	text := readText(t, forms)
	order := buildOrder(t)
	var after strings.Builder
	for _, form := range strings.Split("\n"+text, "\n== ")[1:] {
		head, corefile, _ := strings.Cut(form, "\n")
		name, want, _ := strings.Cut(head, ":")
		corefile = strings.ReplaceAll(corefile, "@ZONES@", manyKeys)
		var got string
		t.Run(name, func(t *testing.T) {
			blocks, err := Parse("Corefile", strings.NewReader(corefile), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range Check(blocks, order) {
				got += " " + w.Code
				own := strings.HasPrefix(w.Text, "hosts ") || strings.HasPrefix(w.Text, "template ")
				if own && strings.Contains(w.Fix, "remove fallthrough") {
					t.Errorf("remove fallthrough is no help: %s", w)
				}
			}
			if got != want && !*update {
				t.Errorf("warnings%s, want%s\n%s", got, want, corefile)
			}
		})
		after.WriteString("== " + name + ":" + got + "\n" + strings.TrimSuffix(form[len(head)+1:], "\n") + "\n")
	}
	if *update {
		if err := os.WriteFile(forms, []byte(after.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// manyKeys are more zones than are judged.
var manyKeys = func() string {
	var zones []string
	for i := range maxZones + 1 {
		zones = append(zones, fmt.Sprintf("z%d.example", i))
	}
	return strings.Join(zones, " ")
}()

// What an imported file has is told once, also if several blocks import it by way of others.
func TestAMistakeOfAnImportedFileIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"all.conf":   "import plain.conf\n",
		"plain.conf": "forward . 192.0.2.53 {\n tls_servername dns.example.net\n}\nforwrad . 192.0.2.53\n",
		"block.conf": "example.net {\n import all.conf\n}\n",
		"hosts.conf": "hosts {\n 192.0.2.1 a.example.org\n}\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const corefile = ". {\n import DIR/all.conf\n}\nexample.org {\n import DIR/plain.conf\n}\nimport DIR/block.conf\n" +
		"lab.example {\n import DIR/hosts.conf\n forward . 192.0.2.53\n}\nlan.example {\n import DIR/hosts.conf\n forward . 192.0.2.53\n}\n"
	blocks, err := Parse("Corefile", strings.NewReader(strings.ReplaceAll(corefile, "DIR", dir)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(blocks[2].File); name != "block.conf" || blocks[2].Line != 1 {
		t.Errorf("the block of block.conf stands in %s:%d", name, blocks[2].Line)
	}
	got := transcript(Check(blocks, buildOrder(t)))
	for want, times := range map[string]int{
		"plain.conf:4: \"forwrad\"": 1, "plain.conf:1: ": 1, "(in 3 blocks, of \".\", \"example.org\", \"example.net\")": 2,
		"hosts.conf:1: hosts has no fallthrough for names under \"lab.example.\"": 1, "hosts.conf:1: hosts has no fallthrough for names under \"lan.example.\"": 1,
	} {
		if n := strings.Count(got, want); n != times {
			t.Errorf("%d times %s, want %d:\n%s", n, want, times, got)
		}
	}
}
