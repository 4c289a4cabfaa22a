package control

import (
	"time"

	"github.com/miekg/dns"
)

const (
	// Recent is how long an answer that was fetched shows that more can be fetched: an
	// outage lets names fail within seconds.
	Recent = 2 * time.Second
	// rounding is what a TTL may lose on the way, in seconds.
	rounding = 1
	// leastTTL is the shortest TTL by which the age of a record can be told.
	leastTTL = 10
)

// Fetched reports whether m, the answer to a made-up name or type, came from the servers
// of a zone just now. A cache has no such answer, but a resolver may make one from the
// signed denials that it remembers (RFC 8198), or from a copy of the root (RFC 8806). So
// the answer counts if it has no denials though DNSSEC was spoken, if they are opt-out,
// which RFC 8198 leaves out, or if the SOA with them has its full TTL. Own data (AA) show
// nothing.
func Fetched(m *dns.Msg) bool {
	if m.Authoritative || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return false
	}
	var soa *dns.SOA
	signed, optOut := false, false
	for _, rr := range append(m.Answer[:len(m.Answer):len(m.Answer)], m.Ns...) {
		switch rr := rr.(type) {
		case *dns.SOA:
			soa = rr
		case *dns.RRSIG, *dns.NSEC:
			signed = true
		case *dns.NSEC3:
			signed, optOut = true, optOut || rr.Flags&1 != 0
		}
	}
	if opt := m.IsEdns0(); opt != nil && opt.Do() && !signed {
		return true
	}
	if soa == nil || soa.Hdr.Name == "." || len(m.Answer) > 0 {
		return false
	}
	if optOut {
		return true
	}
	full := soa.Minttl
	for _, sig := range signatures(m.Ns, soa) {
		if sig.OrigTtl == soa.Hdr.Ttl {
			return soa.Hdr.Ttl >= leastTTL
		}
		full = min(full, sig.OrigTtl)
	}
	return isFull(soa.Hdr.Ttl, full)
}

// FetchedBelow reports whether m has a record of a zone in domain that is so new that it
// came from the zone's servers just now: its TTL is still the one that its signature
// names (RFC 4034 section 3.1.4). domain must not be the root.
func FetchedBelow(domain string, m *dns.Msg) bool {
	if m.Authoritative {
		return false
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns} {
		for _, rr := range section {
			for _, sig := range signatures(section, rr) {
				if dns.IsSubDomain(domain, dns.CanonicalName(sig.SignerName)) && isFull(rr.Header().Ttl, sig.OrigTtl) {
					return true
				}
			}
		}
	}
	return false
}

// isFull reports whether a record with this TTL was not in any cache. A TTL above the full
// one was raised by a cache, and tells no age.
func isFull(ttl, full uint32) bool {
	return full >= leastTTL && ttl <= full && ttl+rounding >= full
}

// signatures are those over rr among records.
func signatures(records []dns.RR, of dns.RR) []*dns.RRSIG {
	var sigs []*dns.RRSIG
	for _, rr := range records {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == of.Header().Rrtype && dns.CanonicalName(sig.Hdr.Name) == dns.CanonicalName(of.Header().Name) {
			sigs = append(sigs, sig)
		}
	}
	return sigs
}
