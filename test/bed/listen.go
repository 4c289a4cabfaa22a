package bed

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The bed's servers live in a corner of 127/8 of their own.
const (
	rootAddress = "127.0.53.1"
	tldAddress  = "127.0.53.2"
	zoneAddress = "127.0.53.3"
)

const udpSize = 1232

// Listen serves every zone over UDP and TCP at its address and the given port,
// until the test ends. Resolvers that take root hints need port 53; where that
// may not be bound the test is skipped.
func (b *Bed) Listen(t testing.TB, port int) {
	t.Helper()
	var addresses []string
	for _, z := range b.zones {
		addresses = append(addresses, z.Address)
	}
	slices.Sort(addresses)
	for _, address := range slices.Compact(addresses) {
		b.serve(t, address, port)
	}
}

func (b *Bed) serve(t testing.TB, address string, port int) {
	t.Helper()
	packets, streams, err := sockets(net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("cannot serve zones: %v", err)
	}
	if err != nil {
		t.Skipf("cannot serve zones: %v", err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) { b.reply(w, query, address) })
	for _, s := range []*dns.Server{
		{PacketConn: packets, Handler: handler},
		{Listener: streams, Handler: handler},
	} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
}

// Tests of several packages run at once and share the addresses, which are
// taken in order: who has the first one may take all of them.
const (
	turns    = 4500
	nextTurn = 200 * time.Millisecond
)

// sockets binds at, and waits for its turn where another test uses the port.
func sockets(at string) (packets net.PacketConn, streams net.Listener, err error) {
	for range turns {
		if packets, err = net.ListenPacket("udp", at); err == nil {
			if streams, err = net.Listen("tcp", at); err == nil {
				return packets, streams, nil
			}
			_ = packets.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, err
		}
		time.Sleep(nextTurn)
	}
	return nil, nil, err
}

func (b *Bed) reply(w dns.ResponseWriter, query *dns.Msg, address string) {
	reply := b.respond(query, address)
	if reply == nil {
		return
	}
	size := dns.MinMsgSize
	if o := query.IsEdns0(); o != nil {
		size = min(int(o.UDPSize()), udpSize)
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); tcp {
		size = dns.MaxMsgSize
	}
	reply.Truncate(size)
	_ = w.WriteMsg(reply)
}

// respond is what the server at an address says; nil is silence.
func (b *Bed) respond(query *dns.Msg, address string) *dns.Msg {
	reply := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
	if len(query.Question) != 1 {
		return nil
	}
	if z := b.zoneOf(query.Question[0], address); z != nil {
		m := z.answer(query.Question[0])
		if m == nil {
			return nil
		}
		reply.Rcode, reply.Authoritative = m.Rcode, m.Authoritative
		reply.Answer, reply.Ns, reply.Extra = m.Answer, m.Ns, m.Extra
	}
	if o := query.IsEdns0(); o != nil {
		reply.SetEdns0(udpSize, o.Do())
	}
	return reply
}

// Direct asks the bed's servers in memory. A silent one, and an address that none
// of them has, is waited for as long as patience says.
func (b *Bed) Direct(patience time.Duration) func(context.Context, netip.AddrPort, *dns.Msg) (*dns.Msg, error) {
	return func(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
		if m := b.respond(query, server.Addr().String()); m != nil {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(patience):
			return nil, os.ErrDeadlineExceeded
		}
	}
}
