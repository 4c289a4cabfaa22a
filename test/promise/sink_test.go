package promise_test

import (
	"context"
	"net"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"
)

// call has the server core answer m without a socket. It returns the last message
// that left, nil if none or more than one did.
func call(core *dnsserver.Server, m *dns.Msg) *dns.Msg {
	w := new(sink)
	ctx := context.WithValue(context.WithValue(context.Background(), dnsserver.Key{}, core), dnsserver.LoopKey{}, 0)
	core.ServeDNS(ctx, w, m)
	if len(w.all) != 1 {
		return nil
	}
	a := new(dns.Msg)
	if a.Unpack(w.all[0]) != nil {
		return nil
	}
	return a
}

// sink packs what is written, as a socket's writer does.
type sink struct{ all [][]byte }

func (w *sink) WriteMsg(m *dns.Msg) error {
	wire, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = w.Write(wire)
	return err
}

func (w *sink) Write(b []byte) (int, error) {
	w.all = append(w.all, b)
	return len(b), nil
}

var (
	here127  = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53}
	there127 = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40212}
)

func (*sink) LocalAddr() net.Addr  { return here127 }
func (*sink) RemoteAddr() net.Addr { return there127 }
func (*sink) Network() string      { return "udp" }
func (*sink) Close() error         { return nil }
func (*sink) TsigStatus() error    { return nil }
func (*sink) TsigTimersOnly(bool)  {}
func (*sink) Hijack()              {}
