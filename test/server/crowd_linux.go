package server

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// keep reserves the ports of listeners for these alone, and reports whether another
// socket is bound to one of them already, or two schemes share one. CoreDNS sets SO_REUSEPORT, and to such
// a socket Linux may give, for port 0, the UDP port that another one of the same
// user has: each then gets a share of the other's queries. Where one of the two
// has the option no longer, it does not. For IPv6 nothing is known here.
func keep(listeners []Listener) (crowded bool) {
	own := make(map[string]int)
	schemes := make(map[string]string)
	for _, l := range listeners {
		addr, err := net.ResolveUDPAddr("udp", l.UDP)
		if l.UDP == "" || err != nil {
			continue
		}
		if ip := addr.IP.To4(); ip != nil {
			address := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip), addr.Port)
			own[address]++
			other, taken := schemes[address]
			crowded = crowded || taken && other != l.Scheme
			schemes[address] = l.Scheme
		}
	}
	sockets := boundUDP()
	fds := openSockets()
	for address := range own {
		for _, inode := range sockets[address] {
			if fd, ok := fds[inode]; ok {
				_ = unix.SetsockoptInt(fd, syscall.SOL_SOCKET, unix.SO_REUSEPORT, 0)
			}
		}
	}
	// Who came before the option was gone is there by now.
	sockets = boundUDP()
	for address, n := range own {
		crowded = crowded || len(sockets[address]) > n
	}
	return crowded
}

// boundUDP are the inodes of all IPv4 UDP sockets, by the address that each is
// bound to, in the kernel's form.
func boundUDP() map[string][]string {
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return nil
	}
	bound := make(map[string][]string)
	for line := range strings.Lines(string(table)) {
		if words := strings.Fields(line); len(words) > 9 {
			bound[words[1]] = append(bound[words[1]], words[9])
		}
	}
	return bound
}

// openSockets are this process's descriptors of sockets, by inode.
func openSockets() map[string]int {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	open := make(map[string]int)
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err != nil {
			continue
		}
		inode, ok := strings.CutPrefix(target, "socket:[")
		fd, err := strconv.Atoi(e.Name())
		if ok && err == nil {
			open[strings.TrimSuffix(inode, "]")] = fd
		}
	}
	return open
}
