package upstream

import (
	"io"
	"net"
	"sync"
)

// Connection is what goes wrong before a query can be read. With the transport
// DNS it happens to TCP only, and UDP works.
type Connection int

const (
	Sound     Connection = iota
	Hangup               // accepted and closed at once
	Mute                 // accepted, then neither read nor answered
	Plaintext            // greets in plain text where TLS or HTTP/2 is expected
)

const greeting = "220 mail.example.net ESMTP\r\n"

// fault serves every connection of l with the same fault until Stop.
func (s *Server) fault(l net.Listener, c Connection) {
	s.onStop(func() { l.Close() })
	s.running.Go(func() {
		var conns sync.WaitGroup
		defer conns.Wait()
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { s.mistreat(conn, c) })
		}
	})
}

func (s *Server) mistreat(conn net.Conn, c Connection) {
	defer conn.Close()
	switch c {
	case Mute:
		<-s.done
	case Plaintext:
		if _, err := io.WriteString(conn, greeting); err != nil {
			return
		}
		// Closing with unread input would send RST, which may overtake the
		// greeting: read until the client has had enough.
		released := make(chan struct{})
		defer close(released)
		s.running.Go(func() {
			select {
			case <-s.done:
				conn.Close()
			case <-released:
			}
		})
		_, _ = io.Copy(io.Discard, conn)
	}
}
