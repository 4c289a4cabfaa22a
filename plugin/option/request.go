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
)

func (r Request) has(bit requestBits) bool { return r.bits&bit != 0 }

// RequestOf notes what Attach will need to know of the query r. It allocates
// nothing.
func RequestOf(r *dns.Msg) Request {
	opt := optOf(r)
	if opt == nil {
		return Request{}
	}
	req := Request{size: opt.UDPSize(), bits: hasOPT}
	if opt.Do() {
		req.bits |= hasDO
	}
	if opt.Co() {
		req.bits |= hasCO
	}
	for _, o := range opt.Option {
		if _, ok := o.(*dns.EDNS0_NSID); ok {
			req.bits |= hasNSID
			break
		}
	}
	return req
}

// HasOPT reports whether the query had an OPT record, the only sign that its
// sender understands Extended DNS Errors (RFC 8914 section 2).
func (r Request) HasOPT() bool { return r.has(hasOPT) }

// newOPT returns the record that CoreDNS itself would add to a reply without
// one, but not shared with the query and without the query's options.
func (r Request) newOPT() dns.OPT {
	opt := dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(r.size)
	opt.SetDo(r.has(hasDO))
	opt.SetCo(r.has(hasCO))
	return opt
}

// DO reports whether the query had the DNSSEC OK bit set (RFC 3225).
func (r Request) DO() bool { return r.has(hasDO) }

// UDPSize is the requestor's UDP payload size in octets, at least the 512 that
// stand for a smaller or absent one (RFC 6891 section 6.2.3).
func (r Request) UDPSize() int { return max(int(r.size), dns.MinMsgSize) }
