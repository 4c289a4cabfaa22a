package preflight

import (
	"fmt"
	"os"
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
