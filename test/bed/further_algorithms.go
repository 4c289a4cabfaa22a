package bed

import (
	"strconv"

	"github.com/miekg/dns"
)

// furtherAlgorithms are faults in zones of each algorithm that validators know
// (RFC 8624 section 3.1, RFC 9905), and zones of those that they do not.
func furtherAlgorithms() []Case {
	var cases []Case
	for _, a := range []uint8{dns.RSASHA1, dns.RSASHA1NSEC3SHA1, dns.RSASHA256, dns.RSASHA512, dns.ECDSAP384SHA384, dns.ED25519} {
		label := algorithmLabels[a]
		var also []uint16
		if a == dns.RSASHA1 || a == dns.RSASHA1NSEC3SHA1 {
			// RFC 9905 lets a validator take these for unsupported.
			also = codes(1)
		}
		cases = append(cases,
			Case{Name: label + "-expired", Before: Algorithm(a), After: Times(dns.TypeA, past, lately), Expected: codes(7), AlsoTrue: append(also, 6)},
			Case{Name: label + "-corrupt", Before: Algorithm(a), After: Corrupt(dns.TypeA), Expected: codes(6), AlsoTrue: also},
			Case{Name: label + "-denial", Ask: missing, Before: Algorithm(a), AlsoTrue: also},
			Case{Name: label + "-other-key", Before: func(z *Zone) {
				Algorithm(a)(z)
				z.Keys[1].Published = NewKey(z.t, z.Name, dns.ZONE, a).Published
			}, Expected: codes(6, 9), AlsoTrue: also},
		)
	}
	// Nothing of such a zone is judged (RFC 4035 section 5.2), broken or not.
	for _, a := range []uint8{dns.RSAMD5, dns.DSA, 6, dns.ECCGOST, 17, 23, dns.PRIVATEDNS, dns.PRIVATEOID, 123} {
		cases = append(cases, Case{Name: "unsupported-" + strconv.Itoa(int(a)) + "-broken", Before: Algorithm(a), After: Corrupt(0),
			Expected: codes(1), AlsoTrue: codes(9)})
	}
	return cases
}

var algorithmLabels = map[uint8]string{
	dns.RSASHA1: "rsasha1", dns.RSASHA1NSEC3SHA1: "rsasha1-nsec3", dns.RSASHA256: "rsasha256", dns.RSASHA512: "rsasha512",
	dns.ECDSAP384SHA384: "p384", dns.ED25519: "ed25519",
}
