package delegation

import (
	"math/rand/v2"
	"net/netip"
)

// rootAddrs are the root servers' addresses as IANA publishes them
// (www.iana.org/domains/root/servers), A to M.
var rootAddrs = []struct{ v4, v6 string }{
	{"198.41.0.4", "2001:503:ba3e::2:30"},
	{"170.247.170.2", "2801:1b8:10::b"},
	{"192.33.4.12", "2001:500:2::c"},
	{"199.7.91.13", "2001:500:2d::d"},
	{"192.203.230.10", "2001:500:a8::e"},
	{"192.5.5.241", "2001:500:2f::f"},
	{"192.112.36.4", "2001:500:12::d0d"},
	{"198.97.190.53", "2001:500:1::53"},
	{"192.36.148.17", "2001:7fe::53"},
	{"192.58.128.30", "2001:503:c27::2:30"},
	{"193.0.14.129", "2001:7fd::1"},
	{"199.7.83.42", "2001:500:9f::42"},
	{"202.12.27.33", "2001:dc3::35"},
}

// Roots returns the addresses of the root servers, IPv4 and IPv6, port 53, in
// random order, so that no single one of them carries all diagnoses.
func Roots() []netip.AddrPort {
	roots := make([]netip.AddrPort, 0, 2*len(rootAddrs))
	for _, a := range rootAddrs {
		roots = append(roots,
			netip.AddrPortFrom(netip.MustParseAddr(a.v4), 53),
			netip.AddrPortFrom(netip.MustParseAddr(a.v6), 53))
	}
	rand.Shuffle(len(roots), func(i, j int) { roots[i], roots[j] = roots[j], roots[i] })
	return roots
}

// rootsPerFamily is how many roots of a family a probe may ask: the root is a
// way in here, not what is diagnosed.
const rootsPerFamily = 3

func (p *Prober) root() *zone {
	roots := p.Roots
	if roots == nil {
		roots = Roots()
	}
	z := &zone{name: "."}
	var count [2]int
	for _, a := range roots {
		family := 0
		if a.Addr().Is6() {
			family = 1
		}
		if count[family] == rootsPerFamily || !p.mayAsk(a.Addr()) {
			continue
		}
		count[family]++
		z.servers = append(z.servers, server{"root", a})
	}
	z.order()
	return z
}
