//go:build linux

package faults

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/seed-1b7246af/coredns-ede/test/port"
)

// Clients that ask and never read, until the server takes nothing more from
// them. Everybody else is served meanwhile, and nothing is left of them.
func TestClientsThatNeverRead(t *testing.T) {
	for _, c := range []struct {
		name, scheme string
		ask          func(t *testing.T, addr string, begun func(), stop <-chan struct{}) int
	}{
		{"TCP", "", overStream(nil)},
		{"DoT", "tls", overStream(&tls.Config{InsecureSkipVerify: true})},
		{"DoH", "https", overHTTPS},
		{"DoQ", "quic", overQUIC},
	} {
		t.Run(c.name, func(t *testing.T) {
			parallel(t)
			upstream := refuses(t)
			addr, options := port.Free(t), []option(nil)
			if c.scheme != "" {
				_, number, _ := net.SplitHostPort(addr)
				options = append(options, block(fmt.Sprintf("%s://.:%s {\n bind 127.0.0.1\n ede\n tls %s\n %s\n}\n", c.scheme, number, keyPair(t), upstream)))
			}
			p := start(t, []string{"ede {\n log summary 1s\n }", upstream}, options...)
			if c.scheme == "" {
				addr = p.dns
			}
			tr := p.try(t, "clients that never read, "+c.name)
			stop := make(chan struct{})
			var begun, unread sync.WaitGroup
			var mu sync.Mutex
			asked := 0
			clients := size(8, 20)
			for range clients {
				begun.Add(1)
				unread.Go(func() {
					once := sync.OnceFunc(begun.Done)
					defer once()
					n := c.ask(t, addr, once, stop)
					mu.Lock()
					defer mu.Unlock()
					asked += n
				})
			}
			begun.Wait()
			all := load{addr: p.dns, network: "udp", clients: 4, during: span(3*time.Second, 15*time.Second), pace: 5 * time.Millisecond}.run()
			close(stop)
			unread.Wait()
			tr.done(all, "%d clients sent %d queries and read nothing; the columns count the queries of other clients", clients, asked)
			if asked < clients {
				t.Errorf("%d clients asked %d times: no trial", clients, asked)
			}
		})
	}
}

func query() []byte {
	m := new(dns.Msg).SetQuestion("unread.example.org.", dns.TypeA)
	m.SetEdns0(1232, false)
	wire, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

// pipelined is how many queries fill the buffers of a connection, and no more:
// what the kernel holds of a client that has gone CoreDNS still works off.
const pipelined = 40000

// overStream pipelines queries until the buffers are full, and then waits.
func overStream(secure *tls.Config) func(*testing.T, string, func(), <-chan struct{}) int {
	return func(t *testing.T, addr string, begun func(), stop <-chan struct{}) (asked int) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer conn.Close()
		// A small window fills up soon.
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		if secure != nil {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			client := tls.Client(conn, secure)
			if err := client.HandshakeContext(ctx); err != nil {
				t.Error(err)
				return 0
			}
			conn = client
		}
		wire := query()
		packet := append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for asked < pipelined {
				if _, err := conn.Write(packet); err != nil {
					return
				}
				asked++
				begun()
			}
		}()
		<-stop
		conn.Close()
		<-ended
		return asked
	}
}

// overHTTPS opens streams with a flow-control window of nothing.
func overHTTPS(t *testing.T, addr string, begun func(), stop <-chan struct{}) (asked int) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(http2.ClientPreface))
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	// CoreDNS allows 250 streams on a connection.
	for id := uint32(1); asked < 250; id += 2 {
		head.Reset()
		for _, f := range [][2]string{
			{":method", "GET"}, {":scheme", "https"}, {":authority", addr},
			{":path", "/dns-query?dns=" + base64.RawURLEncoding.EncodeToString(query())}, {"accept", "application/dns-message"},
		} {
			_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
		}
		if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}) != nil {
			break
		}
		asked++
	}
	begun()
	<-stop
	return asked
}

// overQUIC opens streams with a flow-control window of one octet.
func overQUIC(t *testing.T, addr string, begun func(), stop <-chan struct{}) (asked int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { <-stop; cancel() }()
	conn, err := quic.DialAddr(ctx, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"doq"}},
		&quic.Config{HandshakeIdleTimeout: patience, InitialStreamReceiveWindow: 1, MaxStreamReceiveWindow: 1, InitialConnectionReceiveWindow: 1, MaxConnectionReceiveWindow: 1})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.CloseWithError(0, "")
	m := query()
	m[0], m[1] = 0, 0 // RFC 9250 section 4.2.1
	packet := append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)
	for {
		// The server allows so many streams and waits for them to end.
		stream, err := conn.OpenStreamSync(ctx)
		if err != nil {
			return asked
		}
		if _, err := stream.Write(packet); err != nil {
			return asked
		}
		_ = stream.Close()
		asked++
		begun()
	}
}
