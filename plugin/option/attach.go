package option

import (
	"slices"

	"github.com/miekg/dns"
)

// Attach returns a copy of reply with opts as its Extended DNS Errors, in place
// of those it has, or reply itself if it has just these. req is what RequestOf
// said of the query, limit the largest message in octets that may leave. reply
// and its records stay untouched; the copy shares all of them but the OPT.
//
// To a query without OPT the copy has no OPT either (RFC 6891 section 7), even
// where a plugin added one. A reply without OPT gets one if an option goes with
// it; otherwise that is left to CoreDNS. A truncated reply gets no option if it has
// none: its reader asks again over TCP.
//
// To stay within limit, texts are shortened and then dropped, the last option's first. Then
// options are dropped from the end. Other Error stays even without its text, unless it is
// only there to precede Not Ready. RFC 8914 section 3 asks for TC then. Attach does not set
// it, since a client gains no answer by asking again over TCP. Texts are made fit for the
// wire once more.
func Attach(reply *dns.Msg, req Request, limit int, opts []Option) *dns.Msg {
	if !req.HasOPT() {
		out := *reply
		out.Extra = withoutOPT(reply)
		return &out
	}
	if has(reply, limit, req, opts) {
		return reply
	}
	a := &attachment{msg: *reply}
	own := a.ownExtra()
	if reply.Truncated && !slices.ContainsFunc(optionsOf(reply), isEDE) {
		return &a.msg
	}
	return a.attach(own, req, limit, opts)
}

// Answer returns a bare answer with rcode to the question q of the query r, with
// opts as Attach attaches them.
func Answer(r *dns.Msg, q dns.Question, rcode int, req Request, limit int, opts []Option) *dns.Msg {
	a := new(answer)
	a.msg.SetRcode(&dns.Msg{MsgHdr: r.MsgHdr}, rcode)
	a.question[0] = q
	a.msg.Question = a.question[:]
	if !req.HasOPT() {
		return &a.msg
	}
	a.msg.Extra = a.extra[:0]
	return a.attach(nil, req, limit, opts)
}

// attach puts opts into own, the OPT of the message, or into a new one if there is
// none.
func (a *attachment) attach(own *dns.OPT, req Request, limit int, opts []Option) *dns.Msg {
	out := &a.msg
	added := own == nil
	if added {
		a.opt = req.newOPT()
		own = &a.opt
		out.Extra = slices.Insert(out.Extra, placeOfOPT(out.Extra), dns.RR(own))
	}
	kept := own.Option

	limit = min(limit, dns.MaxMsgSize)
	if req.has(hasNSID) {
		limit -= nsidRoom
	}
	fitting := opts
	if bound, ok := atMost(out); !ok || !fits(opts, limit-bound) {
		fitting = fit(opts, limit-size(out))
	}
	if lostItsText(opts, fitting) {
		fitting = nil
	}
	own.Option = a.appendEDE(kept, fitting)

	// A longer OPT pushes records behind it out of the reach of compression
	// pointers, so in a long message the sum alone does not prove that it fits.
	for limit > maxPointer && len(fitting) > 0 && size(out) > limit {
		fitting = fitting[:len(fitting)-1]
		own.Option = a.appendEDE(kept, fitting)
	}
	if added && len(fitting) == 0 {
		out.Extra = withoutOPT(out)
	}
	return out
}

// has reports whether m is a failure without records that has just opts for
// options, and is within limit: a plugin's own refusal mostly.
func has(m *dns.Msg, limit int, req Request, opts []Option) bool {
	if m.Truncated || req.has(hasNSID) || len(m.Answer) > 0 || len(m.Ns) > 0 || len(m.Extra) != 1 {
		return false
	}
	opt, ok := m.Extra[0].(*dns.OPT)
	if !ok || len(opt.Option) != len(opts) {
		return false
	}
	room := limit - emptyMessage - emptyOPT
	for i := range m.Question {
		room -= atMostQuestion(&m.Question[i])
	}
	for i, o := range opt.Option {
		if ede, ok := o.(*dns.EDNS0_EDE); !ok || ede.InfoCode != opts[i].Code || ede.ExtraText != opts[i].Text {
			return false
		}
	}
	return fits(opts, room)
}

// attachment is a message with room for its OPT, so that what most failures need
// is one allocation.
type attachment struct {
	msg     dns.Msg
	opt     dns.OPT
	extra   [2]dns.RR
	options [MaxOptions]dns.EDNS0
	records [MaxOptions]dns.EDNS0_EDE
}

// answer is an attachment with room for its question, which a copy of a reply
// shares with the reply.
type answer struct {
	attachment
	question [1]dns.Question
}

// ownExtra gives the message an additional section of its own, with a copy of its
// OPT, which it returns, nil if there is none. The copy is without Extended DNS
// Errors. Of several OPT only the last is kept, the one that miekg/dns goes by:
// RFC 6891 section 6.1.1 allows one.
func (a *attachment) ownExtra() *dns.OPT {
	opt := optOf(&a.msg)
	extra := a.extra[:0]
	for _, rr := range a.msg.Extra {
		o, ok := rr.(*dns.OPT)
		switch {
		case !ok:
			extra = append(extra, rr)
		case o == opt:
			extra = append(extra, a.copyOPT(o))
		}
	}
	a.msg.Extra = extra
	return optOf(&a.msg)
}

// copyOPT returns a copy of opt without Extended DNS Errors, whose options are its
// own.
func (a *attachment) copyOPT(opt *dns.OPT) *dns.OPT {
	if !slices.ContainsFunc(opt.Option, isOther) {
		a.opt.Hdr = opt.Hdr
		return &a.opt
	}
	own := dns.Copy(opt).(*dns.OPT)
	own.Option = slices.DeleteFunc(own.Option, isEDE)
	return own
}

// appendEDE returns options with opts behind them.
func (a *attachment) appendEDE(options []dns.EDNS0, opts []Option) []dns.EDNS0 {
	records := a.records[:]
	if len(opts) > len(records) {
		records = make([]dns.EDNS0_EDE, len(opts))
	}
	all := slices.Clip(options)
	if len(options) == 0 {
		all = a.options[:0]
	}
	for i, o := range opts {
		records[i] = dns.EDNS0_EDE{InfoCode: o.Code, ExtraText: o.Text}
		all = append(all, &records[i])
	}
	return all
}

func isEDE(o dns.EDNS0) bool { return o.Option() == dns.EDNS0EDE }

func isOther(o dns.EDNS0) bool { return !isEDE(o) }

// Withdraw removes from r an OPT record that the client did not send: rewrite adds one, and
// CoreDNS answers with OPT to a query with OPT.
func Withdraw(r *dns.Msg, req Request) {
	if !req.HasOPT() && optOf(r) != nil {
		r.Extra = withoutOPT(r)
	}
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
