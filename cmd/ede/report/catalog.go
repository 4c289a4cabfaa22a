package report

import (
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

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
