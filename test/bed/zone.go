package bed

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const ttl = 3600

// NSEC3 are the parameters of hashed denial.
type NSEC3 struct {
	Iterations uint16
	Salt       string
	OptOut     bool
}

// Zone is the content of one zone. Sign makes signatures and denial records;
// afterwards RRs and Sigs may be mutated into a fault.
type Zone struct {
	Name     string
	Unsigned bool
	Keys     []*Key
	// NSEC3 is nil for a zone with NSEC.
	NSEC3 *NSEC3
	// From and To bound the signatures.
	From, To time.Time
	// RRs and Sigs hold the RRsets and the RRSIGs over them.
	RRs  map[string]map[uint16][]dns.RR
	Sigs map[string]map[uint16][]*dns.RRSIG
	// Reply, if set, may replace the answer: a nil message is silence.
	Reply func(q dns.Question, m *dns.Msg) *dns.Msg
	// Address is where the zone is served on sockets.
	Address string

	kept []dns.RR // the DS made before the keys were changed
	t    testing.TB
}

func newZone(t testing.TB, name string) *Zone {
	z := &Zone{
		Name: name, t: t,
		RRs:  make(map[string]map[uint16][]dns.RR),
		Sigs: make(map[string]map[uint16][]*dns.RRSIG),
	}
	ns := under("ns1", name)
	z.Add(fmt.Sprintf("%s %d IN SOA %s %s 1 3600 900 604800 300", name, ttl, ns, under("hostmaster", name)))
	z.Add(fmt.Sprintf("%s %d IN NS %s", name, ttl, ns))
	return z
}

// Add puts records in zone-file form into the zone.
func (z *Zone) Add(lines ...string) {
	z.t.Helper()
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			z.t.Fatalf("record %q: %v", line, err)
		}
		z.put(rr)
	}
}

func (z *Zone) put(rr dns.RR) {
	h := rr.Header()
	if z.RRs[h.Name] == nil {
		z.RRs[h.Name] = make(map[uint16][]dns.RR)
	}
	z.RRs[h.Name][h.Rrtype] = append(z.RRs[h.Name][h.Rrtype], rr)
}

// DS returns the DS records of the keys that sign the DNSKEY RRset, as a parent
// would publish them.
func (z *Zone) DS() []*dns.DS {
	var dss []*dns.DS
	for _, k := range z.Keys {
		if k.KSK {
			dss = append(dss, k.Published.ToDS(dns.SHA256))
		}
	}
	return dss
}

// Sign publishes the keys, builds the denial chain and signs everything.
func (z *Zone) Sign() {
	z.t.Helper()
	z.Add(fmt.Sprintf("%s %d IN A %s", under("ns1", z.Name), ttl, z.Address))
	if z.Unsigned {
		return
	}
	for _, k := range z.Keys {
		if k.Published != nil {
			z.put(k.Published)
		}
	}
	if z.NSEC3 != nil {
		z.put(&dns.NSEC3PARAM{Hdr: z.header(z.Name, dns.TypeNSEC3PARAM), Hash: dns.SHA1,
			Iterations: z.NSEC3.Iterations, SaltLength: uint8(len(z.NSEC3.Salt) / 2), Salt: z.NSEC3.Salt})
		z.chainNSEC3()
	} else {
		z.chainNSEC()
	}
	for name, sets := range z.RRs {
		for typ, set := range sets {
			if z.signs(name, typ) {
				z.Resign(name, typ, set)
			}
		}
	}
}

// Resign replaces the signatures over one set.
func (z *Zone) Resign(name string, typ uint16, set []dns.RR) {
	z.t.Helper()
	z.ResignBetween(name, typ, set, z.From, z.To)
}

// ResignBetween is Resign with other times.
func (z *Zone) ResignBetween(name string, typ uint16, set []dns.RR, from, to time.Time) {
	z.t.Helper()
	if z.Sigs[name] == nil {
		z.Sigs[name] = make(map[uint16][]*dns.RRSIG)
	}
	z.Sigs[name][typ] = nil
	for _, k := range z.Keys {
		if k.KSK && typ == dns.TypeDNSKEY || k.ZSK {
			z.Sigs[name][typ] = append(z.Sigs[name][typ], k.sign(z.t, z.Name, set, from, to))
		}
	}
}

// signs tells authoritative sets from delegations and glue, RFC 4035 section 2.2.
func (z *Zone) signs(name string, typ uint16) bool {
	cut := z.cutAbove(name)
	return cut == "" || cut == name && (typ == dns.TypeDS || typ == dns.TypeNSEC)
}

// cutAbove is the delegation at or above name, "" without one.
func (z *Zone) cutAbove(name string) string {
	for _, i := range dns.Split(name) {
		at := name[i:]
		if at != z.Name && dns.IsSubDomain(z.Name, at) && z.RRs[at][dns.TypeNS] != nil {
			return at
		}
	}
	return ""
}

func under(label, zone string) string {
	if zone == "." {
		return label + "."
	}
	return label + "." + zone
}

func up(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// canonical orders names by their labels from the right, RFC 4034 section 6.1.
// The bed's names have no escapes.
func canonical(a, b string) int {
	la, lb := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(la)
	slices.Reverse(lb)
	return slices.CompareFunc(la, lb, func(x, y string) int {
		return bytes.Compare([]byte(strings.ToLower(x)), []byte(strings.ToLower(y)))
	})
}
