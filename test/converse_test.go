package test_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

const (
	// patience is how long a test waits for what must come: far above the five
	// seconds that forward and etcd take at most.
	patience = 30 * time.Second
	// silence is how long it listens for what must not.
	silence = 100 * time.Millisecond
)

// Clients that the server blocks of these tests treat differently.
const (
	briefClient = "127.0.0.1"
	fullClient  = "127.0.0.2"
	noneClient  = "127.0.0.3"
)

// levels is an ede directive with one text level for each of these clients.
const levels = "ede {\n text full " + fullClient + "\n text none " + noneClient + "\n text brief\n log all\n }"

// packets sends m from a client's address and returns all answers, as they were
// on the wire: it waits for the first one, then for a moment for another. It
// gives m an id that no other query here has, so that its log line is found.
func packets(t testing.TB, client, network, addr string, m *dns.Msg) [][]byte {
	t.Helper()
	m.Id = server.NextID()
	if tsig := m.IsTsig(); tsig != nil {
		tsig.OrigId = m.Id
	}
	wire, _ := pack(t, m)
	return exchange(t, client, network, addr, wire, 1)
}

// The TSIG key of these tests.
const (
	keyName   = "k.example."
	keySecret = "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="
)

// pack returns m as it goes out, signed if it ends in a TSIG record, and the
// MAC of its signature.
func pack(t testing.TB, m *dns.Msg) (wire []byte, mac string) {
	t.Helper()
	var err error
	if m.IsTsig() != nil {
		wire, mac, err = dns.TsigGenerate(m.Copy(), keySecret, "", false)
	} else {
		wire, err = m.Pack()
	}
	if err != nil {
		t.Fatalf("pack query: %v", err)
	}
	return wire, mac
}

// signed adds the TSIG record that pack signs with.
func signed(m *dns.Msg) *dns.Msg {
	m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix())
	return m
}

// exchange sends wire, waits for as many answers as given, and then for a moment
// for more.
func exchange(t testing.TB, client, network, addr string, wire []byte, atLeast int) [][]byte {
	t.Helper()
	conn, err := dialer(client, network).Dial(network, addr)
	if err != nil {
		t.Fatalf("dial %s: %v", addr, err)
	}
	defer conn.Close()
	if network == "tcp" {
		wire = append([]byte{byte(len(wire) >> 8), byte(len(wire))}, wire...)
	}
	if _, err := conn.Write(wire); err != nil {
		t.Fatalf("send to %s: %v", addr, err)
	}
	var all [][]byte
	wait := patience
	for len(all) < 16 {
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		packet, err := receive(conn, network)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("receive from %s: %v", addr, err)
		}
		all = append(all, packet)
		if len(all) >= atLeast {
			wait = silence
		}
	}
	t.Fatalf("%s does not stop answering", addr)
	return nil
}

func dialer(client, network string) *net.Dialer {
	ip := net.ParseIP(client)
	if network == "tcp" {
		return &net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}, Timeout: patience}
	}
	return &net.Dialer{LocalAddr: &net.UDPAddr{IP: ip}, Timeout: patience}
}

func receive(conn net.Conn, network string) ([]byte, error) {
	if network == "udp" {
		buf := make([]byte, dns.MaxMsgSize)
		n, err := conn.Read(buf)
		return buf[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, int(size[0])<<8|int(size[1]))
	_, err := io.ReadFull(conn, packet)
	return packet, err
}

// ask sends m and returns the one answer; none or several fail the test.
func ask(t testing.TB, client, network, addr string, m *dns.Msg) *dns.Msg {
	t.Helper()
	all := packets(t, client, network, addr, m)
	if len(all) != 1 {
		t.Fatalf("%d answers on the wire to %s, want 1", len(all), m.Question[0].String())
	}
	return parse(t, all[0])
}

// query is an A query with EDNS.
func query(name string, options ...server.Option) *dns.Msg {
	return server.Message(name, dns.TypeA, append([]server.Option{server.EDNS()}, options...)...)
}

func parse(t testing.TB, packet []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(packet); err != nil {
		t.Fatalf("parse an answer of %d octets: %v", len(packet), err)
	}
	return m
}
