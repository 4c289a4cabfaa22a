package causes

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

func TestTheDocumentIsWhatTheCatalogSays(t *testing.T) {
	var want bytes.Buffer
	if err := Markdown(&want); err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../../docs/causes.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("docs/causes.md is stale: run go run ./cmd/ede causes --markdown > docs/causes.md")
	}
}

func TestEveryExampleIsOfItsCause(t *testing.T) {
	entries, err := examples.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		id := strings.TrimSuffix(e.Name(), ".txt")
		if cause.ByID(id) == nil {
			t.Errorf("%s is an example of no cause", e.Name())
		}
		text := example(id)
		if !strings.Contains(text, " cause="+id+" ") || !strings.HasPrefix(text, ".:1053 {\n    ede") || strings.Contains(text, "\n$ ") == strings.Contains(text, "\n# ") {
			t.Errorf("%s is not a server block, a command or why there is none, and a log line of %s:\n%s", e.Name(), id, text)
		}
	}
}

func TestEveryCauseHasAnExample(t *testing.T) {
	for _, c := range cause.All() {
		if example(c.ID) == "" {
			t.Errorf("%s has none", c.ID)
		}
	}
}

func TestOneCauseIsPrintedWhole(t *testing.T) {
	c := Command()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs([]string{"upstream_timeout"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"23 Network Error", "What to do: ", "transient", "$ dig "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestAnUnknownCauseIsRefused(t *testing.T) {
	c := Command()
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs([]string{"no_such_cause"})
	if err := c.Execute(); err == nil || !strings.Contains(err.Error(), "unknown cause") {
		t.Errorf("got %v", err)
	}
}

func TestACodeOfDigLeadsToItsCauses(t *testing.T) {
	for code, want := range map[string]string{
		"24":    "24 Invalid Data\n  zone_expired ",
		"7":     "7 Signature Expired\n  dnssec_signature_expired ",
		"3":     "3 Stale Answer\n\nA text",
		"49152": "49152 Private Use\n\nA text",
	} {
		var got bytes.Buffer
		if err := one(&got, code); err != nil || !strings.HasPrefix(got.String(), want) || !strings.Contains(got.String(), "upstream_ede") {
			t.Errorf("%s: %v\n%s", code, err, got.String())
		}
	}
}

func TestAnUnknownCauseHasThoseNearIt(t *testing.T) {
	for id, want := range map[string]string{
		"upstream_timout": "near it are upstream_timeout, ",
		"Timeout":         "near it are upstream_timeout",
		"dnssec_expired":  "near it are dnssec_expired_before_valid, dnssec_signature_expired, ",
		"65536":           "`ede causes` lists them",
		"nosuch":          "`ede causes` lists them",
	} {
		if err := one(&bytes.Buffer{}, id); err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), ",") >= maxNear {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
}
