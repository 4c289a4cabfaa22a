package cause

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// elsewhere are the lines of CoreDNS that name SERVFAIL or REFUSED and leave no
// evidence of their own, and why.
var elsewhere = map[string]string{
	"core/dnsserver/server.go:333": "before any plugin: no question",
	"core/dnsserver/server.go:348": "the server core answers a panic; see dns64.go:45",
	"core/dnsserver/server.go:354": "before any plugin: the class",
	"core/dnsserver/server.go:377": "before any plugin: a block without one",
	"core/dnsserver/server.go:459": "before any plugin: no block or no view",

	"plugin/plugin.go:28":               "comment",
	"plugin/plugin.go:141":              "ClientWrite",
	"plugin/plugin.go:143":              "ClientWrite",
	"plugin/cache/cache.go:490":         "what cache/handler.go:56 stores",
	"plugin/cache/handler.go:272":       "looks at a cached message",
	"plugin/file/lookup.go:485":         "looks at the answer of a lookup; see file.go:133",
	"plugin/pkg/response/typify.go:115": "sorts messages",
	"plugin/test/helpers.go:330":        "for tests",
	"plugin/test/helpers.go:332":        "for tests",
	"plugin/transfer/notify.go:54":      "a NOTIFY that CoreDNS sends",
	"plugin/kubernetes/external.go:46":  "k8s_external turns it into another rcode",

	// An answer has been written when these return: there is none to explain.
	"plugin/cache/handler.go:223":     "the client is gone",
	"plugin/dynupdate/update.go:396":  "the client is gone",
	"plugin/nomad/nomad.go:153":       "the client is gone",
	"plugin/tls/acme.go:226":          "the client is gone",
	"plugin/transfer/transfer.go:150": "the transfer is cut off",
	"plugin/transfer/transfer.go:168": "the transfer is cut off",
	"plugin/transfer/transfer.go:185": "the transfer is cut off",
	"plugin/transfer/transfer.go:193": "the transfer is cut off",
}

// A new version of CoreDNS has to be gone through again.
func TestEveryLineOfCoreDNSThatFailsAQueryIsKnown(t *testing.T) {
	lines := failingLines(t)
	if len(lines) < 50 {
		t.Fatalf("%d lines are found", len(lines))
	}
	known := make(map[string]bool)
	for _, s := range sites {
		first, _, _ := strings.Cut(s.where, ",")
		places := strings.Fields(first)
		file, _, _ := strings.Cut(places[0], ":")
		known[places[0]] = true
		for _, number := range places[1:] {
			known[file+":"+number] = true
		}
	}
	for line, code := range lines {
		short := line
		for !known[short] && strings.Contains(short, "/") {
			_, short, _ = strings.Cut(short, "/")
		}
		switch {
		case known[short] && elsewhere[line] != "":
			t.Errorf("%s has evidence and is left out", line)
		case !known[short] && elsewhere[line] == "":
			t.Errorf("%s is new: %s", line, code)
		}
	}
	for line := range elsewhere {
		if lines[line] == "" {
			t.Errorf("%s is gone", line)
		}
	}
}

// failingLines finds the lines in the source of CoreDNS, by "plugin/acl/acl.go:80".
func failingLines(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	failing := regexp.MustCompile(`RcodeServerFailure|RcodeRefused`)
	lines := make(map[string]string)
	for _, dir := range []string{"plugin", "core", "request"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			relative, err := filepath.Rel(root, path)
			s := bufio.NewScanner(f)
			for n := 1; s.Scan(); n++ {
				if failing.MatchString(s.Text()) {
					lines[fmt.Sprintf("%s:%d", filepath.ToSlash(relative), n)] = strings.TrimSpace(s.Text())
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return lines
}
