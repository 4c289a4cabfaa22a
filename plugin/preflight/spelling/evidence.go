package spelling

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Networks are the addresses and networks that a Corefile speaks of, sorted. They are
// evidence of what a reverse zone is meant for.
type Networks []netip.Prefix

// Evidence is what a Corefile says of a zone that may be a reverse one. The zero value is
// none.
type Evidence struct {
	Networks func() Networks // asked only if they matter
	Private  bool            // whoever has the zone has private networks
}

func (e Evidence) spoken(network netip.Prefix) bool {
	return e.Networks != nil && e.Networks().Within(network)
}

// maxNetworks is how many are kept of one Corefile.
const maxNetworks = 1 << 16

// Add adds the addresses that stand in a word of the Corefile, and what looks like the
// octets of a network, as in db.192.0.2. A reverse zone is what is in question, and adds
// nothing. Sort makes them fit for use.
func (n *Networks) Add(word string) {
	if len(*n) >= maxNetworks || strings.Contains(word, "arpa") || !strings.ContainsAny(word, "0123456789:") {
		return
	}
	for _, part := range strings.FieldsFunc(word, notOfAddress) {
		addr, err := netip.ParseAddr(part)
		if with, port := netip.ParseAddrPort(part); err != nil && port == nil {
			addr, err = with.Addr(), nil
		}
		if err == nil {
			*n = append(*n, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		n.addOctets(part, 3)
	}
}

// AddFile adds the network that the name of a zone file has, of two octets at least, as
// in 10-1.zone.
func (n *Networks) AddFile(path string) {
	base := strings.NewReplacer("-", ".", "_", ".").Replace(path[strings.LastIndexByte(path, '/')+1:])
	if len(*n) < maxNetworks && !strings.Contains(base, "arpa") {
		n.addOctets(base, 2)
	}
}

// addOctets adds the network of the first row of so many numbers, or more, in a name.
func (n *Networks) addOctets(name string, least int) {
	var octets []byte
	for _, label := range append(strings.Split(name, "."), "") {
		if v, err := strconv.ParseUint(label, 10, 8); err == nil && len(octets) < 4 {
			octets = append(octets, byte(v))
			continue
		}
		if len(octets) >= least {
			*n = append(*n, network4(octets))
			return
		}
		octets = octets[:0]
	}
}

func notOfAddress(r rune) bool {
	return r != '.' && r != ':' && (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F')
}

// Sort puts n into the order that Within needs.
func (n Networks) Sort() {
	slices.SortFunc(n, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
}

// Within reports whether one of n lies in network. Of a single address its neighbours count.
func (n Networks) Within(network netip.Prefix) bool {
	const neighbours4 = 24
	if network.Addr().Is4() && network.Bits() > neighbours4 {
		network = netip.PrefixFrom(network.Addr(), neighbours4)
	}
	network = network.Masked()
	i, _ := slices.BinarySearchFunc(n, network.Addr(), func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	for ; i < len(n) && network.Contains(n[i].Addr()); i++ {
		if n[i].Bits() >= network.Bits() {
			return true
		}
	}
	return false
}

// network4 is the network of these octets, at most four, from the left.
func network4(octets []byte) netip.Prefix {
	var a [4]byte
	copy(a[:], octets)
	return netip.PrefixFrom(netip.AddrFrom4(a), 8*len(octets))
}

// network6 is the network of these hexadecimal digits from the left, invalid if they are
// too many.
func network6(digits string) netip.Prefix {
	var a [16]byte
	for i := range min(len(digits), 2*len(a)) {
		v, _ := strconv.ParseUint(digits[i:i+1], 16, 8)
		a[i/2] |= byte(v) << (4 * (1 - i%2))
	}
	return netip.PrefixFrom(netip.AddrFrom16(a), 4*len(digits))
}

// Private reports whether network is for the use of everybody (RFC 1918, RFC 3927, RFC 6598).
func Private(network netip.Prefix) bool { return within(network, private) }

// usual are networks that nobody takes for another one: the private ones as a whole, the
// two that most routers for homes come with, and those of examples (RFC 5737). What their
// octets are in reverse belongs to one holder each.
var usual = prefixes("192.168.0.0/16", "192.168.0.0/24", "192.168.1.0/24", "172.16.0.0/16", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")

var private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")

func within(network netip.Prefix, wide []netip.Prefix) bool {
	return slices.ContainsFunc(wide, func(w netip.Prefix) bool { return w.Bits() <= network.Bits() && w.Contains(network.Addr()) })
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}
