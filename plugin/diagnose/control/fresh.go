package control

import "github.com/miekg/dns"

// leastTTL is the shortest TTL by which the age of a record can be told.
const leastTTL = 10

// Freshness is what the answer to a made-up name or type shows of where it came from.
type Freshness uint8

const (
	// Remembered: the resolver may have had all of the answer for long.
	Remembered Freshness = iota
	// Denied: it has a signed denial of the zone, of any age. A resolver makes one only from
	// denials that its validation accepted.
	Denied
	// Recent: what it is made from came from a server within the last second. TTLs count
	// whole seconds, and the resolver may have been asked something like it by others.
	Recent
	// Fetched: a server of the zone was asked for it.
	Fetched
)

// FreshnessOf tells how fresh m is, the answer to q, a made-up name or type. A cache has no
// such answer, but a resolver may make one from the signed denials that it remembers
// (RFC 8198), from the denial of a name above (RFC 8020), or from a copy of the root
// (RFC 8806). Nobody makes one for an unsigned zone, or from opt-out denials, which
// RFC 8198 leaves out where they deny a name. Own data (AA) show nothing.
func FreshnessOf(q Question, m *dns.Msg) Freshness {
	if m.Authoritative || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return Remembered
	}
	if m.Rcode == dns.RcodeNameError && q.Name != "" {
		// The name does not exist, and that serves all its types.
		return Remembered
	}
	soa, signed, optOut := denialOf(m)
	if soa != nil && dns.CanonicalName(soa.Hdr.Name) != q.Zone() {
		soa = nil
		if signed || q.Zone() != "." && m.Rcode == dns.RcodeNameError && len(m.Answer) == 0 {
			return Remembered
		}
	}
	switch opt := m.IsEdns0(); {
	case soa == nil || len(m.Answer) > 0:
		// A filter answers so. A negative answer of a zone has its SOA (RFC 2308 section 3).
		return Remembered
	case opt != nil && opt.Do() && !signed:
		return Fetched
	case soa.Hdr.Name == ".":
		return Remembered
	case optOut && m.Rcode == dns.RcodeNameError:
		return Fetched
	case isRecent(q.Zone(), m, soa):
		return Recent
	case signed:
		return Denied
	}
	return Remembered
}

// denialOf is the SOA in m, whether m has signatures or denials, and whether all its
// denials are opt-out.
func denialOf(m *dns.Msg) (soa *dns.SOA, signed, optOut bool) {
	others := false
	for _, section := range [][]dns.RR{m.Answer, m.Ns} {
		for _, rr := range section {
			switch rr := rr.(type) {
			case *dns.SOA:
				soa = rr
			case *dns.RRSIG:
				signed = true
			case *dns.NSEC:
				signed, others = true, true
			case *dns.NSEC3:
				signed = true
				if rr.Flags&1 != 0 {
					optOut = true
				} else {
					others = true
				}
			}
		}
	}
	return soa, signed, optOut && !others
}

// isRecent reports whether a record of zone in m, a denial, has the TTL with which its
// servers send it: that which its signature names (RFC 4034 section 3.1.4), and for soa the
// lesser of that and its field MINIMUM (RFC 2308 section 3). One suffices: a cache may give
// an older copy of the others. A TTL above was raised by a cache, and tells no age.
func isRecent(zone string, m *dns.Msg, soa *dns.SOA) bool {
	full := soa.Minttl
	for _, rr := range m.Ns {
		sig, ok := rr.(*dns.RRSIG)
		if !ok || dns.CanonicalName(sig.SignerName) != zone {
			continue
		}
		for _, rr := range m.Ns {
			h := rr.Header()
			if h.Rrtype != sig.TypeCovered || dns.CanonicalName(h.Name) != dns.CanonicalName(sig.Hdr.Name) {
				continue
			}
			if h.Ttl == sig.OrigTtl && h.Ttl >= leastTTL {
				return true
			}
			if h.Rrtype == dns.TypeSOA {
				full = min(full, sig.OrigTtl)
			}
		}
	}
	return full >= leastTTL && soa.Hdr.Ttl == full
}
