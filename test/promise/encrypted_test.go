package promise_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coredns/coredns/pb"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

func trusting(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

func dialStream(s *server.Server, scheme string) (net.Conn, error) {
	if scheme == "tcp" {
		return net.DialTimeout("tcp", s.TCP(), patience)
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", s.DoT(), trusting("dot"))
}

// overHTTP posts each query over one connection, of HTTP/2 or HTTP/3.
func overHTTP(scheme string) func(*server.Server, []query, func(int) int) ([]outcome, error) {
	return func(s *server.Server, all []query, _ func(int) int) ([]outcome, error) {
		addr, err := address(s, scheme)
		if err != nil {
			return nil, err
		}
		client := &http.Client{Timeout: patience}
		if scheme == "https3" {
			over := &http3.Transport{TLSClientConfig: trusting("h3")}
			defer over.Close()
			client.Transport = over
		} else {
			over := &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}
			defer over.CloseIdleConnections()
			client.Transport = over
		}
		outcomes := make([]outcome, len(all))
		for i, q := range all {
			response, err := client.Post("https://"+addr+"/dns-query", "application/dns-message", bytes.NewReader(q.wire))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				return nil, err
			}
			outcomes[i].note = fmt.Sprintf("status %d, %s, Cache-Control: %s", response.StatusCode,
				response.Header.Get("Content-Type"), response.Header.Get("Cache-Control"))
			if response.StatusCode == http.StatusOK {
				outcomes[i].answers = [][]byte{body}
			}
		}
		return outcomes, nil
	}
}

// overGRPC calls the service of CoreDNS over one connection.
func overGRPC(s *server.Server, all []query, _ func(int) int) ([]outcome, error) {
	conn, err := grpc.NewClient("passthrough:///"+s.GRPC(), grpc.WithTransportCredentials(credentials.NewTLS(trusting("h2"))))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	service := pb.NewDnsServiceClient(conn)
	outcomes := make([]outcome, len(all))
	for i, q := range all {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		p, err := service.Query(ctx, &pb.DnsPacket{Msg: q.wire})
		cancel()
		if err != nil {
			outcomes[i].note = status.Convert(err).String()
			continue
		}
		outcomes[i].answers = [][]byte{p.GetMsg()}
	}
	return outcomes, nil
}

// overQUIC opens a stream for each query, with the ID 0 (RFC 9250 section 4.2.1).
// A server closes the stream behind its answer. Without an answer CoreDNS leaves
// it open: these queries are asked last, and listened to together.
func overQUIC(s *server.Server, all []query, wanted func(int) int) ([]outcome, error) {
	remote, err := net.ResolveUDPAddr("udp", s.DoQ())
	if err != nil {
		return nil, err
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer p.Close()
	c := &quicClient{remote: remote, over: &quic.Transport{Conn: p}}
	defer c.close()
	outcomes := make([]outcome, len(all))
	var silent []int
	wait := patience
	for i, q := range all {
		if wanted(i) == 0 {
			silent = append(silent, i)
			continue
		}
		stream, err := c.send(q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		outcomes[i] = c.receive(stream, wanted(i), wait)
		if outcomes[i].note == nothingMore && len(outcomes[i].answers) < wanted(i) {
			wait = silence // one that is lost is enough to fail
		}
	}
	var open []*quic.Stream
	for _, i := range silent {
		c.conn = nil // one that the server closes must not take others along
		stream, err := c.send(all[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
		open = append(open, stream)
	}
	deadline := time.Now().Add(silence)
	for k, i := range silent {
		outcomes[i] = c.receive(open[k], 0, time.Until(deadline))
	}
	return outcomes, nil
}

// quicClient keeps a connection until the server closes it.
type quicClient struct {
	remote net.Addr
	over   *quic.Transport
	conn   *quic.Conn
	all    []*quic.Conn
}

// close tells the server that the connections end. It would keep each for minutes.
func (c *quicClient) close() {
	for _, conn := range c.all {
		_ = conn.CloseWithError(0, "")
	}
	_ = c.over.Close()
}

// send opens a stream for q. The server may close the connection at that moment because of
// an earlier query: the query goes over a new connection then.
func (c *quicClient) send(q query) (*quic.Stream, error) {
	const tries = 5
	for try := 1; ; try++ {
		stream, err := c.sendOnce(q)
		var closed *quic.ApplicationError
		if try == tries || !errors.As(err, &closed) {
			return stream, err
		}
		c.conn = nil
	}
}

func (c *quicClient) sendOnce(q query) (*quic.Stream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if c.conn == nil || c.conn.Context().Err() != nil {
		var err error
		if c.conn, err = c.over.Dial(ctx, c.remote, trusting("doq"), nil); err != nil {
			return nil, err
		}
		c.all = append(c.all, c.conn)
	}
	stream, err := c.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := stream.Write(framed(withID(q.wire, 0))); err != nil {
		return nil, err
	}
	return stream, stream.Close()
}

// receive waits for so many answers, and then for a moment for the end of the
// stream.
func (c *quicClient) receive(stream *quic.Stream, wanted int, wait time.Duration) (o outcome) {
	_ = stream.SetReadDeadline(time.Now().Add(wait))
	for {
		if len(o.answers) == wanted && wanted > 0 {
			_ = stream.SetReadDeadline(time.Now().Add(silence))
		}
		wire, err := unframed(stream)
		if err == io.EOF {
			return o
		}
		if err != nil {
			o.note = plainError(err)
			return o
		}
		o.answers = append(o.answers, wire)
	}
}
