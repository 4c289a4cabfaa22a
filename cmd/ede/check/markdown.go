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
	for _, code := range preflight.Codes() {
		corefile, err := examples.ReadFile("examples/" + code + ".corefile")
		if err != nil {
			return nil, err
		}
		order := Directives()
		if code == "ede-too-low" {
			order = lowest(order)
		}
		blocks, err := preflight.Parse("Corefile", bytes.NewReader(corefile), order)
		if err != nil {
			return nil, err
		}
		warnings := preflight.Check(blocks, order)
		if len(warnings) != 1 || warnings[0].Code != code {
			return nil, fmt.Errorf("the example of %s gets %v", code, warnings)
		}
		all = append(all, mistake{code, string(corefile), warnings[0]})
	}
	return all, nil
}

// lowest is order with ede at its end, as a build has it that appends ede to
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
	return page.Execute(w, all)
}

var page = template.Must(template.New("checks").Parse(`# Mistakes that a Corefile gives away

` + "`go run ./cmd/ede check COREFILE`" + ` reads a Corefile and prints a line for each of the mistakes below; *ede* logs the same
as warnings when it is loaded. Nothing is started or asked. The exit status is 0 if there is none, 1 if there are any,
and 2 if the file cannot be read (` + "`go run`" + ` makes 1 of it), so that it can stand in front of a deployment. What is a
choice and may be meant is not warned of. Whether a directive has the arguments that it takes is not looked at: CoreDNS
says so when it loads the file, with the line, and one that runs keeps the file that it has.

This page is made by ` + "`go run ./cmd/ede check --markdown`" + `.
{{range .}}
## {{.Code}}

~~~ txt
{{.Corefile}}~~~

> {{.Warning.Text}}

**What to do:** {{.Warning.Fix}}.
{{with .Links}}
Reported in {{.}}.
{{end}}{{end}}`))
