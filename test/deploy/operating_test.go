package deploy_test

import (
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
