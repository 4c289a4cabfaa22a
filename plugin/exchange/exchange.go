// Package exchange puts single questions to resolvers through the proxies of
// CoreDNS's forward, so that probes use the same transports as queries do.
package exchange

import (
	"context"
	"errors"
	"net"

	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// ErrQuestion says that the reply is to another question.
var ErrQuestion = errors.New("reply to another question")

// Ask sends m through p and returns its reply: over TCP if the one over UDP is
// truncated, and on a new connection if the peer closed the kept one. It leaves
// m unchanged. The error is that of the transport, of ctx, ErrQuestion, or a
// *CutError.
func Ask(ctx context.Context, p *proxy.Proxy, m *dns.Msg, opts proxy.Options) (*dns.Msg, error) {
	return limited(ctx, func() (*dns.Msg, error) {
		reply, err := once(ctx, p, m, opts)
		if err != nil || !reply.Truncated || opts.ForceTCP || !Plain(p) {
			return reply, err
		}
		opts.ForceTCP = true
		whole, err := once(ctx, p, m, opts)
		if err != nil {
			return nil, &CutError{err}
		}
		return whole, nil
	})
}

// once is Ask without a second transport.
func once(ctx context.Context, p *proxy.Proxy, m *dns.Msg, opts proxy.Options) (*dns.Msg, error) {
	for tries := 0; ; tries++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// Connect changes the id of the message while it is on its way.
		state := request.Request{W: writer, Req: m.Copy()}
		reply, _, _, err := p.Connect(ctx, state, opts)
		switch {
		case errors.Is(err, proxy.ErrCachedClosed) && tries < 2:
			continue
		case err != nil:
			return nil, err
		case !state.Match(reply):
			return nil, ErrQuestion
		}
		return reply, nil
	}
}

// Client stands for the client that a probe does not have. Its address makes the proxy
// use UDP, as for most clients.
var Client dns.ResponseWriter = udpWriter{}

var writer = nonwriter.New(Client)

type udpWriter struct{ dns.ResponseWriter }

func (udpWriter) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (udpWriter) LocalAddr() net.Addr  { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }
