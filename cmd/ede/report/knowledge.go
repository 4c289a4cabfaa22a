package report

import (
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Knowledge is what the catalog of causes says. Its functions may be nil and may
// return empty strings for what they do not know.
type Knowledge struct {
	// Advice returns a cause's title, and what to do about it if the rcode
	// is rcode and the most telling INFO-CODE code.
	Advice func(cause string, code uint16, rcode string) (title, advice string)
	// Facts returns who acts on a cause and how long it lasts, where the log
	// does not say: summaries do not.
	Facts func(cause string) (owner, lasts string)
	// Code returns the purpose of an INFO-CODE.
	Code func(code uint16) string
}

const unknown = "unknown"

func (k Knowledge) advice(c *causeTally) (title, advice string) {
	if k.Advice != nil {
		code, said := c.usual()
		title, advice = k.Advice(c.name, code, said.rcode())
	}
	if advice == "" {
		advice = c.advice
	}
	return title, advice
}

// rcode is that of most failures of s.
func (s *saying) rcode() string {
	if s != nil && 2*s.refused > s.count {
		return "REFUSED"
	}
	return "SERVFAIL"
}

// example is what the log says of most failures of the cause.
func (k Knowledge) example(c *causeTally) string {
	code, said := c.usual()
	if said == nil || said.text == "" || k.Code == nil {
		return ""
	}
	return fmt.Sprintf("%d %s: %s", code, k.Code(code), said.text)
}

// knows reports whether the catalog has the cause.
func (k Knowledge) knows(cause string) bool {
	if k.Advice == nil {
		return true
	}
	title, _ := k.Advice(cause, 0, "")
	return title != ""
}

// facts prefers what the lines of this log say over the catalog: for some
// causes it depends on the case at hand.
func (k Knowledge) facts(c *causeTally) (owner, lasts string) {
	owner, lasts = c.owners.most(), c.lasts.most()
	if k.Facts != nil && (owner == "" || lasts == "") {
		o, l := k.Facts(c.name)
		owner, lasts = firstOf(owner, o), firstOf(lasts, l)
	}
	return firstOf(owner, unknown), firstOf(lasts, unknown)
}

func firstOf(vals ...string) string {
	if i := slices.IndexFunc(vals, func(s string) bool { return s != "" }); i >= 0 {
		return vals[i]
	}
	return ""
}

// Catalog is what this version knows of causes.
var Catalog = Knowledge{
	Advice: func(id string, code uint16, rcode string) (title, advice string) {
		if c := cause.ByID(id); c != nil {
			return c.Title, c.AdviceOn([]uint16{code}, dns.StringToRcode[rcode])
		}
		return "", ""
	},
	Facts: func(id string) (owner, lasts string) {
		if c := cause.ByID(id); c != nil {
			return string(c.Owner), string(c.Lasts)
		}
		return "", ""
	},
	Code: option.Name,
}
