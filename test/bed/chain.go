package bed

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

func (z *Zone) header(name string, typ uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: 300}
}

// bitmap lists the types at a name as its denial record shows them.
func (z *Zone) bitmap(name string, denial ...uint16) []uint16 {
	var types []uint16
	signed := false
	for typ := range z.RRs[name] {
		if cut := z.cutAbove(name); cut == name && typ != dns.TypeNS && typ != dns.TypeDS {
			continue
		}
		types = append(types, typ)
		signed = signed || z.signs(name, typ)
	}
	types = append(types, denial...)
	if signed || slices.Contains(denial, dns.TypeNSEC) {
		types = append(types, dns.TypeRRSIG)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// owners lists the names of the zone in canonical order, with glue left out.
func (z *Zone) owners() []string {
	var names []string
	for name := range z.RRs {
		if cut := z.cutAbove(name); cut == "" || cut == name {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, canonical)
	return names
}

func (z *Zone) chainNSEC() {
	names := z.owners()
	for i, name := range names {
		z.put(&dns.NSEC{Hdr: z.header(name, dns.TypeNSEC), NextDomain: names[(i+1)%len(names)],
			TypeBitMap: z.bitmap(name, dns.TypeNSEC)})
	}
}

func (z *Zone) hash(name string) string {
	return dns.HashName(name, dns.SHA1, z.NSEC3.Iterations, z.NSEC3.Salt)
}

func (z *Zone) chainNSEC3() {
	hashes := make(map[string][]uint16)
	for _, name := range z.owners() {
		if z.NSEC3.OptOut && z.cutAbove(name) == name && z.RRs[name][dns.TypeDS] == nil {
			continue
		}
		hashes[z.hash(name)] = z.bitmap(name)
		// Empty non-terminals have records too (RFC 5155 section 7.1).
		for at := up(name); len(at) > len(z.Name); at = up(at) {
			if z.RRs[at] == nil {
				hashes[z.hash(at)] = nil
			}
		}
	}
	var order []string
	for h := range hashes {
		order = append(order, h)
	}
	slices.Sort(order)
	for i, h := range order {
		flags := uint8(0)
		if z.NSEC3.OptOut {
			flags = 1
		}
		z.put(&dns.NSEC3{Hdr: z.header(under(strings.ToLower(h), z.Name), dns.TypeNSEC3), Hash: dns.SHA1, Flags: flags,
			Iterations: z.NSEC3.Iterations, SaltLength: uint8(len(z.NSEC3.Salt) / 2), Salt: z.NSEC3.Salt,
			HashLength: 20, NextDomain: order[(i+1)%len(order)], TypeBitMap: hashes[h]})
	}
}

// RenameNSEC3 moves each NSEC3 to an owner that hashes to nothing in the zone,
// and signs it there.
func RenameNSEC3(z *Zone) {
	var owners []string
	for name, sets := range z.RRs {
		if sets[dns.TypeNSEC3] != nil {
			owners = append(owners, name)
		}
	}
	slices.Sort(owners)
	moved := make(map[string]string)
	for _, owner := range owners {
		first := "0"
		if owner[0] == '0' {
			first = "1"
		}
		moved[owner] = first + owner[1:]
	}
	real := *z
	z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
		for i, rr := range m.Ns {
			if to := moved[rr.Header().Name]; to != "" {
				rr = dns.Copy(rr)
				rr.Header().Name = to
				if rr.Header().Rrtype == dns.TypeNSEC3 {
					m.Ns[i] = rr
				}
			}
		}
		return real.resignNSEC3(m)
	}
}

// ResignedNSEC3 changes every NSEC3 that is sent and signs it anew.
func ResignedNSEC3(change func(*dns.NSEC3)) func(*Zone) {
	return func(z *Zone) {
		z.Reply = func(_ dns.Question, m *dns.Msg) *dns.Msg {
			for i, rr := range m.Ns {
				if n, ok := rr.(*dns.NSEC3); ok {
					n = dns.Copy(n).(*dns.NSEC3)
					change(n)
					m.Ns[i] = n
				}
			}
			return z.resignNSEC3(m)
		}
	}
}

// resignNSEC3 replaces the signatures over the NSEC3 records of a message.
func (z *Zone) resignNSEC3(m *dns.Msg) *dns.Msg {
	var ns []dns.RR
	for _, rr := range m.Ns {
		if sig, ok := rr.(*dns.RRSIG); ok && sig.TypeCovered == dns.TypeNSEC3 {
			continue
		}
		ns = append(ns, rr)
		if rr.Header().Rrtype == dns.TypeNSEC3 {
			ns = append(ns, z.ZSK().sign(z.t, z.Name, []dns.RR{rr}, z.From, z.To))
		}
	}
	m.Ns = ns
	return m
}

// CompactDenial answers names that do not exist as RFC 9824 says: NOERROR and
// an NSEC made for the name.
func CompactDenial(z *Zone) {
	z.Reply = func(q dns.Question, m *dns.Msg) *dns.Msg {
		if m.Rcode != dns.RcodeNameError {
			return m
		}
		m.Rcode, m.Ns = dns.RcodeSuccess, nil
		z.soa(m)
		name := dns.CanonicalName(q.Name)
		nsec := &dns.NSEC{Hdr: z.header(name, dns.TypeNSEC), NextDomain: under(`\000`, name),
			TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNXNAME}}
		m.Ns = append(m.Ns, nsec, z.ZSK().sign(z.t, z.Name, []dns.RR{nsec}, z.From, z.To))
		return m
	}
}
