package bed

import (
	"context"
	"strings"

	"github.com/miekg/dns"
)

// maxAliases bounds alias chains as resolvers do.
const maxAliases = 12

// Exchange answers in memory as a recursive resolver does a question with RD, CD
// and DO set: aliases are followed, nothing is validated, and what the zone's
// servers do not answer is SERVFAIL.
func (b *Bed) Exchange() func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
	return func(_ context.Context, q dns.Question) (*dns.Msg, error) {
		reply := &dns.Msg{Question: []dns.Question{q}}
		reply.Response, reply.RecursionDesired, reply.RecursionAvailable, reply.CheckingDisabled = true, true, true, true
		ask := q
		for range maxAliases {
			z := b.zoneOf(ask, "")
			if z == nil {
				reply.Rcode = dns.RcodeRefused
				return reply, nil
			}
			m := z.answer(ask)
			if m == nil || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
				return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: dns.RcodeServerFailure}, Question: reply.Question}, nil
			}
			reply.Rcode = m.Rcode
			reply.Answer = append(reply.Answer, m.Answer...)
			reply.Ns = append(reply.Ns, m.Ns...)
			next := alias(m, ask)
			if next == "" {
				return reply, nil
			}
			ask.Name = next
		}
		return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Rcode: dns.RcodeServerFailure}, Question: reply.Question}, nil
	}
}

// zoneOf is the deepest zone that answers q, of those at an address if one is
// given. A DS belongs to the parent's side.
func (b *Bed) zoneOf(q dns.Question, address string) *Zone {
	name := dns.CanonicalName(q.Name)
	if q.Qtype == dns.TypeDS && name != "." {
		if z := b.deepest(up(name), address); z != nil {
			return z
		}
	}
	return b.deepest(name, address)
}

func (b *Bed) deepest(name, address string) *Zone {
	for {
		if z, ok := b.zones[name]; ok && (address == "" || z.Address == address) {
			return z
		}
		if name == "." {
			return nil
		}
		name = up(name)
	}
}

func alias(m *dns.Msg, q dns.Question) string {
	if q.Qtype == dns.TypeCNAME {
		return ""
	}
	for _, rr := range m.Answer {
		if c, ok := rr.(*dns.CNAME); ok && strings.EqualFold(c.Hdr.Name, q.Name) {
			return dns.CanonicalName(c.Target)
		}
	}
	return ""
}
