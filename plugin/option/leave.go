package option

import (
	"slices"

	"github.com/miekg/dns"
)

// Leave returns reply itself, or a copy where something has to go: all Extended
// DNS Errors with drop, their texts with withoutText, and the OPT if the query of
// req had none (RFC 6891 section 7). Other Error keeps its text, as it says nothing
// alone (RFC 8914 section 4.1). reply and its records stay untouched.
func Leave(reply *dns.Msg, req Request, drop, withoutText bool) *dns.Msg {
	opt := optOf(reply)
	switch {
	case opt == nil:
		return reply
	case !req.HasOPT():
		if reply.Rcode > 0xF {
			return reply
		}
		out := *reply
		out.Extra = withoutOPT(reply)
		return &out
	case drop && slices.ContainsFunc(opt.Option, isEDE):
		return withOptions(reply, opt, slices.DeleteFunc(slices.Clone(opt.Option), isEDE))
	case withoutText && slices.ContainsFunc(opt.Option, hasText):
		left := slices.Clone(opt.Option)
		for i, o := range left {
			if hasText(o) {
				left[i] = withoutItsText(o)
			}
		}
		return withOptions(reply, opt, left)
	}
	return reply
}

// withOptions returns a copy of m in which opt has these options.
func withOptions(m *dns.Msg, opt *dns.OPT, options []dns.EDNS0) *dns.Msg {
	out := *m
	out.Extra = slices.Clone(m.Extra)
	out.Extra[slices.Index(out.Extra, dns.RR(opt))] = &dns.OPT{Hdr: opt.Hdr, Option: options}
	return &out
}

// hasText reports whether o is an Extended DNS Error with a text that can go.
func hasText(o dns.EDNS0) bool {
	switch o := o.(type) {
	case *dns.EDNS0_EDE:
		return o.ExtraText != "" && o.InfoCode != otherError
	case *dns.EDNS0_LOCAL:
		// An EDE of a plugin that does not know miekg/dns's type for it.
		return o.Code == dns.EDNS0EDE && len(o.Data) > 2 && (o.Data[0] != 0 || o.Data[1] != otherError)
	}
	return false
}

func withoutItsText(o dns.EDNS0) dns.EDNS0 {
	switch o := o.(type) {
	case *dns.EDNS0_EDE:
		return &dns.EDNS0_EDE{InfoCode: o.InfoCode}
	case *dns.EDNS0_LOCAL:
		return &dns.EDNS0_LOCAL{Code: o.Code, Data: o.Data[:2]}
	}
	return o
}
