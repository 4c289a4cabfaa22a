package causes

import (
	"io"
	"strings"
	"text/template"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Markdown writes docs/causes.md. A test compares the file with it.
func Markdown(w io.Writer) error {
	return page.Execute(w, cause.Groups)
}

var page = template.Must(template.New("causes").Funcs(template.FuncMap{
	"name":    option.Name,
	"example": func(id string) string { return strings.TrimRight(example(id), "\n") },
	"trim":    strings.TrimSpace,
	"anchor":  func(s string) string { return strings.ReplaceAll(s, "_", "\\_") },
	"first":   firstOfID(),
}).Parse(`# The causes of SERVFAIL and REFUSED

This page is made from the catalog in plugin/cause by ` + "`go run ./cmd/ede causes --markdown`" + `. The same is in a
terminal with ` + "`go run ./cmd/ede causes`" + `.

## SERVFAIL and REFUSED, side by side

| | SERVFAIL | REFUSED |
|---|---|---|
| What it means | the server tried to answer, and failed | the server could answer, and chose not to |
| Who decides | circumstances: a network, a broken zone, DNSSEC, a fault | somebody's policy or configuration |
| Does it pass? | often by itself; another resolver may do better | not for the same client, until somebody changes the policy |
| May it be cached? | yes, for up to five minutes (RFC 9520) | CoreDNS does not |
| What to try first | ask a different resolver: if it answers, the resolver or its path is at fault, else the zone | ask whether this is the right resolver for the client at all |
| Then | check DNSSEC (dig +cd, delv), compare SOA serials, ask the zone's name servers one by one | check allow-query, allow-recursion and allow-transfer; in CoreDNS: acl, the server block's zones, transfer |

In the tables below, the code is the RFC 8914 INFO-CODE that the answer carries first. A failure out of the cache has
the code of its cause and then 13 Cached Error.
{{range .}}
## {{.Title}}
{{range .Causes}}{{if first .}}
### {{.ID}}

{{.Title}}.

| code | lasts | owner |
|---|---|---|
| {{.Code}} {{name .Code}} | {{.Lasts}} | {{.Owner}} |

**When:** {{.When}}

**What to do:** {{trim .Advice}}
{{if .Help}}
~~~ txt
{{.Help}}
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
