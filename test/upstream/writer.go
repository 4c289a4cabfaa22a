package upstream

import (
	"net"

	"github.com/miekg/dns"
)

// writer is what every handler gets, whatever the transport.
type writer struct {
	dns.ResponseWriter
	done <-chan struct{}
}

// Done is closed when the server stops: a handler that waits must heed it.
func (w *writer) Done() <-chan struct{} { return w.done }

// datagram reports whether the client sent its query in plain UDP.
func (w *writer) datagram() bool {
	if _, ok := w.ResponseWriter.(*reply); ok {
		return false
	}
	_, ok := w.RemoteAddr().(*net.UDPAddr)
	return ok
}

// reply collects what a handler says, for transports where the answer is the
// result of a call: HTTPS, gRPC and a QUIC stream.
type reply struct {
	local, remote net.Addr
	wire          []byte // nil if nothing was said
	status        int    // HTTP status in place of a message
	err           error  // gRPC status in place of a message
	closed        bool
}

func (r *reply) LocalAddr() net.Addr  { return r.local }
func (r *reply) RemoteAddr() net.Addr { return r.remote }
func (r *reply) Network() string      { return r.local.Network() }

func (r *reply) Write(b []byte) (int, error) {
	r.wire = append([]byte{}, b...)
	return len(b), nil
}

func (r *reply) WriteMsg(m *dns.Msg) error {
	wire, err := m.Pack()
	if err != nil {
		return err
	}
	r.wire = wire
	return nil
}

func (r *reply) Close() error {
	r.closed = true
	return nil
}

func (r *reply) TsigStatus() error   { return nil }
func (r *reply) TsigTimersOnly(bool) {}
func (r *reply) Hijack()             {}
