package exchange

import (
	"context"

	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/seed-1b7246af/coredns-ede/plugin/unexported"

	"github.com/miekg/dns"
)

// Transport is how plain DNS goes to a resolver.
type Transport uint8

const (
	// Any is the transport of the proxy's options, and TCP after a truncated reply.
	Any Transport = iota
	// UDP and TCP are that transport alone: a truncated reply is returned as it is.
	UDP
	TCP
)

func (t Transport) String() string { return [...]string{"DNS", "UDP", "TCP"}[t] }

// CutError says that the reply over UDP came truncated and that the one over TCP,
// which would be whole, did not come.
type CutError struct{ Err error }

func (e *CutError) Error() string { return "truncated over UDP, and over TCP: " + e.Err.Error() }

func (e *CutError) Unwrap() error { return e.Err }

// Plain reports whether p speaks plain DNS, so that there is a choice of UDP and
// TCP.
func Plain(p *proxy.Proxy) bool { return unexported.Protocol(p) == transport.DNS }

// Over is Ask over one transport alone, for a proxy that is Plain.
func Over(ctx context.Context, p *proxy.Proxy, m *dns.Msg, over Transport) (*dns.Msg, error) {
	opts := proxy.Options{ForceTCP: over == TCP, PreferUDP: over == UDP}
	return limited(ctx, func() (*dns.Msg, error) { return once(ctx, p, m, opts) })
}
