// Package deploy_test tests what is deployed along with the plugin: rules,
// dashboard, documents, builds, manifests and example Corefiles.
package deploy_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

type ruleFile struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func rules(t *testing.T) []rule {
	t.Helper()
	var f ruleFile
	if err := yaml.UnmarshalStrict([]byte(read(t, "deploy/prometheus/rules.yaml")), &f); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func TestPrometheusRulesPassTheirOwnTests(t *testing.T) {
	promtool := program(t, "promtool")
	c := exec.Command(promtool, "test", "rules", "rules_test.yaml")
	c.Dir = filepath.Join("..", "..", "deploy", "prometheus")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
}

func TestEveryAlertHasATest(t *testing.T) {
	tests := read(t, "deploy/prometheus/rules_test.yaml")
	for _, r := range rules(t) {
		if r.Alert != "" && !regexp.MustCompile(`alertname: `+r.Alert+`\n.*\n +exp_alerts:\n`).MatchString(tests) {
			t.Errorf("no test of rules_test.yaml makes %s fire", r.Alert)
		}
	}
}

// causesOf are the causes that an expression selects by name.
func causesOf(t *testing.T, expr string) []string {
	t.Helper()
	var ids []string
	for _, m := range regexp.MustCompile(`cause=~?"([^"]*)"`).FindAllStringSubmatch(expr, -1) {
		for _, pattern := range strings.Split(m[1], "|") {
			found := false
			for _, c := range cause.All() {
				if regexp.MustCompile("^(" + pattern + ")$").MatchString(c.ID) {
					ids, found = append(ids, c.ID), true
				}
			}
			if !found {
				t.Errorf("the catalog has no cause %q, in %s", pattern, expr)
			}
		}
	}
	return ids
}

// sections are the sections of docs/runbook.md by their anchors.
func sections(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, section := range strings.Split(read(t, "docs/runbook.md"), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		all[strings.ToLower(title)] = text
	}
	return all
}

func TestEveryAlertSaysWhatToDoAndLeadsToItsOwnSection(t *testing.T) {
	const book = "https://github.com/seed-1b7246af/coredns-ede/blob/main/docs/runbook.md#"
	runbook := sections(t)
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		for _, key := range []string{"summary", "description"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
			t.Errorf("%s has severity %q", r.Alert, s)
		}
		if url, want := r.Annotations["runbook_url"], book+strings.ToLower(r.Alert); url != want {
			t.Errorf("the runbook of %s is %s, want %s", r.Alert, url, want)
		}
		if runbook[strings.ToLower(r.Alert)] == "" {
			t.Errorf("docs/runbook.md has no section %s", r.Alert)
		}
	}
	for anchor := range runbook {
		if strings.HasPrefix(anchor, "ede") && !slices.ContainsFunc(rules(t), func(r rule) bool { return strings.ToLower(r.Alert) == anchor }) {
			t.Errorf("docs/runbook.md has a section %s, which no alert leads to", anchor)
		}
	}
}

var (
	shownCause = regexp.MustCompile(`\bcause=(\w+) ede=([\d,]+)`)
	infoCodes  = regexp.MustCompile(`info_code=~"([^"]*)"`)
)

// TestEverySectionOfTheRunbookShowsACauseThatItIsAbout compares the log lines of a
// section with what its alert selects: causes, or codes.
func TestEverySectionOfTheRunbookShowsACauseThatItIsAbout(t *testing.T) {
	runbook, compared := sections(t), 0
	for _, r := range rules(t) {
		ids, codes := causesOf(t, r.Expr), infoCodes.FindStringSubmatch(r.Expr)
		if r.Alert == "EdeUnexplainedFailures" {
			ids = []string{"unknown", "cached_failure"}
		}
		if r.Alert == "" || len(ids) == 0 && codes == nil {
			continue
		}
		compared++
		fits := false
		for _, m := range shownCause.FindAllStringSubmatch(strings.ReplaceAll(runbook[strings.ToLower(r.Alert)], "\n  ", " "), -1) {
			fits = fits || slices.Contains(ids, m[1]) ||
				codes != nil && slices.Contains(strings.Split(codes[1], "|"), strings.Split(m[2], ",")[0])
		}
		if !fits {
			t.Errorf("the section %s of docs/runbook.md shows none of %q %v", r.Alert, ids, codes)
		}
	}
	if compared < 10 {
		t.Errorf("%d sections are compared", compared)
	}
}

// TestTheRulesKnowWhichRefusalsAreOnPurpose compares them with the catalog.
func TestTheRulesKnowWhichRefusalsAreOnPurpose(t *testing.T) {
	var policy []string
	for _, c := range cause.All() {
		if c.Policy {
			policy = append(policy, c.ID)
		}
	}
	slices.Sort(policy)
	policy = slices.Compact(policy)
	named := regexp.MustCompile(`cause(?:!~|=~)"([^"]*acl_block[^"]*)"`)
	found := 0
	for _, r := range rules(t) {
		for _, m := range named.FindAllStringSubmatch(r.Expr, -1) {
			found++
			got := strings.Split(m[1], "|")
			slices.Sort(got)
			if !slices.Equal(got, policy) {
				t.Errorf("%s%s has %q, the catalog %q", r.Record, r.Alert, got, policy)
			}
		}
	}
	if found < 6 {
		t.Errorf("%d lists are found", found)
	}
}

// TestTheNumbersOfTheAlertsAreExplained compares the rules with docs/operating.md.
func TestTheNumbersOfTheAlertsAreExplained(t *testing.T) {
	operating, numbers := read(t, "docs/operating.md"), 0
	for _, r := range rules(t) {
		value, ok := strings.CutPrefix(r.Expr, "vector(")
		if !ok {
			continue
		}
		numbers++
		if row := "| `" + r.Record + "` | " + strings.TrimSuffix(value, ")") + " |"; !strings.Contains(operating, row) {
			t.Errorf("docs/operating.md has no row %s", row)
		}
	}
	if numbers < 7 {
		t.Errorf("%d numbers are found", numbers)
	}
}
