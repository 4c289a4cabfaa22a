package dnssec

import (
	"strings"

	"github.com/miekg/dns"
)

// maxIterations is where resolvers stop (RFC 9276 section 3.2; the vendors'
// agreement of 2021).
const maxIterations = 150

const optOut = 1

// hashed are NSEC3 records of one zone with the same parameters. A nil hashed
// proves nothing.
type hashed struct {
	run     *run
	zone    string
	records []*dns.NSEC3
	hashes  map[string]string
}

// hashed sorts out records that RFC 5155 section 8.1 and 8.2 say to ignore. Their
// signatures hold already, as RFC 9276 section 3.2 demands before code 27.
func (r *run) hashed(zoneName string, all []*dns.NSEC3) (*hashed, *Finding) {
	h := &hashed{run: r, zone: zoneName, hashes: make(map[string]string)}
	var excess *Finding
	for _, n := range all {
		switch {
		case n.Hash != dns.SHA1, n.Flags&^optOut != 0, parent(n.Hdr.Name) != zoneName:
			continue
		case n.Iterations > maxIterations:
			if excess == nil {
				excess = finding(Insecure, zoneName, n.Hdr.Name, dns.TypeNSEC3, []uint16{dns.ExtendedErrorCodeUnsupportedNSEC3IterValue},
					"NSEC3 of %s asks for %d iterations, more than the %d that resolvers accept", short(zoneName), n.Iterations, maxIterations)
			}
			continue
		case len(h.records) > 0 && (n.Iterations != h.records[0].Iterations || !strings.EqualFold(n.Salt, h.records[0].Salt)):
			continue
		}
		h.records = append(h.records, n)
	}
	if len(h.records) == 0 {
		h = nil
		if len(all) > 0 && excess == nil {
			excess = bogus(dns.ExtendedErrorCodeNSECMissing, zoneName, zoneName, dns.TypeNSEC3,
				"the NSEC3 records of %s have an unknown hash algorithm (%d) or flags (%d)", short(zoneName), all[0].Hash, all[0].Flags)
		}
	}
	return h, excess
}

// hash returns "" when too much was hashed already.
func (h *hashed) hash(name string) string {
	if v, ok := h.hashes[name]; ok {
		return v
	}
	n := h.records[0]
	h.run.hashes += int(n.Iterations) + 1
	v := ""
	if h.run.hashes <= maxHashes {
		v = dns.HashName(name, n.Hash, n.Iterations, n.Salt)
	}
	h.hashes[name] = v
	return v
}

func ownerHash(n *dns.NSEC3) string {
	label, _, _ := strings.Cut(n.Hdr.Name, ".")
	return strings.ToUpper(label)
}

func (h *hashed) matching(name string) *dns.NSEC3 {
	v := h.hash(name)
	for _, n := range h.records {
		if v != "" && ownerHash(n) == v {
			return n
		}
	}
	return nil
}

func (h *hashed) covering(name string) *dns.NSEC3 {
	v := h.hash(name)
	if v == "" {
		return nil
	}
	for _, n := range h.records {
		owner, next := ownerHash(n), strings.ToUpper(n.NextDomain)
		inside := owner < v && v < next
		if owner >= next { // the last one wraps around; alone it spans all
			inside = owner < v || v < next
		}
		if inside && owner != v {
			return n
		}
	}
	return nil
}

func (h *hashed) overworked() *Finding {
	if h.run.hashes <= maxHashes {
		return nil
	}
	return undecided(h.zone, h.zone, dns.TypeNSEC3, "too many NSEC3 hashes to compute for %s", short(h.zone))
}

func (h *hashed) covers(name string) (bool, *Finding) {
	if h == nil {
		return false, nil
	}
	return h.covering(name) != nil, h.overworked()
}

// deny follows RFC 5155 section 8.4 to 8.7.
func (h *hashed) deny(zoneName, name string, t uint16, nxdomain bool) (proof, *Finding) {
	if h == nil {
		return provenNothing, nil
	}
	p := h.denyName(zoneName, name, t, nxdomain)
	return p, h.overworked()
}

func (h *hashed) denyName(zoneName, name string, t uint16, nxdomain bool) proof {
	if n := h.matching(name); n != nil {
		return types(n.TypeBitMap).deny(name, t, nxdomain)
	}
	encloser := ""
	for i := dns.CountLabel(name) - 1; i >= dns.CountLabel(zoneName); i-- {
		if n := h.matching(suffix(name, i)); n != nil {
			if types(n.TypeBitMap).endsHere() {
				return provenNothing
			}
			encloser = suffix(name, i)
			break
		}
	}
	if encloser == "" {
		return provenNothing
	}
	cover := h.covering(suffix(name, dns.CountLabel(encloser)+1))
	if cover == nil {
		return provenNothing
	}
	open := cover.Flags&optOut != 0
	wildcard := wildcardOf(encloser)
	if nxdomain {
		switch {
		case h.covering(wildcard) == nil:
			return provenNothing
		case open:
			return provenOptOut
		}
		return provenNoName
	}
	if w := h.matching(wildcard); w != nil {
		return types(w.TypeBitMap).deny(wildcard, t, false)
	}
	if open {
		// Names that only unsigned delegations give rise to need no NSEC3
		// either (erratum 3441 of RFC 5155).
		return provenOptOut
	}
	return provenNothing
}
