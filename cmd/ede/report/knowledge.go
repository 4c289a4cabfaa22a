package report

import (
	"cmp"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
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
	// Refinable reports whether a diagnosis may find another cause behind it.
	Refinable func(cause string) bool
}

// advice prefers what the lines of this log say, the last the most, over the catalog:
// it is of the case at hand.
func (k Knowledge) advice(c *causeTally) (title, advice string) {
	code, said := c.usual()
	if k.Advice != nil {
		title, advice = k.Advice(c.name, code, said.rcode())
	}
	if said != nil && said.advice != "" {
		advice = said.advice
	} else if c.advice != "" && (said == nil || advice == "") {
		advice = c.advice
	}
	return title, advice
}

// refinable reports whether what a diagnosis found may stand in place of the cause.
func (k Knowledge) refinable(cause string) bool { return k.Refinable != nil && k.Refinable(cause) }

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
		owner, lasts = cmp.Or(owner, o), cmp.Or(lasts, l)
	}
	return cmp.Or(owner, figures.Unknown), cmp.Or(lasts, figures.Unknown)
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
	Refinable: func(id string) bool {
		c := cause.ByID(id)
		return c != nil && c.Refinable()
	},
}

// A saying is what is said of the failures with one most telling INFO-CODE.
type saying struct {
	// refused are those of count with REFUSED.
	count, refused uint64
	text           string
	at             time.Time // of text, where a store has told
	advice         string    // of the last line that has any
}

// saying returns what is said of failures with the most telling code of r, nil if it has
// none.
func (c *causeTally) saying(r *logline.Record) *saying {
	code, ok := r.FirstCode()
	if !ok {
		return nil
	}
	if codes := r.Codes(nil); len(codes) > 1 {
		code = cause.MostTelling(codes)
	}
	s := c.said[code]
	if s == nil && len(c.said) < maxLabels {
		s = new(saying)
		c.said[code] = s
	}
	return s
}

// add counts the n failures of r. To nil it adds nothing.
func (s *saying) add(r *logline.Record, n uint64) {
	if s == nil {
		return
	}
	s.count += n
	if string(r.Get(logline.RCode)) == "REFUSED" {
		s.refused += n
	}
	keepFirst(&s.text, r.Get(logline.Text))
	keepLast(&s.advice, r.Get(logline.Advice))
}

// usual returns the most telling INFO-CODE of most failures, and what is said of them,
// nil if there is none.
func (c *causeTally) usual() (code uint16, said *saying) {
	for other, s := range c.said {
		if said == nil || s.count > said.count || s.count == said.count && other < code {
			code, said = other, s
		}
	}
	return code, said
}

func keepFirst(dst *string, val []byte) {
	if *dst == "" && len(val) > 0 {
		*dst = string(val)
	}
}

// keepLast is for advice, which gets better while a failure is diagnosed.
func keepLast(dst *string, val []byte) {
	if len(val) > 0 && *dst != string(val) {
		*dst = string(val)
	}
}
