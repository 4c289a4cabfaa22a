package report

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testNow = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)

// testKnowledge stands for the catalog.
var testKnowledge = Knowledge{
	Advice: func(cause string, _ uint16, _ string) (string, string) {
		switch cause {
		case "upstream_timeout":
			return "The upstream did not reply in time", "Try a different resolver to tell whether the resolver or the zone is at fault, then look whether the upstream is up and reachable."
		case "acl_block":
			return "The access list blocks the client", "If the client should be served, change the acl."
		}
		return "", ""
	},
	Code: func(code uint16) string {
		return map[uint16]string{14: "Not Ready", 15: "Blocked", 23: "Network Error"}[code]
	},
	Facts: func(cause string) (string, string) {
		if cause == "only_in_summaries" {
			return "network", "transient"
		}
		return "", ""
	},
}

func testConfig(out io.Writer) Config {
	return Config{
		Out: out, Style: figures.Style{Width: 90, Location: time.UTC, Names: 3}, Knowledge: testKnowledge,
		Now: func() time.Time { return testNow },
	}
}

func TestReportsOfEachSourceMatchTheirGoldens(t *testing.T) {
	tests := []struct {
		log, golden string
		change      func(*Config)
	}{
		{"plain.log", "plain.txt", nil},
		{"kubectl.log", "kubectl.txt", nil},
		{"journald.log", "journald.txt", nil},
		{"docker.log", "docker.txt", nil},
		{"json.log", "json.txt", nil},
		{"mixed.log", "mixed.txt", nil},
		{"mixed.log", "mixed-colour.txt", func(c *Config) { c.Style.Colour = true }},
		{"mixed.log", "mixed.json", func(c *Config) { c.Format = JSON }},
		{"mixed.log", "mixed.csv", func(c *Config) { c.Format = CSV }},
	}
	for _, tc := range tests {
		t.Run(tc.golden, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata", tc.log))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var got bytes.Buffer
			c := testConfig(&got)
			c.Stdin = f // a file's time of last change depends on the checkout
			if tc.change != nil {
				tc.change(&c)
			}
			if err := Run(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", tc.golden)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
			}
			if strings.ContainsAny(got.String(), "\x1b") != (tc.golden == "mixed-colour.txt") || strings.Contains(got.String(), "\u202e") {
				t.Error("the log's own control characters came through")
			}
		})
	}
}

func TestGzipIsReadByItsContentWhateverTheName(t *testing.T) {
	plain, err := os.ReadFile("testdata/kubectl.log")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	for _, part := range [][]byte{plain[:500], plain[500:]} { // two members, as logrotate's appending makes
		z := gzip.NewWriter(&packed)
		z.Write(part)
		z.Close()
	}
	path := filepath.Join(t.TempDir(), "coredns.log.1")
	for name, tc := range map[string]struct {
		content  []byte
		failures string
		fails    bool
	}{
		"whole":                 {packed.Bytes(), "384 failures", false},
		"cut off":               {packed.Bytes()[:packed.Len()-20], " failure", true},
		"cut off in its header": {packed.Bytes()[:5], "", true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			c := testConfig(&got)
			c.Files = []string{path}
			if err := Run(t.Context(), c); (err != nil) != tc.fails {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(got.String(), tc.failures) || tc.failures == "" && got.Len() > 0 {
				t.Errorf("no %q in:\n%s", tc.failures, got.String())
			}
		})
	}
}

func TestAFileThatCannotBeReadIsToldAfterTheOthersReport(t *testing.T) {
	var got bytes.Buffer
	c := testConfig(&got)
	c.Files = []string{"testdata/missing.log", "testdata/kubectl.log", "testdata"}
	err := Run(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "missing.log") || !strings.Contains(err.Error(), "directory") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(got.String(), "384 failures") || !strings.HasPrefix(got.String(), "NOT THE WHOLE") || !strings.Contains(got.String(), "missing.log: no such file") {
		t.Errorf("report:\n%s", got.String())
	}
}
