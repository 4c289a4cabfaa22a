package check

import (
	"bytes"
	"embed"
	"fmt"
	"io"
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
		host := preflight.Host{ReadFile: preflight.ReadFile}
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

` + "`go run ./cmd/ede check FILE...`" + ` reads Corefiles and prints the mistakes below. *ede* logs the same mistakes as
warnings when CoreDNS loads the Corefile. A FILE may be a Corefile, a Kubernetes manifest in YAML or JSON with a Corefile in it,
or ` + "`-`" + ` for standard input:

~~~ sh
kubectl get configmap coredns -n kube-system -o yaml | ede check -
~~~

` + "`ede check`" + ` reads the keys ` + "`Corefile`, `*.server` and `*.override`" + ` of a manifest. ` + "`*.server` and `*.override`" + ` are
parts that k3s, AKS and others add to a Corefile. They count in a ConfigMap whose name has ` + "`coredns`, such as `coredns-custom`" + `, and
in one without a name; other programs have such keys too. If the same FILE has a Corefile of the same namespace that imports these
parts, they are checked together with this Corefile. A *forward* of the Corefile that such a part replaces gets no warning.
Values in Base64, those of a Secret and of ` + "`binaryData`" + `, are decoded.

Otherwise the parts are checked with two built-in Corefiles. That of k3s imports ` + "`*.override`" + ` above its *forward*, that of AKS
below. There is a warning only for what is wrong in both, and at a line of the part. With the Corefile of your cluster in the FILE,
` + "`ede check`" + ` finds more: ` + "`kubectl get configmap -n kube-system -o yaml | ede check -`" + `.

The line numbers in the output are those of the file. If the Corefile is a quoted string (JSON), the output has the key, the
line of the key, and the line within the Corefile.

` + "`ede check`" + ` starts no server and sends no query. The exit status is 0 if there is no mistake, 1 if there are any, and 2 if a
file cannot be read or has no server block (` + "`go run`" + ` turns 2 into 1). So ` + "`ede check`" + ` can guard a deployment. ` + "`--json`" + ` prints one JSON object;
its ` + "`errors`" + ` are what could not be read.
` + "`--ignore CODE`" + ` leaves a mistake out; ` + "`ede { ignore CODE... }`" + ` in a server block does the same at load.

A setting that may be intended gets no warning. If the Corefile has a plugin that CoreDNS does not ship, the output has a note
about it. The checks then assume that this plugin answers everything that no other plugin answers.

The arguments of directives are not checked, except those of *ede* itself. CoreDNS reports a wrong argument with its line
when it loads the file, and a running CoreDNS then keeps its old configuration.

If the Corefile is given by its path, the checks also look at the addresses of this machine, at the files that are named in a
*forward* or *hosts* line, and at the directory of *auto*. A directory without a zone file gets no warning.

` + "`go run ./cmd/ede check --markdown`" + ` makes this page.

## How often a warning is right

` + "`go test ./test/corefiles`" + ` makes random Corefiles from the plugins that answer and from those that change the question. The test
runs each Corefile in CoreDNS, and queries names and types in every zone. A warning is confirmed if an answer shows what the warning says.
The zone files and servers of the test have records with the names that rules of *rewrite* make of others.

A mistake counts once for each block or plugin, and a circle of blocks that forward to each other counts once. A mistake counts as
predicted only if there are warnings for all names and types that it affects, and a circle if one of its blocks has a warning.
A mistake that no answer shows, for example *tls-without-tls*, has tests of its own and is not counted.

Two kinds of mistakes cannot be predicted, and count as missed:

* mistakes that depend on which questions a view accepts (they are predicted only if the expression of the view looks at nothing but the type);
* records in a backend, if no client gets these records because another plugin answers first.

*etcd*, *secondary* and *kubernetes* get their data from fake servers of the test.

{{.Precision}}
The same with ` + "`-corefiles 5000`" + `, which takes about 40 minutes on a busy machine:

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
