package exchange

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/pkg/doh"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/transport"

	"github.com/miekg/dns"
)

// Timeout of one exchange is forward's default.
const Timeout = 2 * time.Second

// Upstream is a resolver with a proxy of its own.
type Upstream struct {
	// Addr is its address or URL, as it may be shown.
	Addr  string
	proxy *proxy.Proxy
}

// Open returns the resolver at the address to, which is written as forward's TO:
// 192.0.2.53, 192.0.2.53:5300, tls://192.0.2.53%dns.example.net or
// https://dns.example.net. An exchange with it takes at most timeout. Close has to
// be called.
func Open(to string, timeout time.Duration) (*Upstream, error) {
	name, server, _ := strings.Cut(to, "%")
	scheme, rest := parse.Transport(name)
	addr := rest
	switch scheme {
	case transport.DNS, transport.TLS:
		var err error
		if addr, err = withPort(rest, map[string]string{transport.DNS: transport.Port, transport.TLS: transport.TLSPort}[scheme]); err != nil {
			return nil, fmt.Errorf("%q is not a resolver: want an address with or without a port, tls://ADDRESS%%NAME, or https://HOST", to)
		}
	case transport.HTTPS:
		u, err := url.Parse(name)
		if err != nil || u.Host == "" || u.Path != "" && u.Path != doh.Path {
			return nil, fmt.Errorf("%q is not a resolver: want https://HOST: the path is always %s", to, doh.Path)
		}
		addr = u.Host
	default:
		return nil, fmt.Errorf("%q is not a resolver: want plain DNS, tls:// or https://", to)
	}
	p := proxy.NewProxy("ede", addr, scheme)
	config := &tls.Config{ServerName: server, MinVersion: tls.VersionTLS12}
	switch scheme {
	case transport.TLS:
		p.SetTLSConfig(config)
	case transport.HTTPS:
		p.SetHTTPClient(&http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone(), Timeout: timeout})
		p.SetTLSConfig(config)
		p.SetDOHRequestOptions(http.MethodPost)
	}
	p.SetReadTimeout(timeout)
	p.Start(timeout)
	return &Upstream{Addr: to, proxy: p}, nil
}

// Exchange sends m and returns the reply.
func (u *Upstream) Exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	return Ask(ctx, u.proxy, m, proxy.Options{})
}

// Plain reports whether Over can be used.
func (u *Upstream) Plain() bool { return Plain(u.proxy) }

// Over sends m over one transport alone.
func (u *Upstream) Over(ctx context.Context, m *dns.Msg, over Transport) (*dns.Msg, error) {
	return Over(ctx, u.proxy, m, over)
}

// Close ends the use of the resolver. The connections end when the proxy is
// collected: its finalizer stops the transport, which can be done only once.
func (u *Upstream) Close() { u.proxy.Stop() }

func withPort(addr, port string) (string, error) {
	if a, err := netip.ParseAddr(strings.Trim(addr, "[]")); err == nil {
		return net.JoinHostPort(a.String(), port), nil
	}
	if a, err := netip.ParseAddrPort(addr); err == nil {
		return a.String(), nil
	}
	return "", fmt.Errorf("%q is no address", addr)
}
