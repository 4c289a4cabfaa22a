package exchange

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// maxStrays is how many datagrams are read in search of a reply.
const maxStrays = 16

// Heard is a reply to a query, and who sent it.
type Heard struct {
	Reply *dns.Msg
	From  netip.AddrPort
	// Elsewhere is true if From is not who was asked.
	Elsewhere bool
}

// Anywhere sends m over UDP to addr, an address with a port, and returns the first reply to
// its question, whoever sends it and with whatever ID. The socket of forward takes a reply
// from addr with the ID of the query alone. m stays unchanged. The error is that of the
// network or of ctx, and the exchange takes at most Timeout.
func Anywhere(ctx context.Context, addr string, m *dns.Msg) (Heard, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return Heard{}, fmt.Errorf("%q is no address with a port", addr)
	}
	return limited(ctx, func() (Heard, error) { return anywhere(ctx, to, m) })
}

// Anywhere is Anywhere for u, which has to be Plain.
func (u *Upstream) Anywhere(ctx context.Context, m *dns.Msg) (Heard, error) {
	return Anywhere(ctx, u.proxy.Addr(), m)
}

func anywhere(ctx context.Context, to netip.AddrPort, m *dns.Msg) (Heard, error) {
	network := "udp6"
	if to.Addr().Unmap().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return Heard{}, err
	}
	defer conn.Close()
	until := time.Now().Add(Timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	_ = conn.SetDeadline(until)
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	query, err := m.Pack()
	if err != nil {
		return Heard{}, err
	}
	if _, err = conn.WriteToUDPAddrPort(query, to); err != nil {
		return Heard{}, err
	}
	room := make([]byte, dns.MaxMsgSize)
	for range maxStrays {
		n, sender, err := conn.ReadFromUDPAddrPort(room)
		if err != nil {
			return Heard{}, err
		}
		r := new(dns.Msg)
		if r.Unpack(room[:n]) == nil && r.Response && sameQuestion(m, r) {
			from := netip.AddrPortFrom(sender.Addr().Unmap(), sender.Port())
			return Heard{r, from, from != netip.AddrPortFrom(to.Addr().Unmap(), to.Port())}, nil
		}
	}
	return Heard{}, ErrQuestion
}

func sameQuestion(m, r *dns.Msg) bool {
	if len(m.Question) != 1 || len(r.Question) != 1 {
		return false
	}
	a, b := m.Question[0], r.Question[0]
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}
