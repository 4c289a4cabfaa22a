package preflight

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/directive"
)

// orderWith returns CoreDNS's order of plugins with more inserted before one.
func orderWith(t testing.TB, before string, more ...string) []string {
	t.Helper()
	i := slices.Index(dnsserver.Directives, before)
	if i < 0 {
		t.Fatalf("CoreDNS has no plugin %q", before)
	}
	return slices.Insert(slices.Clone(dnsserver.Directives), i, more...)
}

// buildOrder is that of the custom build: ede right after dnstap.
func buildOrder(t testing.TB) []string {
	t.Helper()
	i := slices.Index(dnsserver.Directives, "dnstap")
	return orderWith(t, dnsserver.Directives[i+1], "ede")
}

func TestAboveEDEIsWhatCoreDNSHasUpToDnstap(t *testing.T) {
	i := slices.Index(dnsserver.Directives, "dnstap")
	for _, name := range dnsserver.Directives[:i+1] {
		if !slices.Contains(directive.AboveEDE, name) {
			t.Errorf("%s is above dnstap in CoreDNS, but not in AboveEDE", name)
		}
	}
}

// Below rewrite ede sees names that no client asked the block for.
func TestAnEDEBelowARewriteMayBeForZonesOutsideOfTheBlock(t *testing.T) {
	const corefile = "example.org {\n rewrite name suffix example.org example.net answer auto\n ede example.net\n forward . 192.0.2.53\n}\n" +
		". {\n forward . 192.0.2.53\n}\n"
	if got := codesOf(t, corefile, buildOrder(t)); got != "ede-outside-of-the-block" {
		t.Errorf("right after dnstap: %q", got)
	}
	if got := codesOf(t, corefile, orderWith(t, "forward", "ede")); got != "ede-too-low" {
		t.Errorf("below rewrite: %q", got)
	}
}

func parseText(t testing.TB, text string, order []string) []Block {
	t.Helper()
	blocks, err := Parse("Corefile", strings.NewReader(text), order)
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// The line of a missing brace is that of what is not closed, as a person looks for it.
func TestABraceIsToldAtTheLineOfItsBlock(t *testing.T) {
	const rest = "    kubernetes cluster.local {\n        pods insecure\n    }\n    forward . 192.0.2.53\n"
	for _, c := range []struct{ corefile, line, text, fix string }{
		{".:53 {\n    health {\n        lameduck 5s\n    ready\n" + rest + "}\n", "Corefile:2: ", `of health are not closed: CoreDNS reads "ready" in line 4`, "above line 4"},
		{".:53 {\n    errors\n    forward . 192.0.2.53 {\n        max_fails 0\n    cache 30\n    loop\n    loadbalance\n}\n", "Corefile:3: ", `"cache" in line 5`, "above line 5"},
		{"example.org {\n    whoami\n\n. {\n    forward . 192.0.2.53\n}\n", "Corefile:1: ", `block of "example.org" is not closed: "." in line 4`, "above line 4"},
		{". {\n    forward . 192.0.2.53\n        max_fails 0\n    }\n    cache\n}\n", "Corefile:2: ", "forward has no `{`: \"max_fails\" in line 3", "end of this line"},
		{". {\n    hosts {\n    }\n    }\n    forward . 192.0.2.53\n}\n", "Corefile:4: ", "this `}` closes its block too early: CoreDNS reads line 5", "remove it"},
		{". {\n    forward . 192.0.2.53\n}\n}\n", "Corefile:4: ", "this `}` closes nothing", "remove it"},
	} {
		got := Check(parseText(t, c.corefile, nil), buildOrder(t))
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), c.line) || !strings.Contains(got[0].Text, c.text) || !strings.Contains(got[0].Fix, c.fix) {
			t.Errorf("%swant %s...%s...%s, got:\n%s", c.corefile, c.line, c.text, c.fix, transcript(got))
		}
	}
}

// CoreDNS gives no answer for a line of hosts in the other order: the test asks it.
func TestALineOfHostsInTheOtherOrderIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("# b.example.org 192.0.2.2\nb.example.org 192.0.2.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const corefile = ".:0 {\n bind 127.0.0.1\n hosts FILE {\n a.example.org 192.0.2.1\n fallthrough\n }\n template ANY A {\n match ^never[.]$\n rcode NXDOMAIN\n fallthrough\n }\n forward . UP\n}\n"
	text := strings.NewReplacer("FILE", file, "UP", upstream(t)).Replace(corefile)
	for _, name := range []string{"a.example.org.", "b.example.org."} {
		if r := answerOf(t, text, name); len(r.Answer) > 0 {
			t.Errorf("%s: CoreDNS answers %v", name, r.Answer)
		}
	}
	got := transcript(Host{ReadFile: os.ReadFile}.Check(parseText(t, text, nil), buildOrder(t)))
	for _, want := range []string{"Corefile:4: hosts passes over the line \"a.example.org 192.0.2.1\"", "`192.0.2.1 a.example.org`", "hosts:2: hosts passes over", "`192.0.2.2 b.example.org`"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "[hosts-entry-unused]"); n != 2 {
		t.Errorf("%d warnings, want 2:\n%s", n, got)
	}
}
