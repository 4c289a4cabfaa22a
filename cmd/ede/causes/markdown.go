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

This page is made from the catalog in plugin/cause by ` + "`go run ./cmd/ede causes --markdown`" + `. The same is in a
terminal with ` + "`go run ./cmd/ede causes`" + `.

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

The code is the RFC 8914 INFO-CODE that the answer carries first. A failure from cache has the codes of its cause,
and says since when it is cached; it has 13 Cached Error where the cause is not known any more. How long a failure lasts is meant for the same client and by the failure's nature: transient
ones can pass by themselves, persistent ones stay until somebody changes something. The owner is who can fix it: us is
the operator of this server.

Words in capitals in a command stand for your own. The examples are of real runs, of which tests make sure that they
still come out so; ports are shortened, and the advice that the first line of an incident ends in is left out.
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
