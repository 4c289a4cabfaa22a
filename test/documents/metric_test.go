package documents_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	definedMetric = regexp.MustCompile(`(?s)Subsystem: subsystem, Name: "(\w+)",.*?\}(?:, \[\]string\{([^}]*)\})?\)`)
	listedMetric  = regexp.MustCompile("(?m)^\\* `coredns_ede_(\\w+)\\{([^}]*)\\}`")
	usedMetric    = regexp.MustCompile(`coredns_ede_(\w+)`)
)

// definedMetrics are the names and labels in the source.
func definedMetrics(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "plugin/*/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	defined := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range definedMetric.FindAllStringSubmatch(string(text), -1) {
			defined[m[1]] = strings.ReplaceAll(m[2], `"`, "")
		}
	}
	return defined
}

func TestThePageOfMetricsListsEachWithItsLabels(t *testing.T) {
	defined, listed := definedMetrics(t), make(map[string]bool)
	page, err := os.ReadFile(filepath.Join(root, "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range listedMetric.FindAllStringSubmatch(string(page), -1) {
		listed[m[1]] = true
		if labels, ok := defined[m[1]]; !ok || labels != m[2] {
			t.Errorf("docs/metrics.md has coredns_ede_%s{%s}, the source {%s}", m[1], m[2], labels)
		}
	}
	for name := range defined {
		if !listed[name] {
			t.Errorf("docs/metrics.md does not list coredns_ede_%s", name)
		}
	}
}

func TestNoDocumentNamesAMetricThatDoesNotExist(t *testing.T) {
	defined := definedMetrics(t)
	for _, d := range documents(t) {
		for _, m := range usedMetric.FindAllStringSubmatch(d.text, -1) {
			name := m[1]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base, ok := strings.CutSuffix(name, suffix); ok && strings.HasSuffix(base, "_seconds") {
					name = base
				}
			}
			if _, ok := defined[name]; !ok {
				t.Errorf("%s: there is no metric coredns_ede_%s", d.path, name)
			}
		}
	}
}
