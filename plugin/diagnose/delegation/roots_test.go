package delegation

import (
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestRootsAreThoseThatIANAPublishes(t *testing.T) {
	const hints = "/usr/share/dns/root.hints" // Debian's dns-root-data
	file, err := os.Open(hints)
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	var want []netip.AddrPort
	zp := dns.NewZoneParser(file, ".", hints)
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		for _, a := range addrsIn([]dns.RR{rr}, "") {
			want = append(want, netip.AddrPortFrom(a, 53))
		}
	}
	if err := zp.Err(); err != nil {
		t.Fatal(err)
	}
	got := Roots()
	slices.SortFunc(got, netip.AddrPort.Compare)
	slices.SortFunc(want, netip.AddrPort.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("built in %v\npublished %v", got, want)
	}
}

func TestOnlyAFewRootsAreAsked(t *testing.T) {
	var v4, v6 int
	for _, s := range new(Prober).root().servers {
		if s.addr.Addr().Is4() {
			v4++
		} else {
			v6++
		}
	}
	if v4 != rootsPerFamily || v6 != rootsPerFamily {
		t.Errorf("%d IPv4 and %d IPv6 roots, want %d each", v4, v6, rootsPerFamily)
	}
}
