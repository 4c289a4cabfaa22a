// Package upstream is a fake upstream DNS server for whole-server tests: it
// speaks every transport that CoreDNS can forward over and fails in the ways
// that real upstreams do, on 127.0.0.1 and a port that nobody else has until
// the test ends.
//
// What it says is a [dns.Handler], ready-made or the test's own, and may be
// exchanged while it runs. What its connections suffer is in [Config].
package upstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"

	"github.com/miekg/dns"
)

// Transport is how queries reach the server.
type Transport string

const (
	DNS     Transport = "dns"     // UDP and TCP on the same port
	UDP     Transport = "udp"     // UDP alone: TCP to the port is refused
	TCP     Transport = "tcp"     // TCP alone
	TLS     Transport = "tls"     // RFC 7858
	HTTPS   Transport = "https"   // RFC 8484, HTTP/2, GET and POST
	QUIC    Transport = "quic"    // RFC 9250
	GRPC    Transport = "grpc"    // CoreDNS's own service, clear text
	GRPCTLS Transport = "grpctls" // the same over TLS
)

// Config says what to start. Its zero value answers over UDP and TCP.
type Config struct {
	Transport   Transport        // DNS if empty
	Handler     dns.Handler      // Answer() if nil
	Connection  Connection       // a fault below DNS; stream transports only
	Certificate certificate.Flaw // transports with TLS only
}

// Server is a running fake upstream. Its methods may be called concurrently.
type Server struct {
	ledger

	transport Transport
	flaw      certificate.Flaw
	authority *certificate.Authority
	addr      string
	handler   atomic.Pointer[dns.Handler]
	done      chan struct{} // closed by Stop: releases handlers that wait
	stops     []func()      // run in reverse order
	running   sync.WaitGroup
	stop      sync.Once
}

// Start runs a server until the test ends. It fails the test if it cannot.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	if c.Transport == "" {
		c.Transport = DNS
	}
	s := &Server{transport: c.Transport, flaw: c.Certificate, done: make(chan struct{})}
	if c.Handler == nil {
		c.Handler = Answer()
	}
	s.Handle(c.Handler)
	if c.encrypted() {
		s.authority = certificate.New(t)
	}
	t.Cleanup(s.Stop)
	err := s.listen(t, c)
	// A program that claims no ports may take one between the claim and the bind.
	for try := 1; errors.Is(err, syscall.EADDRINUSE) && try < portTries; try++ {
		err = s.listen(t, c)
	}
	if err != nil {
		t.Fatalf("start upstream over %s: %v", c.Transport, err)
	}
	return s
}

// portTries is how many addresses are tried.
const portTries = 8

func (c Config) encrypted() bool {
	return slices.Contains([]Transport{TLS, HTTPS, QUIC, GRPCTLS}, c.Transport)
}

func (s *Server) listen(t testing.TB, c Config) error {
	t.Helper()
	if c.Connection != Sound && (c.Transport == UDP || c.Transport == QUIC) {
		return fmt.Errorf("connection faults need a stream transport")
	}
	if c.Certificate != certificate.None && s.authority == nil {
		return fmt.Errorf("certificate flaws need TLS")
	}
	s.place(t)
	switch c.Transport {
	case DNS:
		return s.listenDNS(c.Connection)
	case UDP:
		return s.listenUDP()
	case TCP, TLS, HTTPS, GRPC, GRPCTLS:
		return s.listenStream(t, c)
	case QUIC:
		return s.listenQUIC(t)
	}
	return fmt.Errorf("unknown transport")
}

// Addr is the address as 127.0.0.1:port.
func (s *Server) Addr() string { return s.addr }

// To is the address as the forward plugin takes it, with its scheme where
// there is one: tls://127.0.0.1:port.
func (s *Server) To() string {
	switch s.transport {
	case TLS, HTTPS, QUIC:
		return string(s.transport) + "://" + s.addr
	}
	return s.addr
}

// CAFile is the path of the PEM file for `tls CA` in a Corefile; empty where
// the transport has no TLS. It does not verify a certificate of UnknownCA.
func (s *Server) CAFile() string {
	if s.authority == nil {
		return ""
	}
	return s.authority.CAFile
}

// Handle exchanges what the server says. Queries being answered keep the
// handler they began with.
func (s *Server) Handle(h dns.Handler) { s.handler.Store(&h) }

// Stop ends the server and everything it started. Nothing listens on its port
// until the test ends. Later calls do nothing; the test's end calls it in any case.
func (s *Server) Stop() {
	s.stop.Do(func() {
		close(s.done)
		for _, stop := range slices.Backward(s.stops) {
			stop()
		}
		s.running.Wait()
	})
}

// ServeDNS records the query and passes it to the present handler.
func (s *Server) ServeDNS(w dns.ResponseWriter, m *dns.Msg) {
	s.record(m)
	(*s.handler.Load()).ServeDNS(&writer{ResponseWriter: w, done: s.done}, m)
}

func (s *Server) tlsConfig(t testing.TB, protocols ...string) *tls.Config {
	t.Helper()
	return &tls.Config{
		Certificates: []tls.Certificate{s.authority.Issue(t, s.flaw)},
		NextProtos:   protocols,
		MinVersion:   tls.VersionTLS12,
	}
}

// onStop registers what Stop has to run.
func (s *Server) onStop(stop func()) { s.stops = append(s.stops, stop) }
