package delegation

import (
	"slices"
	"testing"
)

func TestSerialDistanceIsThatOfRFC1982(t *testing.T) {
	tests := []struct {
		a, b uint32
		lag  uint32
		ok   bool
	}{
		{1, 1, 0, true},
		{1, 4, 3, true},
		{4, 1, 0, true},
		{0xffffffff, 2, 3, true},
		{2, 0xffffffff, 0, true},
		{0, 1<<31 - 1, 1<<31 - 1, true},
		{0, 1 << 31, 0, false},
		{1 << 31, 0, 0, false},
	}
	for _, tt := range tests {
		if lag, ok := behind(tt.a, tt.b); lag != tt.lag || ok != tt.ok {
			t.Errorf("behind(%d, %d) = %d, %v, want %d, %v", tt.a, tt.b, lag, ok, tt.lag, tt.ok)
		}
	}
}

func TestSerialsAreComparedAcrossTheWrap(t *testing.T) {
	servers := []ServerResult{
		{Name: "a.", Serial: 0xfffffffe, HasSerial: true},
		{Name: "b."},
		{Name: "c.", Serial: 3, HasSerial: true},
		{Name: "d.", Serial: 0xffffffff, HasSerial: true},
	}
	brief, _ := compareSerials(servers)
	const want = "SOA serials differ: a. has 4294967294 (5 behind), c. has 3, d. has 4294967295 (4 behind)"
	if brief != want {
		t.Errorf("got %q\nwant %q", brief, want)
	}
	lags := []uint32{servers[0].Behind, servers[1].Behind, servers[2].Behind, servers[3].Behind}
	if !slices.Equal(lags, []uint32{5, 0, 0, 4}) {
		t.Errorf("lags are %v", lags)
	}
	for _, agree := range [][]ServerResult{nil, {{Serial: 1, HasSerial: true}}, {{Serial: 1, HasSerial: true}, {}, {Serial: 1, HasSerial: true}}} {
		if brief, full := compareSerials(agree); brief != "" || full != "" {
			t.Errorf("serials that agree give %q", brief)
		}
	}
}
