package instance

import (
	"bytes"
	golog "log"
	"os"
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

// TestAnIgnoredWarningIsNotLogged has a circle, which is known to the block all
// the same.
func TestAnIgnoredWarningIsNotLogged(t *testing.T) {
	var out bytes.Buffer
	golog.SetOutput(&out)
	defer golog.SetOutput(os.Stderr)
	const corefile = ".:1053 {\n ede {\n%s }\n forward . 127.0.0.1:1053\n}\n"
	if circles := warn(blocksOf(t, strings.Replace(corefile, "%s", "", 1))); !circles[0] || !strings.Contains(out.String(), "[forward-to-self]") {
		t.Errorf("circles %v, logged %q", circles, out.String())
	}
	out.Reset()
	if circles := warn(blocksOf(t, strings.Replace(corefile, "%s", " ignore never-asked forward-to-self\n", 1))); !circles[0] || out.Len() > 0 {
		t.Errorf("ignored: circles %v, logged %q", circles, out.String())
	}
}
