package bed

import (
	"net"
	"slices"
	"strconv"
	"testing"

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
	at := net.JoinHostPort(address, strconv.Itoa(port))
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Skipf("cannot serve zones: %v", err)
	}
	streams, err := net.Listen("tcp", at)
	if err != nil {
		_ = packets.Close()
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

func (b *Bed) reply(w dns.ResponseWriter, query *dns.Msg, address string) {
	reply := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
	if len(query.Question) != 1 {
		return
	}
	if z := b.zoneOf(query.Question[0], address); z != nil {
		m := z.answer(query.Question[0])
		if m == nil {
			return
		}
		reply.Rcode, reply.Authoritative = m.Rcode, m.Authoritative
		reply.Answer, reply.Ns, reply.Extra = m.Answer, m.Ns, m.Extra
	}
	size := dns.MinMsgSize
	if o := query.IsEdns0(); o != nil {
		size = min(int(o.UDPSize()), udpSize)
		reply.SetEdns0(udpSize, o.Do())
	}
	if _, tcp := w.RemoteAddr().(*net.TCPAddr); tcp {
		size = dns.MaxMsgSize
	}
	reply.Truncate(size)
	_ = w.WriteMsg(reply)
}
