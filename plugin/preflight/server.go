package preflight

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/spelling"
)

// A server is a block with its keys, chain and addresses worked out.
type server struct {
	*Block
	keys     []key
	sites    []*site    // of keys
	services []*service // of its ports, in the order of its keys
	zones    []string   // of all keys, once each
	faulty   []fault    // keys that are no zones
	numbers  []string   // keys that may be addresses, or networks not read as such
	chain    *chain.Chain
	view     *chain.Link     // nil if it has none
	hosts    []netip.Addr    // of bind; empty: all of the machine's addresses
	unclear  bool            // bound to interfaces or to what is no address at all
	twice    []string        // zones that it has twice on one port
	blank    map[string]bool // keys with variables that have no value, as they are read
	opaque   bool            // too large to judge
	size     limit           // what makes it so
	folder   bool            // what the directory of its auto has is known
	forwards []forward       // what forwardsOf read
	hop      *hop            // the first that onward found of its
	fate     fate            // what becomes of its questions
}

// A key is one zone on one port.
type key struct {
	port
	zone string
}

type port struct{ transport, number string }

var defaultPorts = map[string]string{
	transport.DNS:    transport.Port,
	transport.TLS:    transport.TLSPort,
	transport.QUIC:   transport.QUICPort,
	transport.GRPC:   transport.GRPCPort,
	transport.HTTPS:  transport.HTTPSPort,
	transport.HTTPS3: transport.HTTPSPort,
}

// A limit is what keeps a block from being judged.
type limit string

// The limits are on what the checks compare with each other: the zones of one
// block, those of its plugins included, and the blocks of one zone. There is
// maxSteps too.
const (
	maxZones = 256

	overZones  limit = "it has more than 256 zones, those of its plugins included"
	overBlocks limit = "more than 256 blocks have one of its zones"
	overKeys   limit = "this Corefile has too many zones"
	overSteps  limit = "this Corefile has too many names and plugins"
)

func (s *server) skip(why limit) {
	if !s.opaque {
		s.chain, _ = chain.New(nil, nil, nil, 0)
		s.opaque, s.size = true, why
	}
}

// load reads a block. What its keys make of zones is taken off left; without
// enough of them the rest is not read.
func (s *server) load(b *Block, order chain.Order, h Host, left *int) {
	s.Block, s.keys, s.zones = b, make([]key, 0, len(b.Keys)), make([]string, 0, len(b.Keys))
	for _, text := range b.Keys {
		if *left <= 0 {
			s.skip(overKeys)
			break
		}
		n := s.read(text, h.Port)
		if n > 1 {
			n *= ofNetwork
		}
		*left -= n
	}
	slices.Sort(s.zones)
	s.zones = slices.Compact(s.zones)

	if len(s.zones) > maxZones {
		s.skip(overZones)
	}
	if !s.opaque {
		var small bool
		if s.chain, small = chain.New(b.Directives, s.zones, order, maxZones); !small {
			s.skip(overZones)
		}
	}
	s.folder = s.chain.Fill(h.ZoneFiles, maxZones)
	if l, ok := s.find("view"); ok {
		s.view = l
	}
	for _, v := range b.Unset {
		if s.blank == nil {
			s.blank = make(map[string]bool)
		}
		s.blank[v.Value] = true
	}
	s.bind()
}

// ofNetwork is how many keys one zone of a network counts for, as it is as much work.
const ofNetwork = 4

// A fault is why a key is no zone.
type fault struct {
	key string
	err error
}

var errPort = errors.New("no port is above 65535")

// read adds one key of a block, of which a network makes several, and returns
// how many.
func (s *server) read(text, dnsPort string) int {
	trans, rest := parse.Transport(text)
	zones, number, err := plugin.SplitHostPort(rest)
	if spelling.MayBeNumbers(rest) && (err != nil || !spelling.Reversed(zones) || zones[0] == "in-addr.arpa.") {
		s.numbers = append(s.numbers, text)
	}
	if err != nil { // CoreDNS refuses to start
		s.faulty = append(s.faulty, fault{text, err})
		return 1
	}
	if number == "" {
		number = defaultPorts[trans]
		if trans == transport.DNS && dnsPort != "" {
			number = dnsPort
		}
	}
	if n, err := strconv.Atoi(number); err == nil && n > math.MaxUint16 {
		s.faulty = append(s.faulty, fault{text, errPort})
	}
	for _, z := range zones {
		z = plugin.Name(z).Normalize()
		s.keys = append(s.keys, key{port{trans, number}, z})
		s.zones = append(s.zones, z)
	}
	return len(zones)
}

// bind collects the addresses of all bind directives, as plugin/bind does.
func (s *server) bind() {
	for _, d := range s.Directives {
		if d.Name != "bind" {
			continue
		}
		if _, ok := d.Option("except"); ok {
			s.unclear = true
		}
		for _, a := range d.Args() {
			ip, err := netip.ParseAddr(a)
			if err != nil {
				s.unclear = true
				continue
			}
			s.hosts = append(s.hosts, ip.Unmap().WithZone(""))
		}
	}
}

// everywhere reports whether s listens on a wildcard address that takes what is
// sent to addr. The IPv6 one takes IPv4 too.
func (s *server) everywhere(addr netip.Addr) bool {
	return len(s.hosts) == 0 || slices.ContainsFunc(s.hosts, func(h netip.Addr) bool {
		return h.IsUnspecified() && (h.Is6() || addr.Is4())
	})
}

// at reports whether s gets what is sent to t. The kernel prefers the socket that is bound
// to the address.
func (s *server) at(t *target) bool {
	if t.bound && !t.addr.IsUnspecified() {
		return slices.Contains(s.hosts, t.addr)
	}
	return s.everywhere(t.addr)
}

// hears reports whether s certainly gets what is sent to other's addresses.
func (s *server) hears(other *server) bool {
	if s.unclear || other.unclear || len(s.hosts) == 0 != (len(other.hosts) == 0) {
		return false
	}
	return !slices.ContainsFunc(other.hosts, func(a netip.Addr) bool { return !slices.Contains(s.hosts, a) })
}

func (s *server) find(name string) (*chain.Link, bool) {
	return s.chain.Find(name)
}

func (s *server) has(name string) bool {
	_, ok := s.find(name)
	return ok
}

// any reports whether is holds for a link of the chain.
func (s *server) any(is func(*chain.Link) bool) bool {
	for i := range s.chain.Links {
		if is(&s.chain.Links[i]) {
			return true
		}
	}
	return false
}

// asksOthers reports whether s asks other servers.
func (s *server) asksOthers() bool { return s.any((*chain.Link).Forwards) }

// zonesOn returns the zones that s has on p.
func (s *server) zonesOn(p port) []string {
	var zones []string
	for _, k := range s.keys {
		if k.port == p {
			zones = append(zones, k.zone)
		}
	}
	return zones
}

// addressed reports whether l has the address of an upstream, or a file of them, where its
// zone should stand, which impossible-zone tells.
func addressed(l *chain.Link) bool {
	if l.Name != "forward" && l.Name != "grpc" || len(l.Zones) != 1 {
		return false
	}
	a := spelling.AddressIn(strings.TrimSuffix(l.Zones[0], "."))
	return a != "" && !strings.Contains(a, "/") || strings.HasPrefix(l.Zones[0], "/")
}
