package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coredns/coredns/pb"
	"github.com/coredns/coredns/plugin/pkg/doh"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// QueryTimeout is how long Query waits: far above forward's own five seconds, as
// a machine may have much else to do.
const QueryTimeout = 30 * time.Second

// Query sends m over a network and returns the answer; none fails the test.
// Networks are udp, tcp, tls, https (POST), https-get, quic, grpc and grpctls.
// A certificate is not verified, and an answer may be larger than m allows.
func Query(t testing.TB, addr, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	r, err := Exchange(addr, network, m, QueryTimeout)
	if err != nil {
		t.Fatalf("query %s over %s: %v", addr, network, err)
	}
	return r
}

// Exchange is Query for a question that may stay without an answer.
func Exchange(addr, network string, m *dns.Msg, timeout time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	switch network {
	case "udp", "tcp":
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return converse(ctx, conn, m)
	case "tls":
		conn, err := (&tls.Dialer{Config: clientTLS("dot")}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return converse(ctx, conn, m)
	case "https":
		return overHTTPS(ctx, addr, http.MethodPost, m)
	case "https-get":
		return overHTTPS(ctx, addr, http.MethodGet, m)
	case "quic":
		return overQUIC(ctx, addr, m)
	case "grpc":
		return overGRPC(ctx, addr, insecure.NewCredentials(), m)
	case "grpctls":
		return overGRPC(ctx, addr, credentials.NewTLS(clientTLS("h2")), m)
	}
	return nil, fmt.Errorf("unknown network %q", network)
}

func clientTLS(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

func setDeadline(ctx context.Context, conn net.Conn) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("exchange without a deadline")
	}
	return conn.SetDeadline(deadline)
}

// converse reads until an answer has the ID of m: an earlier one over UDP is a
// late answer to somebody else.
func converse(ctx context.Context, conn net.Conn, m *dns.Msg) (*dns.Msg, error) {
	if err := setDeadline(ctx, conn); err != nil {
		return nil, err
	}
	c := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	if err := c.WriteMsg(m); err != nil {
		return nil, err
	}
	for {
		r, err := c.ReadMsg()
		if err != nil {
			return nil, err
		}
		if r.Id == m.Id {
			return r, nil
		}
	}
}

func overHTTPS(ctx context.Context, addr, method string, m *dns.Msg) (*dns.Msg, error) {
	request, err := doh.NewRequestWithContext(ctx, method, addr, "", m)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: clientTLS(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("HTTP status %s", response.Status)
	}
	return doh.ResponseToMsg(response)
}

func overGRPC(ctx context.Context, addr string, c credentials.TransportCredentials, m *dns.Msg) (*dns.Msg, error) {
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(c))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	p, err := pb.NewDnsServiceClient(conn).Query(ctx, &pb.DnsPacket{Msg: wire})
	if err != nil {
		return nil, err
	}
	return unpack(p.GetMsg())
}

func unpack(wire []byte) (*dns.Msg, error) {
	m := new(dns.Msg)
	return m, m.Unpack(wire)
}
