package upstream

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/port"
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

// Closed returns an address on which nothing listens, neither UDP nor TCP, until
// the test ends.
func Closed(t testing.TB) string {
	t.Helper()
	return port.Free(t)
}
