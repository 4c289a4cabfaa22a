package preflight

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mistaken are the examples in CoreDNS's documentation that do contain the
// mistake, mostly because they show one plugin and leave out the rest.
var mistaken = map[string]string{
	"nomad plugin-twice":                    "CoreDNS does not start with two of cache",
	"auto dead-end":                         "in \".\", only example.org is answered: the rest gets SERVFAIL",
	"k8s_external dead-end":                 "in \".\", only cluster.local and example.org are answered: the rest gets SERVFAIL",
	"kubernetes autopath-without-forward":   "the Corefile of coredns#2552: names outside of cluster.local get SERVFAIL",
	"hosts dead-end":                        "in \".\", hosts has two zones: the rest gets SERVFAIL",
	"hosts fallthrough-to-nowhere":          "in \".\", hosts has two zones and passes on to nobody",
	"hosts hosts-alone":                     "whatever the file lacks gets SERVFAIL",
	"view hosts-alone":                      "whatever is not \"test\" gets SERVFAIL",
	"forward except-to-nowhere":             "names under example.org get SERVFAIL",
	"grpc except-to-nowhere":                "names under example.org get SERVFAIL",
	"grpc never-asked":                      "forward stands above grpc in the chain, whatever the order in the file",
	"minimal never-asked":                   "forward answers all names, whoami none",
	"template template-without-fallthrough": "names under foogle.com but itself get SERVFAIL",
	"loop forward-to-self":                  "shows what loop finds",
}

// corednsDir returns the source of CoreDNS that this module is built with.
func corednsDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("source of CoreDNS not found: %v", err)
	}
	return dir
}

// An example is a piece of documentation that may be a Corefile.
type example struct{ plugin, text string }

var fence = regexp.MustCompile("(?ms)^ *(?:~~~|```)[^\n]*\n(.*?)^ *(?:~~~|```)")

func readmeExamples(t *testing.T, dir string) []example {
	t.Helper()
	var all []example
	paths, _ := filepath.Glob(filepath.Join(dir, "plugin", "*", "README.md"))
	for _, path := range paths {
		for _, m := range fence.FindAllStringSubmatch(readText(t, path), -1) {
			all = append(all, example{filepath.Base(filepath.Dir(path)), m[1]})
		}
	}
	return all
}

var (
	listing = regexp.MustCompile(`(?ms)^\.nf\n(.*?)^\.fi`)
	unroff  = strings.NewReplacer(`\-`, `-`, `\(aq`, `'`, `\&`, ``, `\\`, `\`, `\(dq`, `"`)
)

// opening is the first line of a server block; what has none shows a directive.
var opening = regexp.MustCompile(`(?m)^[^ \t\[]*[.][^ ]*( [^ ]+)* +\{$`)

func manExamples(t *testing.T, dir string) []example {
	t.Helper()
	var all []example
	paths, _ := filepath.Glob(filepath.Join(dir, "man", "*"))
	for _, path := range paths {
		name := strings.TrimPrefix(filepath.Base(path), "coredns-")
		name = strings.TrimSuffix(name, filepath.Ext(name))
		for _, m := range listing.FindAllStringSubmatch(readText(t, path), -1) {
			all = append(all, example{name, unroff.Replace(m[1])})
		}
	}
	return all
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExamplesOfCoreDNSGetNoFalseAlarm(t *testing.T) {
	dir, order := corednsDir(t), buildOrder(t)
	sources := map[string][]example{"README": readmeExamples(t, dir), "man": manExamples(t, dir)}
	met := make(map[string]bool)
	for source, examples := range sources {
		parsed := 0
		for _, e := range examples {
			blocks, err := Parse(filepath.Join(dir, "Corefile"), strings.NewReader(e.text), order)
			if err != nil || !opening.MatchString(e.text) {
				continue // a fragment, or no Corefile
			}
			parsed++
			for _, w := range Check(blocks, order) {
				if strings.Contains(w.Text, "answers anything") || w.Code == "unknown-directive" || w.Code == "removed-option" {
					continue // the example shows one plugin, or the syntax
				}
				key := e.plugin + " " + w.Code
				met[key] = true
				if _, ok := mistaken[key]; !ok {
					t.Errorf("%s of %s: %s: %s in\n%s", source, e.plugin, w.Code, w.Text, e.text)
				}
			}
		}
		t.Logf("%s: %d of %d examples are Corefiles", source, parsed, len(examples))
		if parsed < 80 {
			t.Errorf("%s: only %d Corefiles found", source, parsed)
		}
	}
	for key, reason := range mistaken {
		if !met[key] {
			t.Errorf("%s: listed as mistaken (%s), but not found", key, reason)
		}
	}
}
