package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// everyKind is a log with a line of every kind: one failure of an upstream, one of a
// reason that an upstream gave, which has its rcode on all its lines, and two in summaries.
const everyKind = `{"msg":"failure","plugin":"ede","rcode":"SERVFAIL","cause":"upstream_unreachable","owner":"upstream","upstream":"192.0.2.53:53","qname":"www.example.org."}
{"msg":"failure","plugin":"ede","rcode":"SERVFAIL","cause":"upstream_ede","ede":[7],"owner":"unknown","upstream":"192.0.2.54:53","qname":"www.example.net."}
{"msg":"summary","plugin":"ede","rcode":"SERVFAIL","cause":"upstream_ede","ede":[7],"upstream":"192.0.2.54:53","count":2,"names":1,"window_seconds":10}
{"msg":"summary","plugin":"ede","sent":"dropped","at":"rrl","count":40,"window_seconds":10}
{"msg":"recovered","plugin":"ede","rcode":"SERVFAIL","cause":"upstream_ede","ede":[7],"upstream":"192.0.2.54:53","after_seconds":31,"count":3}
{"msg":"recovered","plugin":"ede","cause":"upstream_unreachable","upstream":"192.0.2.53:53","after_seconds":31,"count":1}
{"msg":"diagnosis","plugin":"ede","cause":"dnssec_signature_expired","ede":[7],"owner":"zone","qname":"www.example.net.","queries":9}
{"msg":"reason","plugin":"ede","cause":"upstream_ede","ede":[7],"owner":"unknown","upstream":"192.0.2.54:53","qname":"www.example.net.","queries":1}
{"msg":"answer","plugin":"ede","ede":[17],"qname":"ads.example.org."}
{"msg":"a line of CoreDNS itself"}
`

// Every failure is counted once, whatever other lines say of it.
func TestTheJqLinesCountEachFailureOnce(t *testing.T) {
	program(t, "jq")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ede.log"), []byte(everyKind), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 upstream_ede, 1 upstream_unreachable",
		"1 192.0.2.53:53 upstream_unreachable, 1 192.0.2.54:53 upstream_ede",
		"www.example.org.",
		"1 unknown, 1 upstream",
		"1 upstream_unreachable, 3 upstream_ede",
	}
	var got []string
	for line := range strings.Lines(read(t, "docs/operating.md")) {
		if !strings.HasPrefix(line, "jq ") {
			continue
		}
		c := exec.Command("sh", "-c", line)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v, %s", strings.TrimSpace(line), err, out)
		}
		var counts []string
		for count := range strings.Lines(string(out)) {
			counts = append(counts, strings.Join(strings.Fields(count), " "))
		}
		slices.Sort(counts)
		got = append(got, strings.Join(counts, ", "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the jq lines of docs/operating.md print\n%q, want\n%q", got, want)
	}
}
