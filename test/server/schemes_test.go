//go:build linux

package server

import (
	"net"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/transport"
)

// DoQ and DoH3 on one port each get a share of the other's handshakes. For port 0
// the kernel gives both the same one now and then.
func TestTwoSchemesShareNoPort(t *testing.T) {
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	quic := Listener{Scheme: transport.QUIC, UDP: p.LocalAddr().String()}
	if keep([]Listener{quic}) {
		t.Error("one scheme on a port of its own: crowded")
	}
	if !keep([]Listener{quic, {Scheme: transport.HTTPS3, UDP: quic.UDP}}) {
		t.Error("two schemes on one port: not crowded")
	}
}
