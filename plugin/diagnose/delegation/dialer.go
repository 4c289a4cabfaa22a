package delegation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

const (
	// defaultTimeout is beyond what the way around the earth and back takes.
	defaultTimeout = 700 * time.Millisecond
	// maxStray is how many datagrams that do not fit the question are passed
	// over before UDP is given up: someone may be guessing ids.
	maxStray = 8
)

// Dialer asks name servers over sockets of its own; its method Direct is a
// [Direct].
//
// Each question leaves from a new connected socket, so that the kernel picks a
// random port (RFC 6056) and takes datagrams from the server's address and port
// alone; the id comes from crypto/rand. These are the defences of RFC 5452.
type Dialer struct {
	// Timeout of one attempt over one transport, 700 ms if zero.
	Timeout time.Duration
	// DialContext opens the connection to "udp" or "tcp" addresses; net.Dialer's
	// if nil. What it gives for "udp" must be connected.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Direct sends q, under a new id, to server over UDP. It repeats the question
// over TCP if the reply is truncated, or if only replies came that do not fit
// the question. The error is a net.Error, a context's error, or wraps ErrReply; that
// of TCP after a truncated reply is in a CutError.
func (d *Dialer) Direct(ctx context.Context, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	own, wire, err := sealed(q)
	if err != nil {
		return nil, err
	}
	m, err := d.attempt(ctx, "udp", server, own, wire)
	switch {
	case errors.Is(err, ErrReply):
		return d.attempt(ctx, "tcp", server, own, wire)
	case err == nil && m.Truncated:
		if m, err = d.attempt(ctx, "tcp", server, own, wire); err != nil {
			return nil, &CutError{err}
		}
	}
	return m, err
}

// TCP sends q, under a new id, to server over TCP.
func (d *Dialer) TCP(ctx context.Context, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	own, wire, err := sealed(q)
	if err != nil {
		return nil, err
	}
	return d.attempt(ctx, "tcp", server, own, wire)
}

// sealed is q under a new id, and as it is sent.
func sealed(q *dns.Msg) (*dns.Msg, []byte, error) {
	if len(q.Question) != 1 {
		return nil, nil, errors.New("delegation: message without one question")
	}
	own := *q
	own.Id = dns.Id()
	wire, err := own.Pack()
	if err != nil {
		return nil, nil, fmt.Errorf("packing question: %w", err)
	}
	return &own, wire, nil
}

// CutError is the error over TCP after a truncated reply over UDP.
type CutError struct{ Err error }

func (e *CutError) Error() string { return "truncated over UDP, and over TCP: " + e.Err.Error() }

// Unwrap returns the error over TCP.
func (e *CutError) Unwrap() error { return e.Err }

func (d *Dialer) attempt(ctx context.Context, network string, server netip.AddrPort, q *dns.Msg, wire []byte) (*dns.Msg, error) {
	timeout := d.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dial := d.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A canceled probe must not wait for the deadline.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	if network == "udp" {
		return overUDP(conn, q, wire)
	}
	return overTCP(conn, q, wire)
}

func overUDP(conn net.Conn, q *dns.Msg, wire []byte) (*dns.Msg, error) {
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	buf := make([]byte, dns.DefaultMsgSize)
	var stray error
	for range maxStray {
		n, err := conn.Read(buf)
		if err != nil {
			// Silence after a reply that does not fit is not a silent server.
			return nil, errors.Join(err, stray)
		}
		m, err := accept(buf[:n], q)
		if err == nil {
			return m, nil
		}
		stray = err
	}
	return nil, stray
}

func overTCP(conn net.Conn, q *dns.Msg, wire []byte) (*dns.Msg, error) {
	c := &dns.Conn{Conn: conn}
	if _, err := c.Write(wire); err != nil {
		return nil, err
	}
	// One message is read: nothing else may come over a connection of our own.
	buf := make([]byte, dns.MaxMsgSize)
	n, err := c.Read(buf)
	if err != nil {
		return nil, err
	}
	return accept(buf[:n], q)
}
