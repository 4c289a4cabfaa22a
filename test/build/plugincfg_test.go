package build_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
)

const own = "ede:github.com/seed-1b7246af/coredns-ede"

// insert runs plugin-cfg.sh on a file of these lines.
func insert(t *testing.T, lines []string) (after []string, said string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugin.cfg")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program(t, "sh"), absolute(t, "deploy/plugin-cfg.sh"), path).CombinedOutput()
	b, readErr := os.ReadFile(path)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"), strings.TrimSpace(string(out)), err
}

// entries makes lines of plugin.cfg out of names.
func entries(names string) []string {
	var lines []string
	for _, n := range strings.Fields(names) {
		lines = append(lines, n+":"+n)
	}
	return lines
}

func TestEdeStandsBelowWhatReportsAndAboveWhatAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		// after is the plugin that ede follows, said what the script reports.
		after, said string
	}{
		{"CoreDNS's own order", entries(strings.Join(dnsserver.Directives, " ")), "dnstap", "ede after dnstap"},
		{
			"OpenShift's, with a plugin of its own and acl in another place",
			entries("metadata cancel tls reload bind debug ready health prometheus errors log dnstap local dns64 acl any chaos " +
				"loadbalance tsig ocp_dnsnameresolver cache rewrite header dnssec autopath template hosts kubernetes file forward"),
			"dnstap", "ede after dnstap",
		},
		{
			"the plugins of NodeLocal DNSCache, which have no dnstap",
			entries("timeouts reload bufsize bind debug trace health pprof prometheus errors log dns64 loadbalance cache rewrite " +
				"template hosts loop forward whoami"),
			"log", "ede after log",
		},
		{"errors alone", entries("bind errors cache forward"), "errors", "ede after errors"},
		{"metrics alone", entries("bind prometheus forward"), "prometheus", "ede after prometheus"},
		{"another order of those that report", entries("dnstap log errors prometheus cache forward"), "prometheus", "ede after prometheus"},
		{
			"dnstap below cache", entries("errors log cache dnstap forward"), "log",
			"ede after log; below cache, so without what ede attaches: dnstap",
		},
		{"comments, blank lines and blanks", []string{"# errors:errors", "", "# dnstap:dnstap", " log : log ", "cache:cache"}, " log ", "ede after log"},
		{"a line end of another system", []string{"errors:errors\r", "cache:cache\r"}, "errors", "ede after errors"},
		{"there already", append([]string{"ede:example.org/fork"}, append(entries("errors cache"), own)...), "errors", "ede after errors"},
		{"a plugin whose name begins alike", append([]string{"edexml:edexml"}, entries("errors cache")...), "errors", "ede after errors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, said, err := insert(t, c.lines)
			if err != nil || said != c.said {
				t.Fatalf("error %v, output %q, want %q", err, said, c.said)
			}
			place := slices.Index(got, own)
			if place < 1 || !strings.HasPrefix(got[place-1], c.after+":") {
				t.Errorf("ede is not right after %s:\n%s", c.after, strings.Join(got, "\n"))
			}
			rest := slices.Delete(slices.Clone(got), max(place, 0), place+1)
			without := slices.DeleteFunc(slices.Clone(c.lines), func(l string) bool { return strings.HasPrefix(l, "ede:") })
			if !slices.Equal(rest, without) {
				t.Errorf("other lines have changed:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

func TestAFileWithoutAPlaceForEdeIsRefusedAndKept(t *testing.T) {
	for name, c := range map[string]struct{ names, reason string }{
		"all that report stand below one that answers": {"cache log errors forward", "cache, which answers, stands above log errors"},
		"none reports": {"bind cache forward", "it has none of them"},
		"empty":        {"", "it has none of them"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := entries(c.names)
			got, said, err := insert(t, lines)
			if err == nil || !strings.Contains(said, c.reason) {
				t.Errorf("error %v, output %q, want %q", err, said, c.reason)
			}
			if strings.Join(got, "\n") != strings.Join(lines, "\n") {
				t.Errorf("the file has changed: %q", got)
			}
		})
	}
}
