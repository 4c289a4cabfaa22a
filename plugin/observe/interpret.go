package observe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	gotmpl "text/template"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/forward"
	"github.com/coredns/coredns/plugin/grpc"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// interpret reduces an error that a plugin returned. upstream is the handler
// that was asked to forward the query, or nil, and named the upstream that it
// asked, if it said so.
func interpret(err error, upstream plugin.Handler, named string) evidence.Failure {
	if err == nil {
		return evidence.Failure{}
	}
	f := evidence.Failure{Kind: kindOf(err, upstream), Err: err}
	if f.Kind.Network() && named == "" {
		f.Peer = peerOf(err)
	}
	if f.Kind == evidence.TLS {
		f.Detail = option.Sanitize(tlsReason(err), option.MaxText)
		f.NotYetValid = isNotYetValid(err)
	}
	return f
}

// kindOf tells the kind of err by sentinel, then by type, then by gRPC status,
// and by its text only where CoreDNS offers nothing else.
func kindOf(err error, upstream plugin.Handler) evidence.Kind {
	switch {
	case errors.Is(err, forward.ErrNoHealthy), errors.Is(err, grpc.ErrNoHealthy):
		return evidence.NoHealthy
	case isLimitExceeded(err, upstream):
		return evidence.LimitExceeded
	}
	if kind := evidence.OfErrno(err); kind != evidence.NoError {
		return kind
	}
	switch {
	case isTLS(err):
		return evidence.TLS
	case isIdle(err):
		return evidence.Timeout
	case errors.Is(err, net.ErrClosed):
		return evidence.Closed
	case errors.Is(err, context.Canceled):
		return evidence.Canceled
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return evidence.Timeout
	}
	text := err.Error()
	if kind := kindOfText(text); kind == evidence.StoreNotReady {
		// Before the types: it wraps errors of the file system and of the zone
		// parser, which read as those of a socket and of a template.
		return kind
	}
	if is[gotmpl.ExecError](err) || is[*dns.ParseError](err) {
		return evidence.TemplateFault
	}
	if kind := grpcKind(err); kind != evidence.NoError {
		return kind
	}
	if is[*dns.Error](err) {
		return evidence.Malformed
	}
	// After TLS and dns.Error, which both may wrap an EOF.
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return evidence.Closed
	}
	if network, ok := errors.AsType[net.Error](err); ok {
		if network.Timeout() {
			return evidence.Timeout
		}
		return evidence.NetworkOther
	}
	return kindOfText(text)
}

func isLimitExceeded(err error, upstream plugin.Handler) bool {
	for f := forwardOf(upstream); f != nil; f = forwardOf(f.Next) {
		if f.ErrLimitExceeded != nil && errors.Is(err, f.ErrLimitExceeded) {
			return true
		}
	}
	return false
}

// isIdle recognizes the end of a QUIC connection on which nothing came back.
// quic-go's errors for it wrap net.ErrClosed, as do those for a connection that
// the peer closed.
func isIdle(err error) bool {
	return is[*quic.IdleTimeoutError](err) || is[*quic.HandshakeTimeoutError](err)
}

func isTLS(err error) bool {
	if transport, ok := errors.AsType[*quic.TransportError](err); ok && transport.ErrorCode.IsCryptoError() {
		return true
	}
	return is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) || is[tls.AlertError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err) ||
		isRemoteAlert(err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// isRemoteAlert recognizes an alert that the peer sent: crypto/tls wraps its
// unexported alert type in a net.OpError whose Op is "remote error".
func isRemoteAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// isNotYetValid recognizes a certificate that begins later than now. Of what gRPC gives
// there is only the text, as x509.CertificateInvalidError words it.
func isNotYetValid(err error) bool {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return invalid.Reason == x509.Expired && invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore)
	}
	text := err.Error()
	return strings.Contains(text, "not yet valid: current time ") && strings.Contains(text, " is before ")
}

// tlsReason is the innermost reason: "x509: certificate signed by unknown
// authority" without the words around it.
func tlsReason(err error) string {
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && certificate.Err != nil {
		return certificate.Err.Error()
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return record.Msg
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

// grpcKind reads a gRPC status. Its cause is text: the client library does not
// keep the error of the connection.
func grpcKind(err error) evidence.Kind {
	if errors.Is(err, grpc.ErrDNSMessageTooLarge) {
		return evidence.Malformed
	}
	s, ok := status.FromError(err)
	if !ok || s.Code() == codes.OK || s.Code() == codes.Unknown {
		return evidence.NoError
	}
	switch s.Code() {
	case codes.DeadlineExceeded:
		return evidence.Timeout
	case codes.Canceled:
		return evidence.Canceled
	case codes.Unavailable:
		for _, t := range []struct {
			text string
			kind evidence.Kind
		}{
			{"authentication handshake failed", evidence.TLS},
			{syscall.EMFILE.Error(), evidence.NoDescriptor},
			{syscall.ENFILE.Error(), evidence.NoDescriptor},
			{syscall.ECONNREFUSED.Error(), evidence.ConnRefused},
			{syscall.EHOSTUNREACH.Error(), evidence.Unroutable},
			{syscall.ENETUNREACH.Error(), evidence.Unroutable},
			{"i/o timeout", evidence.Timeout},
			{syscall.ECONNRESET.Error(), evidence.Closed},
			{"EOF", evidence.Closed},
		} {
			if strings.Contains(s.Message(), t.text) {
				return t.kind
			}
		}
		return evidence.NetworkOther
	case codes.ResourceExhausted, codes.Internal:
		return evidence.Malformed
	}
	return evidence.NetworkOther
}

var dialTCP = regexp.MustCompile(`dial tcp ([0-9a-fA-F.:\[\]]{3,64}): `)

// peerOf is the address that a network error names.
func peerOf(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil && op.Op != "remote error" {
		return op.Addr.String()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		if parsed, err := url.Parse(u.URL); err == nil {
			return parsed.Host
		}
	}
	if m := dialTCP.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return ""
}
