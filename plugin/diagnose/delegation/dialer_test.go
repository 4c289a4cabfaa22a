package delegation

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// patience is above all that a machine may take that has other things to do.
const patience = 30 * time.Second

// answering starts a UDP and a TCP listener on one port of addr. udp and tcp
// give the datagrams or messages to send back for each question; nil: none.
func answering(t testing.TB, addr string, udp, tcp func(q *dns.Msg) [][]byte) netip.AddrPort {
	t.Helper()
	pc, ln := listenBoth(t, addr, 0)
	go func() {
		buf := make([]byte, dns.MaxMsgSize)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(dns.Msg)
			if udp == nil || q.Unpack(buf[:n]) != nil {
				continue
			}
			for _, wire := range udp(q) {
				_, _ = pc.WriteTo(wire, from)
			}
		}
	}()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			c := &dns.Conn{Conn: conn}
			if q, err := c.ReadMsg(); err == nil && tcp != nil {
				for _, wire := range tcp(q) {
					_, _ = c.Write(wire)
				}
			}
			conn.Close()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

// listenBoth binds UDP and TCP to one port, chosen by the kernel if port is 0.
func listenBoth(t testing.TB, addr string, port uint16) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		at := netip.AddrPortFrom(netip.MustParseAddr(addr), port).String()
		ln, err := net.Listen("tcp", at)
		if err != nil {
			t.Skip(err) // no such loopback address here
		}
		pc, err := net.ListenPacket("udp", ln.Addr().String())
		if err == nil {
			t.Cleanup(func() { pc.Close(); ln.Close() })
			return pc, ln
		}
		ln.Close()
		if port != 0 {
			t.Skip(err)
		}
	}
	t.Fatal("no port that is free for UDP and TCP")
	return nil, nil
}

func packed(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	wire, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return wire
}

func TestDialerTakesOnlyTheReplyToItsQuestion(t *testing.T) {
	type edit func(m *dns.Msg)
	good := edit(func(*dns.Msg) {})
	wrongID := edit(func(m *dns.Msg) { m.Id++ })
	wrongName := edit(func(m *dns.Msg) { m.Question[0].Name = "other.example.org." })
	wrongType := edit(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeMX })
	wrongClass := edit(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })
	query := edit(func(m *dns.Msg) { m.Response = false })
	notify := edit(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })
	truncated := edit(func(m *dns.Msg) { m.Truncated = true })
	bareRefused := edit(func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeRefused, nil })
	bareOK := edit(func(m *dns.Msg) { m.Question = nil })
	upper := edit(func(m *dns.Msg) { m.Question[0].Name = strings.ToUpper(m.Question[0].Name) })
	repeat := func(e edit, n int) (out []edit) {
		for range n {
			out = append(out, e)
		}
		return out
	}
	tests := []struct {
		name     string
		udp, tcp []edit
		wantTCP  bool
		err      error
	}{
		{name: "good over UDP", udp: []edit{good}},
		{name: "other case of the name", udp: []edit{upper}},
		{name: "good after others", udp: []edit{wrongID, wrongName, wrongType, query, good}},
		{name: "truncated", udp: []edit{truncated}, tcp: []edit{good}, wantTCP: true},
		{name: "refusal without a question", udp: []edit{bareRefused}},
		{name: "success without a question", udp: []edit{bareOK}, tcp: []edit{good}, wantTCP: true},
		{name: "another id alone", udp: []edit{wrongID}, tcp: []edit{good}, wantTCP: true},
		{name: "another class and opcode", udp: []edit{wrongClass, notify}, tcp: []edit{good}, wantTCP: true},
		{name: "as many strays as are read", udp: append(repeat(wrongID, maxStray), good), tcp: []edit{good}, wantTCP: true},
		{name: "one stray fewer", udp: append(repeat(wrongID, maxStray-1), good)},
		{name: "another id over TCP too", udp: []edit{wrongID}, tcp: []edit{wrongID}, wantTCP: true, err: ErrReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // some wait until the time is over
			overTCP := false
			send := func(edits []edit, tcp bool) func(q *dns.Msg) [][]byte {
				return func(q *dns.Msg) (out [][]byte) {
					for _, e := range edits {
						m := new(dns.Msg).SetReply(q)
						m.Authoritative = tcp
						e(m)
						out = append(out, packed(t, m))
					}
					return out
				}
			}
			at := answering(t, "127.0.0.1", send(tt.udp, false), send(tt.tcp, true))
			d := &Dialer{Timeout: 2 * time.Second, DialContext: func(ctx context.Context, network, a string) (net.Conn, error) {
				overTCP = overTCP || network == "tcp"
				return new(net.Dialer).DialContext(ctx, network, a)
			}}
			m, err := d.Direct(t.Context(), at, question("example.org.", dns.TypeA, true))
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if overTCP != tt.wantTCP {
				t.Errorf("asked over TCP: %v", overTCP)
			}
			if err == nil && m.Authoritative != tt.wantTCP {
				t.Error("the reply of the wrong transport was taken")
			}
		})
	}
}

