package server

import (
	"context"
	"encoding/binary"
	"io"
	"net"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
)

// overQUIC sends the ID 0, as RFC 9250 section 4.2.1 demands, and gives the
// answer that of m.
func overQUIC(ctx context.Context, addr string, m *dns.Msg) (*dns.Msg, error) {
	conn, done, err := dialQUIC(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer done()
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := stream.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	query := m.Copy()
	query.Id = 0
	wire, err := query.Pack()
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)); err != nil {
		return nil, err
	}
	if err := stream.Close(); err != nil {
		return nil, err
	}
	var size uint16
	if err := binary.Read(stream, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	wire = make([]byte, size)
	if _, err := io.ReadFull(stream, wire); err != nil {
		return nil, err
	}
	r, err := unpack(wire)
	if err != nil {
		return nil, err
	}
	r.Id = m.Id
	return r, nil
}

func dialQUIC(ctx context.Context, addr string) (conn *quic.Conn, done func(), err error) {
	remote, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, nil, err
	}
	local := "127.0.0.1:0"
	if remote.IP.To4() == nil {
		local = "[::]:0"
	}
	p, err := net.ListenPacket("udp", local)
	if err != nil {
		return nil, nil, err
	}
	transport := &quic.Transport{Conn: p}
	done = func() {
		if conn != nil {
			_ = conn.CloseWithError(0, "")
		}
		transport.Close()
		p.Close()
	}
	conn, err = transport.Dial(ctx, remote, clientTLS("doq"), nil)
	if err != nil {
		done()
		return nil, nil, err
	}
	return conn, done, nil
}
