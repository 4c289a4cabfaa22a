package observe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	gotmpl "text/template"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/file"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/upstream"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var (
	local  = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 40112}
	remote = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 53), Port: 53}
)

func socketError(op string, err error) *net.OpError {
	return &net.OpError{Op: op, Net: "udp", Source: local, Addr: remote, Err: err}
}

func TestErrorsOfAnExchangeAreToldApartByType(t *testing.T) {
	unpack := new(dns.Msg).Unpack([]byte{1, 2, 3})
	handshake := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, c := range []struct {
		name string
		err  error
		kind evidence.Kind
		text string
		peer string
	}{
		{"read timeout", socketError("read", os.ErrDeadlineExceeded), evidence.Timeout, "read udp 192.0.2.1->192.0.2.53:53: i/o timeout", "192.0.2.53:53"},
		{"context deadline, as of DoQ", context.DeadlineExceeded, evidence.Timeout, "context deadline exceeded", ""},
		{"idle DoQ connection", &quic.IdleTimeoutError{}, evidence.Timeout, "timeout: no recent network activity", ""},
		{"DoQ handshake that does not end", &quic.HandshakeTimeoutError{}, evidence.Timeout, "timeout: handshake did not complete in time", ""},
		{"DoQ connection that the peer closed", &quic.ApplicationError{Remote: true, ErrorCode: 2}, evidence.Closed, "Application error 0x2 (remote)", ""},
		{"DoQ peer that refuses the connection", &quic.TransportError{Remote: true, ErrorCode: quic.ConnectionRefused}, evidence.Closed, "CONNECTION_REFUSED (remote)", ""},
		{"an alert of a DoQ peer", &quic.TransportError{Remote: true, ErrorCode: 0x12a}, evidence.TLS, "", ""},
		{"connection refused", socketError("read", os.NewSyscallError("read", syscall.ECONNREFUSED)), evidence.ConnRefused, "read udp 192.0.2.1->192.0.2.53:53: read: connection refused", "192.0.2.53:53"},
		{"no route to host", socketError("read", os.NewSyscallError("read", syscall.EHOSTUNREACH)), evidence.Unroutable, "", "192.0.2.53:53"},
		{"network is unreachable", socketError("dial", os.NewSyscallError("connect", syscall.ENETUNREACH)), evidence.Unroutable, "", "192.0.2.53:53"},
		{"no descriptor left", socketError("dial", os.NewSyscallError("socket", syscall.EMFILE)), evidence.NoDescriptor, "dial udp 192.0.2.1->192.0.2.53:53: socket: too many open files", "192.0.2.53:53"},
		{"none left in the system", socketError("dial", os.NewSyscallError("socket", syscall.ENFILE)), evidence.NoDescriptor, "", "192.0.2.53:53"},
		{"EOF", io.EOF, evidence.Closed, "EOF", ""},
		{"unexpected EOF", fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), evidence.Closed, "", ""},
		{"connection reset", socketError("read", os.NewSyscallError("read", syscall.ECONNRESET)), evidence.Closed, "", "192.0.2.53:53"},
		{"broken pipe", socketError("write", os.NewSyscallError("write", syscall.EPIPE)), evidence.Closed, "", "192.0.2.53:53"},
		{"certificate of an unknown authority", handshake, evidence.TLS, "tls: failed to verify certificate: x509: certificate signed by unknown authority", ""},
		{"not TLS at all", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, evidence.TLS, "", ""},
		{"an alert of the peer", &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, evidence.TLS, "remote error: tls: bad certificate", ""},
		{"an alert of our own", tls.AlertError(40), evidence.TLS, "", ""},
		{"a certificate over HTTPS", &url.Error{Op: "Post", URL: "https://192.0.2.53:443/dns-query", Err: handshake}, evidence.TLS, "", "192.0.2.53:443"},
		{"a refusal over HTTPS", &url.Error{Op: "Post", URL: "https://192.0.2.53/dns-query", Err: socketError("dial", syscall.ECONNREFUSED)}, evidence.ConnRefused, "", "192.0.2.53:53"},
		{"another error over HTTPS", &url.Error{Op: "Post", URL: "https://192.0.2.53/dns-query", Err: errors.New("http2: stream closed")}, evidence.NetworkOther, "", "192.0.2.53"},
		{"a reply that does not unpack", unpack, evidence.Malformed, "", ""},
		{"a question that does not unpack", &dns.Error{}, evidence.Malformed, "", ""},
		{"another network error", socketError("read", syscall.ENOBUFS), evidence.NetworkOther, "", "192.0.2.53:53"},
		{"all upstreams down", forward.ErrNoHealthy, evidence.NoHealthy, "no healthy proxies", ""},
		{"all upstreams of grpc down", grpc.ErrNoHealthy, evidence.NoHealthy, "no healthy gRPC proxies", ""},
		{"the query was canceled", fmt.Errorf("dial: %w", context.Canceled), evidence.Canceled, "", ""},
		{"gRPC: refused", status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 192.0.2.53:8053: connect: connection refused"`), evidence.ConnRefused, "", "192.0.2.53:8053"},
		{"gRPC: no route", status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp [2001:db8::53]:8053: connect: no route to host"`), evidence.Unroutable, "", "[2001:db8::53]:8053"},
		{"gRPC: handshake", status.Error(codes.Unavailable, `connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`), evidence.TLS, "", ""},
		{"gRPC: dial timeout", status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 192.0.2.53:8053: i/o timeout"`), evidence.Timeout, "", "192.0.2.53:8053"},
		{"gRPC: EOF", status.Error(codes.Unavailable, "error reading from server: EOF"), evidence.Closed, "", ""},
		{"gRPC: reset", status.Error(codes.Unavailable, "error reading from server: read tcp 192.0.2.1:40112->192.0.2.53:8053: read: connection reset by peer"), evidence.Closed, "rpc error: code = Unavailable desc = error reading from server: read tcp 192.0.2.1->192.0.2.53:8053: read: connection reset by peer", ""},
		{"gRPC: unavailable for another reason", status.Error(codes.Unavailable, "the service is down"), evidence.NetworkOther, "", ""},
		{"gRPC: deadline", status.Error(codes.DeadlineExceeded, "context deadline exceeded"), evidence.Timeout, "", ""},
		{"gRPC: canceled", status.Error(codes.Canceled, "context canceled"), evidence.Canceled, "", ""},
		{"gRPC: a reply too large for the client library", status.Error(codes.ResourceExhausted, "received message larger than max"), evidence.Malformed, "", ""},
		{"gRPC: a reply that is no DNS message", grpc.ErrDNSMessageTooLarge, evidence.Malformed, "", ""},
		{"gRPC: not a DNS service", status.Error(codes.Unimplemented, "unknown service coredns.dns.DnsService"), evidence.NetworkOther, "", ""},
		{"template that does not execute", gotmpl.ExecError{Name: "answer", Err: errors.New("template: answer:1:23: executing")}, evidence.TemplateFault, "", ""},
		{"etcd: without a leader", rpctypes.ErrNoLeader, evidence.StoreNotReady, "etcdserver: no leader", ""},
		{"etcd: without permission", rpctypes.ErrPermissionDenied, evidence.StoreNotReady, "etcdserver: permission denied", ""},
		{"an error of a plugin that nobody knows", errBackend, evidence.Other, "backend is gone", ""},
		{"none", nil, evidence.NoError, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := interpret(c.err, nil, "")
			if got.Kind != c.kind || got.Peer != c.peer {
				t.Errorf("kind %v, peer %q; want %v, %q", got.Kind, got.Peer, c.kind, c.peer)
			}
			if c.text != "" && got.Text() != c.text {
				t.Errorf("text %q, want %q", got.Text(), c.text)
			}
			if c.kind == evidence.TLS && (got.Detail == "" || strings.HasPrefix(got.Detail, "tls: failed")) {
				t.Errorf("detail %q", got.Detail)
			}
		})
	}
}

// textSite is a place of CoreDNS whose error has nothing but a text.
type textSite struct {
	name string
	site func(t *testing.T) error
	kind evidence.Kind
}

func TestTheKindOfEveryRealSiteThatHasOnlyAText(t *testing.T) {
	for _, c := range append([]textSite{
		{"the chain ends", func(*testing.T) error {
			_, err := plugin.NextOrFailure("hosts", nil, context.Background(), nil, nil)
			return err
		}, evidence.NoNextPlugin},
		{"the chain ends below acl, which names the query", func(*testing.T) error {
			_, err := plugin.NextOrFailure("no SOA.example.org.", nil, context.Background(), nil, nil)
			return err
		}, evidence.NoNextPlugin},
		{"rewrite makes an invalid name", func(t *testing.T) error {
			label := strings.Repeat("a", 63) + "."
			_, err := handler(t, "rewrite stop {\n name regex (.*) "+strings.Repeat(label, 4)+"{1}\n}").
				ServeDNS(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
			return err
		}, evidence.InvalidName},
		{"a transport is stopped", func(*testing.T) error { return errors.New(proxy.ErrTransportStopped) }, evidence.Stopped},
		{"a zone has no SOA", func(t *testing.T) error {
			_, err := file.NewZone("example.org.", "").Transfer(0)
			return err
		}, evidence.NoSOA},
		{"an internal lookup without a server", func(*testing.T) error {
			_, err := upstream.New().Lookup(context.Background(), request.Request{}, "www.example.org.", dns.TypeA)
			return err
		}, evidence.InternalLookup},
		{"autopath's zone is longer than the name", func(*testing.T) error {
			_, err := dnsutil.TrimZone("org.", "example.org.")
			return err
		}, evidence.SearchPath},
		{"template that does not execute", func(t *testing.T) error {
			_, err := handler(t, "template IN A {\n answer \"{{ .Nothing }}\"\n}").ServeDNS(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
			return err
		}, evidence.TemplateFault},
		{"template that gives no record", func(t *testing.T) error {
			_, err := handler(t, "template IN A {\n answer \"{{ .Name }} 60 IN A 192.0.2.999\"\n}").ServeDNS(context.Background(), new(messages), ask("www.example.org.", dns.TypeA))
			return err
		}, evidence.TemplateFault},
	}, laterSites...) {
		t.Run(c.name, func(t *testing.T) {
			err := c.site(t)
			if err == nil {
				t.Fatal("CoreDNS gives no error there any more")
			}
			if got := interpret(err, nil, ""); got.Kind != c.kind {
				t.Errorf("%q is of kind %v, want %v", err, got.Kind, c.kind)
			}
		})
	}
}

type nothing struct{}

func (nothing) Lookup(context.Context, request.Request, string, uint16) (*dns.Msg, error) {
	return nil, nil
}

func TestTheTextsOfSitesThatNeedAStoreArePinned(t *testing.T) {
	// plugin/dynupdate/store.go and dynupdate.go, plugin/pkg/proxy/doq.go.
	for text, kind := range map[string]evidence.Kind{
		`opening database "/var/lib/zone.db": timeout`:               evidence.StoreNotReady,
		`loading database "/var/lib/zone.db": invalid database`:      evidence.StoreNotReady,
		`dynamic zone is closed`:                                     evidence.StoreNotReady,
		`zone "example.org." has no snapshot`:                        evidence.StoreNotReady,
		`DNS-over-QUIC protocol error: missing stream FIN`:           evidence.Malformed,
		`plugin/opening database .: no next plugin found`:            evidence.NoNextPlugin,
		`an error that says: no next plugin found, and then goes on`: evidence.Other,
		`quoted "proxy: transport stopped"`:                          evidence.Other,
	} {
		if got := kindOf(errors.New(text), nil); got != kind {
			t.Errorf("%q is of kind %v, want %v", text, got, kind)
		}
	}
}

func FuzzInterpret(f *testing.F) {
	for _, s := range []string{"", "no SOA", "plugin/x: no next plugin found", "read udp 192.0.2.1:40112->192.0.2.53:53: i/o timeout", "dial tcp [::1]:53: refused", "\xff\u2028\x00"} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(codes.Unavailable))
	}
	f.Fuzz(func(t *testing.T, text string, code uint8) {
		for _, err := range []error{errors.New(text), &url.Error{Op: "Post", URL: text, Err: errors.New(text)}, status.Error(codes.Code(code%17), text)} {
			if err == nil {
				continue
			}
			got := interpret(err, nil, "")
			if got.Kind == evidence.NoError || got.Kind.String() == "" {
				t.Errorf("%q is no error", err)
			}
			if text := got.Text(); text != option.Sanitize(text, len(text)) {
				t.Errorf("text %q", text)
			}
		}
	})
}
