package upstream

import (
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Silent never answers. Over streams the connection stays open.
func Silent() dns.Handler {
	return dns.HandlerFunc(func(dns.ResponseWriter, *dns.Msg) {})
}

// Slow gives the answer of next after d, or nothing if the server stops first.
func Slow(d time.Duration, next dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		var done <-chan struct{}
		if stopping, ok := w.(interface{ Done() <-chan struct{} }); ok {
			done = stopping.Done()
		}
		select {
		case <-timer.C:
			next.ServeDNS(w, m)
		case <-done:
		}
	})
}

// Garbage sends octets that are no DNS message under the query's ID, so that
// a client that looks at the ID first has to parse on.
func Garbage() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		b := binary.BigEndian.AppendUint16(nil, m.Id)
		for len(b) < 64 {
			b = append(b, 0xff)
		}
		_, _ = w.Write(b)
	})
}

// Short sends 7 octets, less than a header, under the query's ID.
func Short() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		_, _ = w.Write(append(binary.BigEndian.AppendUint16(nil, m.Id), 0x81, 0x80, 0, 1, 0))
	})
}

// WrongQuestion answers another question under the right ID.
func WrongQuestion() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		other := m.Copy()
		other.Question[0].Name = "wrong.example.net."
		_ = w.WriteMsg(answer(other))
	})
}

// WrongID answers the right question under another ID.
func WrongID() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := answer(m)
		r.Id = m.Id + 1
		_ = w.WriteMsg(r)
	})
}

// Truncated answers in UDP with TC and no record, elsewhere in full.
func Truncated() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := answer(m)
		if v, ok := w.(*writer); ok && v.datagram() {
			r.Answer, r.Ns, r.Truncated = nil, nil, true
		}
		_ = w.WriteMsg(r)
	})
}

// oversize is well above every size that clients offer, and below what one
// datagram on the loopback interface holds.
const oversize = 8192

// Oversized answers with more than 8192 octets of A records whatever size the
// client offered, without TC.
func Oversized() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := respond(m, dns.RcodeSuccess)
		header := dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}
		for i := range oversize / 16 { // no record takes less, even compressed
			r.Answer = append(r.Answer, &dns.A{Hdr: header, A: net.IPv4(192, 0, 2, byte(i))})
		}
		r.Compress = true
		_ = w.WriteMsg(r)
	})
}

// HangUp closes the connection once it has read the query: EOF over TCP and
// TLS, a reset stream over HTTP/2, a closed connection over QUIC, the status
// Unavailable over gRPC. In UDP it is silence.
func HangUp() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, _ *dns.Msg) { _ = w.Close() })
}

// HTTPStatus answers with an HTTP status and no message; over other transports
// than HTTPS it is silence.
func HTTPStatus(code int) dns.Handler {
	return instead(func(r *reply) { r.status = code })
}

// GRPCStatus answers with a gRPC status and no message; over other transports
// than gRPC it is silence. codes.OK is no failure, and panics at once.
func GRPCStatus(code codes.Code, text string) dns.Handler {
	if code == codes.OK {
		panic(fmt.Sprintf("upstream: %v is no failure", code))
	}
	return instead(func(r *reply) { r.err = status.Error(code, text) })
}

func instead(f func(*reply)) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, _ *dns.Msg) {
		v, ok := w.(*writer)
		if !ok {
			return
		}
		if r, ok := v.ResponseWriter.(*reply); ok {
			f(r)
		}
	})
}
