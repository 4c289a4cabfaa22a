package server

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// startTries bounds the starts until no port is shared.
const startTries = 8

// crowded reports whether another socket than those of listeners is bound to a
// UDP port of theirs. CoreDNS sets SO_REUSEPORT, and to such a socket Linux may
// give, for port 0, the port that another one of the same user has: each then
// gets a share of the other's queries. Elsewhere than on Linux nothing is known
// and nothing done.
func crowded(listeners []Listener) bool {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return false
	}
	own := make(map[string]int)
	for _, l := range listeners {
		if addr, err := net.ResolveUDPAddr("udp", l.UDP); l.UDP != "" && err == nil {
			own[fmt.Sprintf("%04X", addr.Port)]++
		}
	}
	bound := make(map[string]int)
	for _, line := range strings.Split(string(table), "\n") {
		if words := strings.Fields(line); len(words) > 1 {
			_, port, _ := strings.Cut(words[1], ":")
			bound[port]++
		}
	}
	for port, n := range own {
		if bound[port] > n {
			return true
		}
	}
	return false
}
