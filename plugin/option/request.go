package option

import "github.com/miekg/dns"

// Request is what a query says about the OPT record of its reply. It is kept
// apart from the query because plugins change that one: SizeAndDo of CoreDNS
// clears its options and flags when the first reply is written.
//
// It is four octets, since every query has one.
type Request struct {
	size uint16 // requestor's UDP payload size in octets, as sent
	bits requestBits
}

type requestBits uint8

const (
	hasOPT requestBits = 1 << iota
	hasDO
	hasCO
	hasNSID
	hasEDE
	hasAD
	hasSignature
)

func (r Request) has(bit requestBits) bool { return r.bits&bit != 0 }

// RequestOf notes what Attach will need to know of the query r. It allocates
// nothing.
func RequestOf(r *dns.Msg) Request {
	var req Request
	if signed(r) {
		req.bits = hasSignature
	}
	opt := optOf(r)
	if opt == nil {
		return req
	}
	req.size = opt.UDPSize()
	req.bits |= hasOPT
	if r.AuthenticatedData {
		req.bits |= hasAD
	}
	if opt.Do() {
		req.bits |= hasDO
	}
	if opt.Co() {
		req.bits |= hasCO
	}
	for _, o := range opt.Option {
		switch o.Option() {
		case dns.EDNS0NSID:
			req.bits |= hasNSID
		case dns.EDNS0EDE:
			req.bits |= hasEDE
		}
	}
	return req
}

// signed reports whether r ends in a TSIG (RFC 8945 section 5.1) or a SIG(0) (RFC 2931
// section 3.1).
func signed(r *dns.Msg) bool {
	if r == nil || len(r.Extra) == 0 {
		return false
	}
	switch rr := r.Extra[len(r.Extra)-1].(type) {
	case *dns.TSIG:
		return true
	case *dns.SIG:
		return rr.TypeCovered == 0
	}
	return false
}

// Signed reports whether the query was signed as a whole, with TSIG or SIG(0).
func (r Request) Signed() bool { return r.has(hasSignature) }

// HasOPT reports whether the query had an OPT record, the only sign that its
// sender understands Extended DNS Errors (RFC 8914 section 2).
func (r Request) HasOPT() bool { return r.has(hasOPT) }

// Interested reports whether the query shows interest in the reasons of a failure:
// it has AD set (RFC 6840 section 5.7: whoever sets it understands what is said
// about an answer), or its OPT has an EDE option (RFC 8914) or NSID (RFC 5001),
// which proxies do not set for stubs behind them. Nothing else counts, since DO,
// CD, COOKIE, ECS and padding come from proxies in front of stubs that read none.
func (r Request) Interested() bool { return r.bits&(hasAD|hasEDE|hasNSID) != 0 }

// AsksForEDE reports whether the query had an EDE option itself, the sign of a
// client that reads the structured text of one
// (draft-ietf-dnsop-structured-dns-error).
func (r Request) AsksForEDE() bool { return r.has(hasEDE) }

// newOPT returns the record that CoreDNS itself would add to a reply without
// one, but not shared with the query and without the query's options.
func (r Request) newOPT() dns.OPT {
	opt := dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(r.size)
	opt.SetDo(r.has(hasDO))
	opt.SetCo(r.has(hasCO))
	return opt
}

// AsNSID is r as the nsid plugin answers it: that adds the OPT record of an answer which a
// plugin wrote without one, with DO set whatever the query says (CoreDNS 1.15).
func (r Request) AsNSID() Request {
	if r.has(hasNSID) {
		r.bits |= hasDO
	}
	return r
}

// DO reports whether the query had the DNSSEC OK bit set (RFC 3225).
func (r Request) DO() bool { return r.has(hasDO) }

// UDPSize is the requestor's UDP payload size in octets, at least the 512 that
// stand for a smaller or absent one (RFC 6891 section 6.2.3).
func (r Request) UDPSize() int { return max(int(r.size), dns.MinMsgSize) }
