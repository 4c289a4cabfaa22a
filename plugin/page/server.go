package page

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/coredns/coredns/plugin/pkg/reuseport"

	"golang.org/x/net/netutil"
)

// Limits of one connection and of all.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeader      = 8 << 10
	maxConnections = 32
	// stopTimeout is short since a reload waits for it.
	stopTimeout = time.Second
)

// Server serves the page on one address.
type Server struct {
	addr net.Addr
	http *http.Server
	done chan struct{}
}

// Free reports whether nothing listens on addr. Listen would share the port, and a request
// could then reach either of the two.
func Free(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return listener.Close()
}

// Listen serves h on addr, "127.0.0.1:9163", until Stop. The port may be shared
// with a server of the same process: at a reload the new one starts before the
// old one stops.
func Listen(addr string, h http.Handler) (*Server, error) {
	listener, err := reuseport.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{
		addr: listener.Addr(),
		done: make(chan struct{}),
		http: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: readTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			// What it would log is at the choice of whoever connects.
			ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(netutil.LimitListener(listener, maxConnections))
	}()
	return s, nil
}

// Addr is the address that is listened on.
func (s *Server) Addr() net.Addr { return s.addr }

// Stop ends the server. Responses under way have a second to finish.
func (s *Server) Stop() {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.done
}
