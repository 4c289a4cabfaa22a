package option

import (
	"slices"

	"github.com/miekg/dns"
)

// Octets kept free for what is added to the message after us.
const (
	nsidRoom = 4 + 64 // the option nsid appends; 64 is the longest host name
	macRoom  = 64     // HMAC-SHA512, the longest MAC of a TSIG not yet signed
)

// maxPointer is the last octet that a compression pointer reaches (RFC 1035
// section 4.1.4).
const maxPointer = 1<<14 - 1

// Octets of one option: OPTION-CODE and OPTION-LENGTH (RFC 6891 section 6.1.2),
// then INFO-CODE (RFC 8914 section 2).
const emptyOption = 2 + 2 + 2

// Attach returns a copy of reply with opts as its Extended DNS Errors, in place
// of those it has. req is what RequestOf said of the query, limit the largest
// message in octets that may leave. reply and its records stay untouched; the
// copy shares all of them but the OPT.
//
// To a query without OPT the copy has no OPT either (RFC 6891 section 7), even
// where a plugin added one. A reply without OPT gets one if an option goes with
// it; otherwise that is left to CoreDNS. A truncated reply gets no option if it has
// none: its reader asks again over TCP.
//
// To stay within limit, texts are shortened, then dropped, the last option's
// first, then options from the last on; Other Error is sent even if its text is
// lost. RFC 8914 section 3 would have TC set on that. It is not, since a client
// cannot gain an answer by asking again over TCP. Texts are sanitized once more.
func Attach(reply *dns.Msg, req Request, limit int, opts []Option) *dns.Msg {
	out := *reply
	if !req.HasOPT() {
		out.Extra = withoutOPT(reply)
		return &out
	}
	own := ownExtra(&out)
	if reply.Truncated && (own == nil || !slices.ContainsFunc(own.Option, isEDE)) {
		return &out
	}

	added := own == nil
	if added {
		own = req.newOPT()
		out.Extra = slices.Insert(out.Extra, placeOfOPT(out.Extra), dns.RR(own))
	} else {
		own.Option = slices.DeleteFunc(own.Option, isEDE)
	}
	kept := own.Option

	limit = min(limit, dns.MaxMsgSize)
	if req.has(hasNSID) {
		limit -= nsidRoom
	}
	fitting := fit(opts, limit-size(&out))
	own.Option = appendEDE(kept, fitting)

	// A longer OPT pushes records behind it out of the reach of compression
	// pointers, so in a long message the sum alone does not prove that it fits.
	for limit > maxPointer && len(fitting) > 0 && size(&out) > limit {
		fitting = fitting[:len(fitting)-1]
		own.Option = appendEDE(kept, fitting)
	}
	if added && len(fitting) == 0 {
		out.Extra = withoutOPT(&out)
	}
	return &out
}

// Withdraw takes an OPT record out of the query r whose client sent none: rewrite
// adds one, and CoreDNS answers with OPT to a query that has it.
func Withdraw(r *dns.Msg, req Request) {
	if !req.HasOPT() && optOf(r) != nil {
		r.Extra = withoutOPT(r)
	}
}

// fit returns what of opts takes at most room octets.
func fit(opts []Option, room int) []Option {
	if fits(opts, room) {
		return opts
	}
	n := min(len(opts), max(room, 0)/emptyOption)
	fitting := slices.Clone(opts[:n])
	allot(fitting, room-n*emptyOption)
	return fitting
}

// fits reports whether opts can go as they are.
func fits(opts []Option, room int) bool {
	for _, o := range opts {
		room -= emptyOption + len(o.Text)
		if room < 0 || !clean(o.Text) {
			return false
		}
	}
	return true
}

func appendEDE(options []dns.EDNS0, opts []Option) []dns.EDNS0 {
	all := slices.Grow(slices.Clip(options), len(opts))
	records := make([]dns.EDNS0_EDE, len(opts))
	for i, o := range opts {
		records[i] = dns.EDNS0_EDE{InfoCode: o.Code, ExtraText: o.Text}
		all = append(all, &records[i])
	}
	return all
}

func isEDE(o dns.EDNS0) bool { return o.Option() == dns.EDNS0EDE }

// ownExtra gives m an additional section of its own, with a copy of its OPT,
// which it returns, nil if there is none. Of several only the last is kept, the
// one that miekg/dns goes by: RFC 6891 section 6.1.1 allows one.
func ownExtra(m *dns.Msg) *dns.OPT {
	opt := optOf(m)
	if opt == nil {
		m.Extra = slices.Clone(m.Extra)
		return nil
	}
	own := dns.Copy(opt).(*dns.OPT)
	extra := make([]dns.RR, 0, len(m.Extra))
	for _, rr := range m.Extra {
		o, ok := rr.(*dns.OPT)
		switch {
		case !ok:
			extra = append(extra, rr)
		case o == opt:
			extra = append(extra, own)
		}
	}
	m.Extra = extra
	return own
}

// withoutOPT returns a copy of m's additional section without OPT. With an
// extended RCODE it stays in, as the message could not be packed otherwise.
func withoutOPT(m *dns.Msg) []dns.RR {
	extra := slices.Clone(m.Extra)
	if m.Rcode > 0xF {
		return extra
	}
	return slices.DeleteFunc(extra, func(rr dns.RR) bool {
		_, ok := rr.(*dns.OPT)
		return ok
	})
}

// placeOfOPT returns the index for a new OPT: the end, but before a TSIG (RFC
// 8945 section 5.1) or SIG(0) (RFC 2931 section 3.1), which have to be last.
func placeOfOPT(extra []dns.RR) int {
	end := len(extra)
	if end == 0 {
		return end
	}
	switch rr := extra[end-1].(type) {
	case *dns.TSIG:
		return end - 1
	case *dns.SIG:
		if rr.TypeCovered == 0 {
			return end - 1
		}
	}
	return end
}

// size returns the octets of m as it will leave. A TSIG is packed apart from the
// rest, without compression, and has its MAC only then.
func size(m *dns.Msg) int {
	tsig := m.IsTsig()
	if tsig == nil {
		return m.Len()
	}
	unsigned := *m
	unsigned.Extra = m.Extra[:len(m.Extra)-1]
	n := unsigned.Len() + dns.Len(tsig)
	if tsig.MAC == "" {
		n += macRoom
	}
	return n
}