func TestDialerIgnoresOtherSources(t *testing.T) {
	other, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	// The forged reply comes from another port with the right id.
	pc, _ := listenBoth(t, "127.0.0.1", 0)
	go func() {
		buf := make([]byte, dns.MaxMsgSize)
		n, from, err := pc.ReadFrom(buf)
		q := new(dns.Msg)
		if err != nil || q.Unpack(buf[:n]) != nil {
			return
		}
		_, _ = other.WriteTo(packed(t, new(dns.Msg).SetRcode(q, dns.RcodeNameError)), from)
		_, _ = pc.WriteTo(packed(t, new(dns.Msg).SetReply(q)), from)
	}()
	d := &Dialer{Timeout: patience}
	m, err := d.Direct(t.Context(), netip.MustParseAddrPort(pc.LocalAddr().String()), question("example.org.", dns.TypeA, false))
	if err != nil || m.Rcode != dns.RcodeSuccess {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestDialerErrorsAreToldApart(t *testing.T) {
	shut := netip.MustParseAddrPort(port.Free(t))
	garbage := func(*dns.Msg) [][]byte { return [][]byte{bytes.Repeat([]byte{0xff}, 40)} }
	tests := []struct {
		name   string
		server netip.AddrPort
		// wait is long where something comes, however busy the machine is.
		wait time.Duration
		want Outcome
	}{
		{"nobody listens", shut, patience, Closed},
		{"silent", answering(t, "127.0.0.1", nil, nil), time.Second / 5, Timeout},
		// What is no reply is passed over until the time is over.
		{"garbage over both", answering(t, "127.0.0.1", garbage, garbage), 2 * time.Second, Malformed},
		{"garbage, then TCP closes", answering(t, "127.0.0.1", garbage, nil), 2 * time.Second, Closed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := &Dialer{Timeout: tt.wait}
			_, err := d.Direct(t.Context(), tt.server, question("example.org.", dns.TypeA, true))
			if got := outcomeOf(err); got != tt.want {
				t.Errorf("%v is %q, want %q", err, got, tt.want)
			}
		})
	}
}

func TestDialerLeavesTheQuestionAloneAndVariesItsID(t *testing.T) {
	const questions = 8
	sent := make(chan uint16, questions)
	at := answering(t, "127.0.0.1", func(q *dns.Msg) [][]byte {
		sent <- q.Id
		return [][]byte{packed(t, new(dns.Msg).SetReply(q))}
	}, nil)
	q := question("example.org.", dns.TypeA, true)
	before := q.String()
	ids := map[uint16]bool{}
	for range questions {
		if _, err := new(Dialer).Direct(t.Context(), at, q); err != nil {
			t.Fatal(err)
		}
		ids[<-sent] = true
	}
	if q.String() != before {
		t.Error("the question was modified")
	}
	if len(ids) < 4 {
		t.Errorf("%d questions had %d ids", questions, len(ids))
	}
}

func TestDialerStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	at := answering(t, "127.0.0.1", func(*dns.Msg) [][]byte { cancel(); return nil }, nil)
	d := &Dialer{Timeout: time.Hour} // the test would hang
	if _, err := d.Direct(ctx, at, question("example.org.", dns.TypeA, true)); err == nil {
		t.Error("no error")
	}
}

func TestDialerWantsOneQuestion(t *testing.T) {
	if _, err := new(Dialer).Direct(t.Context(), netip.AddrPort{}, new(dns.Msg)); err == nil {
		t.Error("no error")
	}
}

// FuzzAccept: what it accepts is a response with the id and question asked.
func FuzzAccept(f *testing.F) {
	q := question("www.example.org.", dns.TypeA, true)
	q.Id = 0x1234
	m := new(dns.Msg).SetReply(q)
	f.Add(packed(f, m))
	m.Rcode, m.Question = dns.RcodeRefused, nil
	f.Add(packed(f, m))
	f.Add([]byte{0x12, 0x34, 0x80, 0, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		m, err := accept(wire, q)
		if err != nil {
			if m != nil || !errors.Is(err, ErrReply) {
				t.Errorf("message %v with error %v", m, err)
			}
			return
		}
		if m.Id != q.Id || !m.Response {
			t.Errorf("accepted %v", m)
		}
		if len(m.Question) == 0 {
			if !failed(m.Rcode) {
				t.Errorf("accepted without a question: %v", m)
			}
		} else if !strings.EqualFold(m.Question[0].Name, q.Question[0].Name) {
			t.Errorf("accepted for another name: %v", m)
		}
	})
}
