package exchange

import (
	"context"

	"github.com/coredns/coredns/pb"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// AskGRPC sends m through a client of the grpc plugin and returns its reply. The
// error is that of the transport, or ErrQuestion.
func AskGRPC(ctx context.Context, client pb.DnsServiceClient, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	packet, err := limited(ctx, func() (*pb.DnsPacket, error) { return client.Query(ctx, &pb.DnsPacket{Msg: wire}) })
	if err != nil {
		return nil, err
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(packet.GetMsg()); err != nil {
		return nil, err
	}
	state := request.Request{W: writer, Req: m}
	if !state.Match(reply) {
		return nil, ErrQuestion
	}
	return reply, nil
}
