// Package port finds ports for tests that have to know one before anything
// listens on it: of a server in another process, of one that is loaded anew, or
// of one that never is there.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
)

// Ports are taken from below those that kernels give to sockets which ask for
// any: such a port would be lost again to the next client that connects, and a
// client that is connected to its own port even answers itself.
const (
	lowest  = 10000
	highest = 29999
)

// tries bounds the search.
const tries = 256

// Free returns an address of 127.0.0.1 on which nothing listens, neither UDP nor
// TCP. No other call returns it until the test has ended, in any process of the
// machine.
func Free(t testing.TB) string {
	t.Helper()
	top := highest
	if first := firstEphemeral(); first > lowest+1000 {
		top = min(top, first-1)
	}
	for range tries {
		addr := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(top-lowest+1))
		release, ok := claim(addr)
		if !ok {
			continue
		}
		if !free(addr) {
			release()
			continue
		}
		t.Cleanup(release)
		return addr
	}
	t.Fatalf("no free port found in %d tries", tries)
	return ""
}

// free reports whether addr can be had over UDP and TCP.
func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer l.Close()
	p, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	p.Close()
	return true
}

// claim takes addr from all other callers until it is released. The claim is a
// socket without a file: the kernel gives it up when the process ends, however
// that ends, and knows it in the network namespace alone in which the port is.
// Only Linux has such sockets.
func claim(addr string) (release func(), ok bool) {
	if runtime.GOOS != "linux" {
		return func() {}, true
	}
	s, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@coredns-ede test " + addr, Net: "unixgram"})
	if err != nil {
		return nil, false
	}
	return func() { _ = s.Close() }, true
}

// firstEphemeral is the lowest port that the kernel gives by itself, 0 where
// that is not known.
func firstEphemeral() (port int) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(text), &port)
	return port
}
