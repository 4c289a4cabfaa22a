package server

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
)

// startTries bounds the starts until no port is shared.
const startTries = 8

// crowded reports whether another socket than those of listeners is bound to the
// IPv4 address and UDP port of one of them. CoreDNS sets SO_REUSEPORT, and to
// such a socket Linux may give, for port 0, the port that another one of the same
// user has: each then gets a share of the other's queries. Elsewhere than on
// Linux nothing is known and nothing done.
func crowded(listeners []Listener) bool {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return false
	}
	own := make(map[string]int)
	for _, l := range listeners {
		addr, err := net.ResolveUDPAddr("udp", l.UDP)
		if l.UDP == "" || err != nil {
			continue
		}
		if ip := addr.IP.To4(); ip != nil {
			own[fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip), addr.Port)]++
		}
	}
	bound := make(map[string]int)
	for _, line := range strings.Split(string(table), "\n") {
		if words := strings.Fields(line); len(words) > 1 {
			bound[words[1]]++
		}
	}
	for socket, n := range own {
		if bound[socket] > n {
			return true
		}
	}
	return false
}
