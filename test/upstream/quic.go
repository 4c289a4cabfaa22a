package upstream

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
)

// RFC 9250 section 4.3: DOQ_NO_ERROR and DOQ_PROTOCOL_ERROR.
const (
	doqNoError       = 0
	doqProtocolError = 2
)

func (s *Server) listenQUIC(t testing.TB) error {
	t.Helper()
	p, err := net.ListenPacket("udp", s.addr)
	if err != nil {
		return err
	}
	// A transport of our own, as closing a bare listener leaves the
	// connections that it has accepted.
	transport := &quic.Transport{Conn: p}
	l, err := transport.Listen(s.tlsConfig(t, "doq"), nil)
	if err != nil {
		p.Close()
		return err
	}
	s.onStop(func() { p.Close() })
	s.onStop(func() { transport.Close() })
	// A transport that is closed tells clients nothing: its connections are
	// closed before.
	ended := make(chan struct{})
	s.onStop(func() { l.Close(); <-ended })
	s.running.Go(func() {
		defer close(ended)
		var conns sync.WaitGroup
		defer conns.Wait()
		for {
			conn, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			conns.Go(func() { s.serveQUIC(conn) })
		}
	})
	return nil
}

func (s *Server) serveQUIC(conn *quic.Conn) {
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		select {
		case <-s.done:
			_ = conn.CloseWithError(doqNoError, "")
		case <-conn.Context().Done():
		}
	}()
	for {
		stream, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		s.running.Go(func() { s.serveStream(conn, stream) })
	}
}

func (s *Server) serveStream(conn *quic.Conn, stream *quic.Stream) {
	m, err := readPrefixed(stream)
	if err != nil {
		_ = conn.CloseWithError(doqProtocolError, "")
		return
	}
	a := &reply{local: conn.LocalAddr(), remote: conn.RemoteAddr()}
	s.ServeDNS(a, m)
	switch {
	case a.closed:
		_ = conn.CloseWithError(doqNoError, "")
	case a.wire == nil:
		// An open stream is silence; a closed one would be an answer.
		select {
		case <-stream.Context().Done():
		case <-s.done:
		}
	default:
		_, _ = stream.Write(binary.BigEndian.AppendUint16(nil, uint16(len(a.wire))))
		_, _ = stream.Write(a.wire)
		_ = stream.Close()
	}
}

func readPrefixed(r io.Reader) (*dns.Msg, error) {
	var size uint16
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	wire := make([]byte, size)
	if _, err := io.ReadFull(r, wire); err != nil {
		return nil, err
	}
	m := new(dns.Msg)
	return m, m.Unpack(wire)
}
