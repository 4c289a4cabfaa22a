package causes

import (
	"io"
	"strings"
	"text/template"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// Markdown writes docs/causes.md. A test compares the file with it.
func Markdown(w io.Writer) error {
	return page.Execute(w, map[string]any{
		"sides": sides, "servfail": servfailSteps, "refused": refusedSteps, "counterparts": counterparts, "groups": cause.Groups,
	})
}

var page = template.Must(template.New("causes").Funcs(template.FuncMap{
	"codes":   codes,
	"example": func(id string) string { return strings.TrimRight(example(id), "\n") },
	"trim":    strings.TrimSpace,
	"first":   firstOfID(),
}).Parse(`# The causes of SERVFAIL and REFUSED

` + "`go run ./cmd/ede causes --markdown`" + ` makes this page from the catalog in plugin/cause. ` + "`go run ./cmd/ede causes`" + `
prints the same in a terminal.

## SERVFAIL and REFUSED, side by side

| | SERVFAIL | REFUSED |
|---|---|---|
{{range .sides}}| {{.Question}} | {{.Servfail}} | {{.Refused}} |
{{end}}
What to try first for SERVFAIL:

{{range .servfail}}1. {{.Try}} ` + "`{{.Command}}`" + `
{{end}}
What to try first for REFUSED:

{{range .refused}}1. {{.Try}} ` + "`{{.Command}}`" + `
{{end}}
| elsewhere | in CoreDNS |
|---|---|
{{range .counterparts}}| {{.Elsewhere}} | {{.Here}} |
{{end}}
## How to read an entry

*Code* is the RFC 8914 INFO-CODE that the answer carries first. A failure from cache has the codes of its cause, and
its text says since when the failure is cached. If the cause is not known, a failure from cache has the code 13 Cached Error.

*Lasts* says whether the failure can pass for the same client. A transient failure can pass by itself. A persistent
failure stays until somebody changes something.

*Owner* is who can fix the failure; *us* is the operator of this server.

In a command, replace the words in capitals. The examples come from real runs, and tests check that they are still true.
The ports of servers are replaced by fixed ones (1053, 5301), and the advice at the end of an incident's first line is left out.
{{range .groups}}
## {{.Title}}
{{range .Causes}}{{if first .}}
### {{.ID}}

{{.Title}}.

| code | lasts | owner |
|---|---|---|
| {{codes .}} | {{.Lasts}} | {{.Owner}} |

**When:** {{.When}}

**What to do:** {{trim .Advice}}
{{with .Command}}
~~~ sh
{{.}}
~~~
{{end}}{{with .Corefile}}
~~~ corefile
{{.}}
~~~
{{end}}{{with example .ID}}
As seen:

~~~ txt
{{.}}
~~~
{{end}}{{end}}{{end}}{{end}}`))

// firstOfID is false for the second entry of a cause that has two codes.
func firstOfID() func(*cause.Cause) bool {
	return func(c *cause.Cause) bool { return cause.ByID(c.ID) == c }
}
