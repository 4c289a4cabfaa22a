package check

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/template"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight"
)

// examples are Corefiles with one mistake each, named after it.
//
//go:embed examples/*.corefile
var examples embed.FS

// precision is the table that the test of test/corefiles writes.
//
//go:embed precision.md
var precision string

// precisionOfMany is that of ten times as many Corefiles.
//
//go:embed precision-5000.md
var precisionOfMany string

// mistake is a check with a Corefile that it warns of.
type mistake struct {
	Code, Corefile string
	Warning        preflight.Warning
}

// Links are where the mistake was reported.
func (m mistake) Links() string {
	var links []string
	for _, r := range m.Warning.Reports {
		repository, number, _ := strings.Cut(r, "#")
		if repository == "coredns" {
			repository = "coredns/coredns"
		}
		links = append(links, fmt.Sprintf("[%s](https://github.com/%s/issues/%s)", r, repository, number))
	}
	return strings.Join(links, ", ")
}

// mistakes runs every check on its example.
func mistakes() ([]mistake, error) {
	var all []mistake
	for _, code := range Codes() {
		corefile, err := examples.ReadFile("examples/" + code + ".corefile")
		if err != nil {
			return nil, err
		}
		order := Directives()
		if code == "ede-too-low" {
			order = lowest(order)
		}
		blocks, err := preflight.Parse("Corefile", bytes.NewReader(corefile), nil)
		if err != nil {
			return nil, err
		}
		host := preflight.Host{ReadFile: os.ReadFile}
		warnings := append(host.Check(blocks, order), own(blocks, false)...)
		if len(warnings) != 1 || warnings[0].Code != code {
			return nil, fmt.Errorf("the example of %s gets %v", code, warnings)
		}
		all = append(all, mistake{code, shortened(corefile), warnings[0]})
	}
	return all, nil
}

// shortened is an example without the middle of a line that nobody reads.
func shortened(corefile []byte) string {
	const most = 200
	first, rest, _ := strings.Cut(string(corefile), "\n")
	if words := strings.Fields(first); len(first) > most {
		first = strings.Join(words[:3], " ") + " ... " + strings.Join(words[len(words)-2:], " ")
	}
	return first + "\n" + rest
}

// lowest is order with ede at its end: the order of a build that appends ede to
// plugin.cfg.
func lowest(order []string) []string {
	order = slices.DeleteFunc(slices.Clone(order), func(name string) bool { return name == "ede" })
	return append(order, "ede")
}

// Markdown writes docs/checks.md. A test compares the file with it.
func Markdown(w io.Writer) error {
	all, err := mistakes()
	if err != nil {
		return err
	}
	return page.Execute(w, struct {
		Mistakes                   []mistake
		Precision, PrecisionOfMany string
	}{all, precision, precisionOfMany})
}

var page = template.Must(template.New("checks").Parse(`# Mistakes that a Corefile reveals

` + "`go run ./cmd/ede check FILE...`" + ` reads Corefiles and prints the mistakes below; *ede* logs the same as warnings when it
is loaded. A FILE may be a Corefile, a Kubernetes manifest in YAML or JSON with a Corefile in it, or ` + "`-`" + ` for standard
input:

~~~ sh
kubectl get configmap coredns -n kube-system -o yaml | ede check -
~~~

The keys ` + "`Corefile`, `*.server` and `*.override`" + ` of a manifest are read; what an operator of k3s or AKS adds is judged within
the Corefile of the same file, or within the default one. A line is one of the file given. Where the Corefile is a string
between quotes, as in JSON, it is the Corefile's own, after the key and its line.

Nothing is started or asked. The exit status is 0 if there is no mistake, 1 if there are any, and 2 if a file cannot be read
(` + "`go run`" + ` makes 1 of it), so that it can stand in front of a deployment. ` + "`--json`" + ` prints one JSON object. ` + "`--ignore CODE`" + `
leaves a mistake out; ` + "`ede { ignore CODE... }`" + ` in a server block does the same at load. What is a choice and may be meant
is not warned of. A plugin that CoreDNS does not have is noted, and taken to answer whatever no other does. Whether a
directive has the arguments that it takes is not looked at, but for *ede* itself: CoreDNS says so when it loads the file,
with the line, and one that runs keeps the file that it has.

Addresses of this machine, files that *forward* names and the directory of *auto* are looked at only for a Corefile that is
given by its path. A directory without a zone says nothing.

This page is made by ` + "`go run ./cmd/ede check --markdown`" + `.

## How often a warning is right

` + "`go test ./test/corefiles`" + ` makes Corefiles by chance, of the plugins that answer and of those that change what they are
asked, runs each in CoreDNS, and asks for names and types in every zone. A warning is borne out if an answer shows what it
says. What happened counts once a block or plugin, and as foretold only if warnings cover all of it. What no answer shows, such
as a circle, has tests of its own and is not counted. What a view lets in is known only if its expression looks at nothing but
the type, and what other plugins hide of the data of a backend is not known: both count as missed. *etcd*, *secondary* and
*kubernetes* get their data from stand-ins.

{{.Precision}}
With ` + "`-corefiles 5000`" + `, which takes half an hour on a busy machine:

{{.PrecisionOfMany}}
{{range .Mistakes}}
## {{.Code}}

~~~ txt
{{.Corefile}}~~~

> {{.Warning.Text}}

**What to do:** {{.Warning.Fix}}.
{{with .Links}}
Reported in {{.}}.
{{end}}{{end}}`))
