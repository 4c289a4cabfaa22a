package exchange_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/exchange"
)

// stray answers what is asked at one address as answer does, which may be from another one.
func stray(t *testing.T, answer func(reply []byte, asked, other *net.UDPConn, to netip.AddrPort)) (asked, other string) {
	t.Helper()
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	one, two := open(), open()
	go func() {
		room := make([]byte, dns.MaxMsgSize)
		for {
			n, from, err := one.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			m := new(dns.Msg)
			if m.Unpack(room[:n]) != nil {
				continue
			}
			reply, _ := new(dns.Msg).SetReply(m).Pack()
			answer(reply, one, two, from)
		}
	}()
	return one.LocalAddr().String(), two.LocalAddr().String()
}

func TestARepliesSenderIsSeen(t *testing.T) {
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	another, _ := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("www.example.net.", dns.TypeA)).Pack()
	for _, tc := range []struct {
		name      string
		answer    func(reply []byte, asked, other *net.UDPConn, to netip.AddrPort)
		elsewhere bool
		sameID    bool
	}{
		{"as it should be", func(r []byte, asked, _ *net.UDPConn, to netip.AddrPort) { _, _ = asked.WriteToUDPAddrPort(r, to) }, false, true},
		{"from elsewhere", func(r []byte, _, other *net.UDPConn, to netip.AddrPort) { _, _ = other.WriteToUDPAddrPort(r, to) }, true, true},
		{"with another ID", func(r []byte, asked, _ *net.UDPConn, to netip.AddrPort) {
			r[0]++
			_, _ = asked.WriteToUDPAddrPort(r, to)
		}, false, false},
		{"after rubbish", func(r []byte, asked, other *net.UDPConn, to netip.AddrPort) {
			_, _ = other.WriteToUDPAddrPort([]byte("rubbish"), to)
			_, _ = other.WriteToUDPAddrPort(another, to)
			_, _ = asked.WriteToUDPAddrPort(r, to)
		}, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked, other := stray(t, tc.answer)
			h, err := exchange.Anywhere(t.Context(), asked, m)
			if err != nil {
				t.Fatal(err)
			}
			want := asked
			if tc.elsewhere {
				want = other
			}
			if h.From.String() != want || h.Elsewhere != tc.elsewhere || (h.Reply.Id == m.Id) != tc.sameID {
				t.Errorf("got %+v", h)
			}
		})
	}
}

func TestSendersThatAreNoReplyAreBounded(t *testing.T) {
	asked, _ := stray(t, func(_ []byte, asked, _ *net.UDPConn, to netip.AddrPort) {
		for range 20 {
			_, _ = asked.WriteToUDPAddrPort([]byte("rubbish"), to)
		}
	})
	m := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	if _, err := exchange.Anywhere(t.Context(), asked, m); !errors.Is(err, exchange.ErrQuestion) {
		t.Errorf("got %v", err)
	}
	silent, _ := stray(t, func([]byte, *net.UDPConn, *net.UDPConn, netip.AddrPort) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := exchange.Anywhere(ctx, silent, m); err == nil {
		t.Error("it does not end with its context")
	}
	if _, err := exchange.Anywhere(t.Context(), "ns.example.net", m); err == nil {
		t.Error("a name is taken for an address")
	}
}
