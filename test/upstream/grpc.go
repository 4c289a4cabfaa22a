package upstream

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/coredns/coredns/pb"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

func (s *Server) serveGRPC(l net.Listener, c *tls.Config) {
	options := []grpc.ServerOption{grpc.WaitForHandlers(true)}
	if c != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(c)))
	}
	g := grpc.NewServer(options...)
	pb.RegisterDnsServiceServer(g, &service{server: s, local: l.Addr()})
	s.onStop(g.Stop)
	s.running.Go(func() { _ = g.Serve(l) })
}

type service struct {
	pb.UnimplementedDnsServiceServer
	server *Server
	local  net.Addr
}

func (v *service) Query(ctx context.Context, p *pb.DnsPacket) (*pb.DnsPacket, error) {
	m := new(dns.Msg)
	if err := m.Unpack(p.GetMsg()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	a := &reply{local: v.local, remote: &net.TCPAddr{}}
	if client, ok := peer.FromContext(ctx); ok {
		a.remote = client.Addr
	}
	v.server.ServeDNS(a, m)
	switch {
	case a.closed:
		return nil, status.Error(codes.Unavailable, "closed")
	case a.err != nil:
		return nil, a.err
	case a.wire == nil:
		select {
		case <-ctx.Done():
		case <-v.server.done:
		}
		return nil, status.Error(codes.DeadlineExceeded, "no answer")
	}
	return &pb.DnsPacket{Msg: a.wire}, nil
}
