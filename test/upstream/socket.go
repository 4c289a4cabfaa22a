package upstream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

const anyPort = "127.0.0.1:0"

// portTries bounds the search for a port that is free in UDP and TCP alike.
const portTries = 64

// pair binds the same port for UDP and TCP.
func pair() (net.PacketConn, net.Listener, error) {
	var errs []error
	for range portTries {
		l, err := net.Listen("tcp", anyPort)
		if err != nil {
			return nil, nil, err
		}
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return p, l, nil
		}
		l.Close()
		errs = append(errs, err)
	}
	return nil, nil, fmt.Errorf("no port free for UDP and TCP in %d tries: %w", portTries, errors.Join(errs...))
}

// Closed returns an address on which nothing listens, neither UDP nor TCP. Its
// port is below those that kernels hand out by default, so that no socket
// opened later gets it: one that is connected to its own port would even answer
// itself.
func Closed(t testing.TB) string {
	t.Helper()
	for range portTries {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		p, err := net.ListenPacket("udp", addr)
		l.Close()
		if err != nil {
			continue
		}
		p.Close()
		return addr
	}
	t.Fatalf("no closed port found in %d tries", portTries)
	return ""
}
