package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/miekg/dns"
	"golang.org/x/net/http2"
)

// readyTimeout is for machines that are busy: a server that listens serves soon.
const readyTimeout = 30 * time.Second

// await returns once the listener serves. caddy.Start returns when sockets are
// bound, before the goroutines behind them run; an instance stopped that early
// keeps its sockets for ever, as dnsserver.Server.Stop skips what has not
// started. https3 and unknown schemes are taken as they are.
func (l Listener) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	switch l.Scheme {
	case transport.DNS:
		return errors.Join(rejected(ctx, "udp", l.UDP), rejected(ctx, "tcp", l.TCP))
	case transport.TLS, transport.HTTPS, transport.GRPC:
		return accepts(ctx, l.Scheme, l.TCP)
	case transport.QUIC:
		return handshake(ctx, l.UDP)
	}
	return nil
}

// rejected waits for the FORMERR that miekg/dns gives a message without a
// question before any plugin, log or metric hears of it.
func rejected(ctx context.Context, network, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = converse(ctx, conn, &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id()}})
	return err
}

// accepts waits for the TLS handshake or, where a scheme is served in clear
// text for lack of a tls directive, for the reply to what opens a connection.
func accepts(ctx context.Context, scheme, addr string) error {
	secure, err := (&tls.Dialer{Config: clientTLS("h2", "http/1.1")}).DialContext(ctx, "tcp", addr)
	if err == nil {
		return secure.Close()
	}
	if ctx.Err() != nil {
		return err
	}
	switch scheme {
	case transport.TLS:
		return rejected(ctx, "tcp", addr)
	case transport.GRPC:
		return settings(ctx, addr)
	}
	// net/http answers a TLS hello in clear text with status 400 at once.
	return nil
}

// settings waits for the SETTINGS frame of an HTTP/2 server in clear text.
func settings(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := setDeadline(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	_, err = framer.ReadFrame()
	return err
}

func handshake(ctx context.Context, addr string) error {
	_, done, err := dialQUIC(ctx, addr)
	if err != nil {
		return err
	}
	done()
	return nil
}
