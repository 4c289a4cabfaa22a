package delegation

import (
	"math/rand/v2"
	"net/netip"
)

// block is an entry of the IANA IPv4 or IPv6 Special-Purpose Address Registry
// (RFC 6890), of the multicast space, or of space that was never given out.
type block struct {
	prefix netip.Prefix
	name   string // empty: globally reachable, though inside a special block
}

// blocks holds more specific prefixes before those that contain them.
var blocks = []block{
	{netip.MustParsePrefix("0.0.0.0/32"), "unspecified address"},
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private use"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private use"},
	{netip.MustParsePrefix("192.0.0.0/24"), "IETF protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay anycast"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private use"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("255.255.255.255/32"), "limited broadcast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},

	{netip.MustParsePrefix("::/128"), "unspecified address"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::ffff:0:0/96"), "IPv4-mapped"},
	{netip.MustParsePrefix("::/96"), "IPv4-compatible"},
	{netip.MustParsePrefix("64:ff9b::/96"), "NAT64"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local-use NAT64"},
	{netip.MustParsePrefix("100::/64"), "discard only"},
	{netip.MustParsePrefix("100:0:0:1::/64"), "dummy prefix"},
	{netip.MustParsePrefix("2001::/32"), "Teredo"},
	{netip.MustParsePrefix("2001:2::/48"), "benchmarking"},
	{netip.MustParsePrefix("2001:3::/32"), ""},     // AMT, RFC 7450
	{netip.MustParsePrefix("2001:4:112::/48"), ""}, // AS112-v6, RFC 7535: name servers
	{netip.MustParsePrefix("2001:10::/28"), "ORCHID"},
	{netip.MustParsePrefix("2001:20::/28"), "ORCHIDv2"},
	{netip.MustParsePrefix("2001::/23"), "IETF protocol assignments"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("2002::/16"), "6to4"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("2000::/3"), ""}, // the global unicast space
	{netip.MustParsePrefix("5f00::/16"), "SRv6 segment identifiers"},
	{netip.MustParsePrefix("fc00::/7"), "unique local"},
	{netip.MustParsePrefix("fe80::/10"), "link local"},
	{netip.MustParsePrefix("fec0::/10"), "site local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
	{netip.MustParsePrefix("::/0"), "reserved"},
}

// SpecialPurpose names the block that a belongs to ("private use 10.0.0.0/8")
// if a name server of the public tree cannot usefully have such an address: the
// special-purpose registries of RFC 6890 that are not globally reachable,
// multicast, the transition mechanisms (mapped, compatible, NAT64, 6to4,
// Teredo), and unassigned space. An address in none of them gives "", false.
// The zero Addr is special too.
func SpecialPurpose(a netip.Addr) (name string, ok bool) {
	if !a.IsValid() {
		return "invalid address", true
	}
	// A prefix never contains an address that carries a scope.
	a = a.WithZone("")
	for _, b := range blocks {
		if !b.prefix.Contains(a) {
			continue
		}
		if b.name == "" {
			return "", false
		}
		return b.name + " " + b.prefix.String(), true
	}
	return "", false
}

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
