package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

func TestTheJqLinesOfTheDocumentsWork(t *testing.T) {
	program(t, "jq")
	m := move(t, ".:53 {\n    ede\n    forward . 192.0.2.53\n}\n", nobody)
	said := coredns(t, m.text, "-log-format", "json")
	eventually(t, "CoreDNS logs a failure", said.String, func() bool {
		server.Exchange(m.dns, "udp", server.Message("www.example.org.", dns.TypeA), server.QueryTimeout)
		return strings.Contains(said.String(), `"cause":"upstream_unreachable"`)
	})
	// What is printed before the first line of the log is no JSON.
	var lines []string
	for line := range strings.Lines(said.String()) {
		if strings.HasPrefix(line, "{") && strings.HasSuffix(line, "\n") {
			lines = append(lines, line)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ede.log"), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(read(t, "docs/operating.md")) {
		if !strings.HasPrefix(line, "jq ") {
			continue
		}
		tried++
		c := exec.Command("sh", "-c", line)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil || len(strings.TrimSpace(string(out))) == 0 || strings.Contains(string(out), "jq: error") {
			t.Errorf("%s: %v, %q", strings.TrimSpace(line), err, out)
		}
	}
	if tried == 0 {
		t.Error("docs/operating.md has no jq line")
	}
}

// TestTheJqLineForAllFailuresCountsSummaries compares it with what was asked.
func TestTheJqLineForAllFailuresCountsSummaries(t *testing.T) {
	program(t, "jq")
	m := move(t, ".:53 {\n    ede {\n        log summary 1s\n    }\n    forward . 192.0.2.53\n}\n", nobody)
	it := corednsProcess(t, m.text, "-log-format", "json")
	asked := 0
	eventually(t, "CoreDNS logs a summary", it.said.String, func() bool {
		if _, err := server.Exchange(m.dns, "udp", server.Message("www.example.org.", dns.TypeA), server.QueryTimeout); err == nil {
			asked++
		}
		return strings.Contains(it.said.String(), `"msg":"summary"`)
	})
	it.stop(t)
	dir := t.TempDir()
	var lines strings.Builder
	for line := range strings.Lines(it.said.String()) {
		if strings.HasPrefix(line, "{") {
			lines.WriteString(line)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "ede.log"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(read(t, "docs/operating.md")) {
		if !strings.HasPrefix(line, "jq -rn ") {
			continue
		}
		c := exec.Command("sh", "-c", line)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if want := fmt.Sprintf("%d upstream_unreachable\n", asked); err != nil || string(out) != want {
			t.Errorf("%s: %v, %q, want %q", strings.TrimSpace(line), err, out, want)
		}
		return
	}
	t.Error("docs/operating.md has no jq line that counts summaries")
}
