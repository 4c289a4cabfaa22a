package upstream_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"

	"github.com/miekg/dns"
)

// patience is how long a test waits for what must come, silence for what must
// not.
const (
	patience = 30 * time.Second
	silence  = 150 * time.Millisecond
)

// networks are the client's ways to each transport.
var networks = map[upstream.Transport][]string{
	upstream.DNS:     {"udp", "tcp"},
	upstream.UDP:     {"udp"},
	upstream.TCP:     {"tcp"},
	upstream.TLS:     {"tls"},
	upstream.HTTPS:   {"https", "https-get"},
	upstream.QUIC:    {"quic"},
	upstream.GRPC:    {"grpc"},
	upstream.GRPCTLS: {"grpctls"},
}

func TestEveryTransportAnswersAndCounts(t *testing.T) {
	for transport, ways := range networks {
		t.Run(string(transport), func(t *testing.T) {
			leak.Check(t)
			s := upstream.Start(t, upstream.Config{Transport: transport})
			for _, network := range ways {
				r := server.Ask(t, s.Addr(), "WWW.example.org", dns.TypeA, server.Over(network), server.EDNS())
				if len(r.Answer) != 1 || !strings.Contains(r.Answer[0].String(), upstream.Address) {
					t.Errorf("over %s: got %v, want %s", network, r.Answer, upstream.Address)
				}
				if r.IsEdns0() == nil {
					t.Errorf("over %s: no OPT in the answer to a query with one", network)
				}
			}
			if got := s.Queries(); got != len(ways) {
				t.Errorf("%d queries counted, want %d", got, len(ways))
			}
			if got := s.QueriesFor("www.EXAMPLE.org."); got != len(ways) {
				t.Errorf("%d queries counted for the name, want %d", got, len(ways))
			}
			if got := s.QueriesFor("example.net"); got != 0 {
				t.Errorf("%d queries counted for another name, want none", got)
			}
			if got := len(s.Seen()); got != len(ways) {
				t.Errorf("%d queries kept, want %d", got, len(ways))
			}
		})
	}
}

func TestAStoppedServerLeavesItsPort(t *testing.T) {
	leak.Check(t)
	s := upstream.Start(t, upstream.Config{})
	s.Stop()
	s.Stop()
	for _, network := range []string{"udp", "tcp"} {
		if r, err := server.Exchange(s.Addr(), network, server.Message("example.org", dns.TypeA), silence); err == nil {
			t.Errorf("%s still answers: %v", network, r)
		}
	}
	l, err := net.Listen("tcp", s.Addr())
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	l.Close()
}

func TestStopReleasesEveryWaitingHandler(t *testing.T) {
	for transport, ways := range networks {
		for name, h := range map[string]dns.Handler{
			"silent": upstream.Silent(),
			"slow":   upstream.Slow(time.Hour, upstream.Answer()),
		} {
			t.Run(string(transport)+" "+name, func(t *testing.T) {
				leak.Check(t)
				s := upstream.Start(t, upstream.Config{Transport: transport, Handler: h})
				var clients sync.WaitGroup
				clients.Go(func() {
					// Over UDP nothing tells a client that the server has gone.
					wait := patience
					if ways[0] == "udp" {
						wait = time.Second
					}
					m := server.Message("example.org", dns.TypeA)
					if r, err := server.Exchange(s.Addr(), ways[0], m, wait); err == nil {
						t.Errorf("got an answer: %v", r)
					}
				})
				s.Await(t, "example.org", 1, patience)
				begin := time.Now()
				s.Stop()
				if took := time.Since(begin); took > patience {
					t.Errorf("stopping took %v", took)
				}
				clients.Wait()
			})
		}
	}
}

func TestTheHandlerIsExchangedAtRunTime(t *testing.T) {
	leak.Check(t)
	s := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	ask := func() int { return server.Ask(t, s.Addr(), "example.org", dns.TypeA).Rcode }
	if got := ask(); got != dns.RcodeServerFailure {
		t.Errorf("rcode %d before, want SERVFAIL", got)
	}
	s.Handle(upstream.Answer())
	if got := ask(); got != dns.RcodeSuccess {
		t.Errorf("rcode %d after, want NOERROR", got)
	}
}

func TestNothingListensOnAClosedAddress(t *testing.T) {
	addr := upstream.Closed(t)
	for _, network := range []string{"udp", "tcp"} {
		_, err := server.Exchange(addr, network, server.Message("example.org", dns.TypeA), patience)
		if err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: got %v, want connection refused", network, err)
		}
	}
}

