package delegation

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestSpecialPurposeNamesTheBlock(t *testing.T) {
	tests := []struct{ addr, block string }{
		{"0.0.0.0", "unspecified address 0.0.0.0/32"},
		{"0.1.2.3", "this network 0.0.0.0/8"},
		{"10.255.255.255", "private use 10.0.0.0/8"},
		{"100.64.0.1", "shared address space 100.64.0.0/10"},
		{"100.128.0.1", ""},
		{"127.0.0.53", "loopback 127.0.0.0/8"},
		{"169.254.169.254", "link local 169.254.0.0/16"},
		{"172.15.255.255", ""},
		{"172.16.0.0", "private use 172.16.0.0/12"},
		{"172.32.0.0", ""},
		{"192.0.0.8", "IETF protocol assignments 192.0.0.0/24"},
		{"192.0.2.1", "documentation 192.0.2.0/24"},
		{"192.88.99.1", "6to4 relay anycast 192.88.99.0/24"},
		{"192.168.1.1", "private use 192.168.0.0/16"},
		{"192.175.48.1", ""}, // AS112 name servers
		{"198.19.0.1", "benchmarking 198.18.0.0/15"},
		{"198.51.100.1", "documentation 198.51.100.0/24"},
		{"203.0.113.1", "documentation 203.0.113.0/24"},
		{"224.0.0.251", "multicast 224.0.0.0/4"},
		{"240.0.0.1", "reserved 240.0.0.0/4"},
		{"255.255.255.255", "limited broadcast 255.255.255.255/32"},
		{"::", "unspecified address ::/128"},
		{"::1", "loopback ::1/128"},
		{"::ffff:9.9.9.9", "IPv4-mapped ::ffff:0.0.0.0/96"},
		{"::9.9.9.9", "IPv4-compatible ::/96"},
		{"64:ff9b::909:909", "NAT64 64:ff9b::/96"},
		{"64:ff9b:1::1", "local-use NAT64 64:ff9b:1::/48"},
		{"100::1", "discard only 100::/64"},
		{"100:0:0:1::1", "dummy prefix 100:0:0:1::/64"},
		{"2001::1", "Teredo 2001::/32"},
		{"2001:2::1", "benchmarking 2001:2::/48"},
		{"2001:4:112::1", ""},
		{"2001:10::1", "ORCHID 2001:10::/28"},
		{"2001:20::1", "ORCHIDv2 2001:20::/28"},
		{"2001:1ff::1", "IETF protocol assignments 2001::/23"},
		{"2001:200::1", ""},
		{"2001:db8::1", "documentation 2001:db8::/32"},
		{"2002:a00::1", "6to4 2002::/16"},
		{"2620:4f:8000::1", ""},
		{"3fff::1", "documentation 3fff::/20"},
		{"3fff:1000::1", ""},
		{"4000::1", "reserved ::/0"},
		{"5f00::1", "SRv6 segment identifiers 5f00::/16"},
		{"fd00::1", "unique local fc00::/7"},
		{"fe80::1%eth0", "link local fe80::/10"},
		{"fec0::1", "site local fec0::/10"},
		{"ff02::fb", "multicast ff00::/8"},
	}
	for _, tt := range tests {
		got, ok := SpecialPurpose(netip.MustParseAddr(tt.addr))
		if got != tt.block || ok != (tt.block != "") {
			t.Errorf("%s: got %q, %v, want %q", tt.addr, got, ok, tt.block)
		}
	}
	if _, ok := SpecialPurpose(netip.Addr{}); !ok {
		t.Error("the zero Addr is not special")
	}
}

func TestBlocksAreReachable(t *testing.T) {
	for i, b := range blocks {
		for _, before := range blocks[:i] {
			if before.prefix.Bits() <= b.prefix.Bits() && before.prefix.Contains(b.prefix.Addr()) {
				t.Errorf("%s stands behind %s, which contains it", b.prefix, before.prefix)
			}
		}
	}
}

// A world fails its test when an address is asked that has no server in it.
func TestSpecialGlueIsNamedAndNeverAsked(t *testing.T) {
	for _, addr := range []string{
		"10.0.0.53", "172.16.5.3", "192.168.0.53", "192.0.2.53", "0.0.0.53", "169.254.0.53", "240.0.0.53",
		"100.64.0.53", "198.18.0.53", "224.0.0.53", "255.255.255.255",
		"::ffff:192.0.2.53", "::ffff:127.0.0.53", "::", "::7f00:35", "fe80::35", "::192.0.2.53", "2001:db8::35",
		"fc00::35", "ff02::35", "64:ff9b::192.0.2.53", "2002:c000:235::1", "2001::35",
	} {
		t.Run(addr, func(t *testing.T) {
			a := netip.MustParseAddr(addr)
			typ := "AAAA"
			if a.Is4() {
				typ = "A"
			}
			w := newWorld(t, fmt.Sprintf("example.org. NS ns1.example.org.\nns1.example.org. %s %s\n", typ, addr))
			f := w.prober().Probe(t.Context(), "example.org.", dns.TypeA)
			block, _ := SpecialPurpose(a)
			want := "no name server of example.org. has a public address, and none was asked: ns1.example.org. has a special-purpose address (" + block + ")"
			if f.Kind != Undecided || len(f.Codes) != 0 || f.Text != want {
				t.Errorf("got %s %v %q\nwant %q", f.Kind, f.Codes, f.Text, want)
			}
			if !strings.Contains(f.FullText, "("+a.String()+")") {
				t.Errorf("FullText %q has no address", f.FullText)
			}
		})
	}
}

func TestLoopbackGlueIsNotAskedUnlessAllowed(t *testing.T) {
	w := newWorld(t, "example.org. NS ns1.example.org.\nns1.example.org. A 127.0.0.53\nns1.example.org. AAAA ::1\n")
	p := w.prober()
	p.Allowed = []netip.Prefix{netip.MustParsePrefix(rootAddr + "/32"), netip.MustParsePrefix(orgAddr + "/32")}
	f := p.Probe(t.Context(), "example.org.", dns.TypeA)
	if f.Kind != Undecided {
		t.Errorf("got %s %q", f.Kind, f.Text)
	}
}

func TestAllowedNetworkIsAsked(t *testing.T) {
	w := newWorld(t, "example.org. NS ns1.example.org.\nns1.example.org. A 10.0.0.53\n")
	w.serve("10.0.0.53", "example.org.", exampleZone)
	p := w.prober()
	p.Allowed = append(p.Allowed, netip.MustParsePrefix("10.0.0.0/8"))
	if f := p.Probe(t.Context(), "www.example.org.", dns.TypeA); f.Kind != Healthy {
		t.Errorf("got %s %q", f.Kind, f.Text)
	}
}

func BenchmarkSpecialPurpose(b *testing.B) {
	a := netip.MustParseAddr("2600::53")
	for b.Loop() {
		SpecialPurpose(a)
	}
}
