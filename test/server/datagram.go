package server

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Packets sends m over UDP once and returns every datagram that comes back: it
// waits for as many as are expected, as long as Query does, and then for the time
// given, which it always takes in full, for more.
func Packets(t testing.TB, addr string, m *dns.Msg, expected int, listen time.Duration) [][]byte {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatalf("dial %s: %v", addr, err)
	}
	defer conn.Close()
	wire, err := m.Pack()
	if err != nil {
		t.Fatalf("pack query: %v", err)
	}
	if _, err := conn.Write(wire); err != nil {
		t.Fatalf("send to %s: %v", addr, err)
	}
	var packets [][]byte
	buf := make([]byte, dns.MaxMsgSize)
	for until := time.Now().Add(QueryTimeout); ; {
		if len(packets) == expected {
			until = time.Now().Add(listen)
		}
		if err := conn.SetReadDeadline(until); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return packets
		}
		if err != nil {
			t.Fatalf("listen for answers of %s: %v", addr, err)
		}
		packets = append(packets, append([]byte{}, buf[:n]...))
	}
}

// Datagrams is Packets with each datagram parsed; one that is no DNS message
// fails the test.
func Datagrams(t testing.TB, addr string, m *dns.Msg, expected int, listen time.Duration) []*dns.Msg {
	t.Helper()
	var messages []*dns.Msg
	for _, wire := range Packets(t, addr, m, expected, listen) {
		r, err := unpack(wire)
		if err != nil {
			t.Fatalf("parse a datagram of %d octets from %s: %v", len(wire), addr, err)
		}
		messages = append(messages, r)
	}
	return messages
}