func TestConnectionFaults(t *testing.T) {
	refusal := func(t *testing.T, conn net.Conn, want string) {
		t.Helper()
		got, err := io.ReadAll(io.LimitReader(conn, 5))
		if err != nil || string(got) != want {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
	tests := map[string]struct {
		fault upstream.Connection
		check func(*testing.T, net.Conn)
	}{
		"hangup ends the connection": {upstream.Hangup, func(t *testing.T, conn net.Conn) { refusal(t, conn, "") }},
		"plaintext greets":           {upstream.Plaintext, func(t *testing.T, conn net.Conn) { refusal(t, conn, "220 m") }},
		"plaintext is no TLS": {upstream.Plaintext, func(t *testing.T, conn net.Conn) {
			err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
			var header tls.RecordHeaderError
			if !errors.As(err, &header) {
				t.Errorf("handshake: %v, want a record header error", err)
			}
		}},
		"mute says nothing": {upstream.Mute, func(t *testing.T, conn net.Conn) {
			if err := conn.SetDeadline(time.Now().Add(silence)); err != nil {
				t.Fatal(err)
			}
			err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("handshake: %v, want a timeout", err)
			}
		}},
	}
	for name, tc := range tests {
		for _, transport := range []upstream.Transport{
			upstream.DNS, upstream.TCP, upstream.TLS, upstream.HTTPS, upstream.GRPC, upstream.GRPCTLS,
		} {
			t.Run(name+" over "+string(transport), func(t *testing.T) {
				leak.Check(t)
				s := upstream.Start(t, upstream.Config{Transport: transport, Connection: tc.fault})
				conn, err := net.Dial("tcp", s.Addr())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				tc.check(t, conn)
				if got := s.Queries(); got != 0 {
					t.Errorf("%d queries seen, want none", got)
				}
			})
		}
	}
}

func TestAConnectionFaultLeavesUDPAlone(t *testing.T) {
	leak.Check(t)
	s := upstream.Start(t, upstream.Config{Connection: upstream.Hangup})
	if r := server.Ask(t, s.Addr(), "example.org", dns.TypeA); r.Rcode != dns.RcodeSuccess {
		t.Errorf("got %v, want NOERROR", r)
	}
	if _, err := server.Exchange(s.Addr(), "tcp", server.Message("example.org", dns.TypeA), patience); err == nil {
		t.Error("TCP answers, want it closed")
	}
}

func TestCertificatesFailAClientThatVerifies(t *testing.T) {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	tests := map[string]struct {
		flaw certificate.Flaw
		want any
	}{
		"sound":      {certificate.None, nil},
		"unknown CA": {certificate.UnknownCA, &unknown},
		"wrong name": {certificate.WrongName, &hostname},
		"expired":    {certificate.Expired, &invalid},
	}
	for name, tc := range tests {
		for _, transport := range []upstream.Transport{upstream.TLS, upstream.HTTPS, upstream.GRPCTLS} {
			t.Run(name+" over "+string(transport), func(t *testing.T) {
				leak.Check(t)
				s := upstream.Start(t, upstream.Config{Transport: transport, Certificate: tc.flaw})
				pem, err := os.ReadFile(s.CAFile())
				if err != nil {
					t.Fatal(err)
				}
				roots := x509.NewCertPool()
				roots.AppendCertsFromPEM(pem)
				conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{
					RootCAs: roots, ServerName: certificate.Name, NextProtos: []string{"dot", "h2"},
				})
				if err == nil {
					conn.Close()
				}
				if tc.want == nil && err != nil || tc.want != nil && !errors.As(err, tc.want) {
					t.Errorf("handshake: %v, want %T", err, tc.want)
				}
			})
		}
	}
}

func TestToIsWhatForwardTakes(t *testing.T) {
	for transport, prefix := range map[upstream.Transport]string{
		upstream.DNS: "127.", upstream.TLS: "tls://127.", upstream.HTTPS: "https://127.",
		upstream.QUIC: "quic://127.", upstream.GRPCTLS: "127.",
	} {
		s := upstream.Start(t, upstream.Config{Transport: transport})
		if !strings.HasPrefix(s.To(), prefix) || !strings.HasSuffix(s.To(), s.Addr()) {
			t.Errorf("%s: got %s, want %s...", transport, s.To(), prefix)
		}
	}
}
