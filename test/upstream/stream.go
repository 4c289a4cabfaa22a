package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 5 * time.Second
)

func (s *Server) listenUDP() error {
	p, err := net.ListenPacket("udp", s.addr)
	if err != nil {
		return err
	}
	return s.run(&dns.Server{PacketConn: p})
}

func (s *Server) listenDNS(c Connection) error {
	p, l, err := s.pair()
	if err != nil {
		return err
	}
	if c != Sound {
		s.fault(l, c)
		return s.run(&dns.Server{PacketConn: p})
	}
	if err := s.run(&dns.Server{Listener: l}); err != nil {
		p.Close()
		return err
	}
	return s.run(&dns.Server{PacketConn: p})
}

func (s *Server) listenStream(t testing.TB, c Config) error {
	t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	if c.Connection != Sound {
		s.fault(l, c.Connection)
		return nil
	}
	switch c.Transport {
	case TLS:
		l = tls.NewListener(l, s.tlsConfig(t, "dot"))
	case HTTPS:
		s.serveHTTPS(l, s.tlsConfig(t))
		return nil
	case GRPC:
		s.serveGRPC(l, nil)
		return nil
	case GRPCTLS:
		s.serveGRPC(l, s.tlsConfig(t, "h2"))
		return nil
	}
	return s.run(&dns.Server{Listener: l})
}

// run returns once d serves.
func (s *Server) run(d *dns.Server) error {
	started := make(chan struct{})
	d.Handler = s
	d.UDPSize = dns.MaxMsgSize
	d.MaxTCPQueries = -1
	d.NotifyStartedFunc = func() { close(started) }

	failed := make(chan error, 1)
	s.running.Go(func() { failed <- d.ActivateAndServe() })
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case <-started:
	case err := <-failed:
		return err
	case <-timer.C:
		return fmt.Errorf("did not start within %v", startTimeout)
	}
	s.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		_ = d.ShutdownContext(ctx)
	})
	return nil
}
