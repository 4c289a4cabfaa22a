package upstream

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/coredns/coredns/plugin/pkg/doh"
)

func (s *Server) serveHTTPS(l net.Listener, c *tls.Config) {
	h := &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		TLSConfig:         c,
		ReadHeaderTimeout: 5 * time.Second,
		// Handshakes fail on purpose here, and the standard logger is where
		// the server under test is being listened to.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.onStop(func() { h.Close() })
	s.running.Go(func() { _ = h.ServeTLS(l, "", "") })
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != doh.Path {
		http.NotFound(w, r)
		return
	}
	m, err := doh.RequestToMsg(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := &reply{local: r.Context().Value(http.LocalAddrContextKey).(net.Addr), remote: remoteTCP(r.RemoteAddr)}
	s.ServeDNS(a, m)
	switch {
	case a.closed:
		panic(http.ErrAbortHandler)
	case a.status != 0:
		w.WriteHeader(a.status)
	case a.wire == nil:
		// HTTP has to answer; a silent server keeps the client waiting.
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	default:
		w.Header().Set("Content-Type", doh.MimeType)
		_, _ = w.Write(a.wire)
	}
}

func remoteTCP(hostport string) net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", hostport)
	if err != nil {
		return &net.TCPAddr{}
	}
	return addr
}
