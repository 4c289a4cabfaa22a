// Package deploy_test tests what is deployed beside the plugin: rules,
// dashboard, documents, builds, manifests and example Corefiles.
package deploy_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
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

func TestEveryAlertSaysWhatToDoAndWhereToRead(t *testing.T) {
	const book = "https://github.com/seed-1b7246af/coredns-ede/blob/main/docs/causes.md#"
	causes, runbook := read(t, "docs/causes.md"), read(t, "docs/runbook.md")
	for _, r := range rules(t) {
		ids := causesOf(t, r.Expr)
		if r.Alert == "" {
			continue
		}
		for _, key := range []string{"summary", "description", "runbook_url"} {
			if r.Annotations[key] == "" {
				t.Errorf("%s has no %s", r.Alert, key)
			}
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
			t.Errorf("%s has severity %q", r.Alert, s)
		}
		anchor, ok := strings.CutPrefix(r.Annotations["runbook_url"], book)
		if !ok {
			t.Errorf("the runbook of %s is not docs/causes.md: %s", r.Alert, r.Annotations["runbook_url"])
		}
		anchors := []string{anchor}
		if anchor == "{{ $labels.cause }}" {
			anchors = ids
		}
		if len(anchors) == 0 {
			t.Errorf("%s links a cause and selects none", r.Alert)
		}
		for _, a := range anchors {
			if !strings.Contains(causes, "\n### "+a+"\n") {
				t.Errorf("docs/causes.md has no %q, which %s links", a, r.Alert)
			}
		}
		if !strings.Contains(runbook, "\n## "+r.Alert+"\n") {
			t.Errorf("docs/runbook.md has no section %s", r.Alert)
		}
	}
}
