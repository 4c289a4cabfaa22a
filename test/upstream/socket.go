package upstream

import (
	"net"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// place takes an address that stays the server's until the test ends, also after
// Stop. A port of the kernel's choosing would go to the next socket that asks for
// one: another test's server, or a client, which then answers itself.
func (s *Server) place(t testing.TB) {
	t.Helper()
	s.addr = port.Free(t)
}

// pair binds the address for UDP and TCP.
func (s *Server) pair() (net.PacketConn, net.Listener, error) {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return nil, nil, err
	}
	p, err := net.ListenPacket("udp", s.addr)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return p, l, nil
}

// Closed returns an address on which nothing listens, neither UDP nor TCP, until
// the test ends.
func Closed(t testing.TB) string {
	t.Helper()
	return port.Free(t)
}
