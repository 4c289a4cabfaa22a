package promise_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

const (
	// patience is how long an answer may take that has to come.
	patience = 20 * time.Second
	// silence is how long the tests listen for one that must not.
	silence = 150 * time.Millisecond
)

// outcome is what came back for one query: all messages, and what else a
// transport tells, such as the status of an HTTP response.
type outcome struct {
	answers [][]byte
	note    string
}

// transport asks a server all queries, one after the other, and returns what came
// back for each. wanted tells how many answers to a query are to be waited for.
type transport struct {
	name string
	ask  func(s *server.Server, all []query, wanted func(i int) int) ([]outcome, error)
}

// transports begin with TCP, over which a server works off one query after the
// other, so that all answers to one are known to be all.
var transports = []transport{
	{"tcp", overStream("tcp")},
	{"udp", overUDP},
	{"tls", overStream("tls")},
	{"https", overHTTP("https")},
	{"https3", overHTTP("https3")},
	{"quic", overQUIC},
	{"grpc", overGRPC},
}

// address is where a server listens for a scheme.
func address(s *server.Server, scheme string) (string, error) {
	for _, l := range s.Listeners() {
		if l.Scheme == scheme {
			if l.TCP != "" {
				return l.TCP, nil
			}
			return l.UDP, nil
		}
	}
	return "", fmt.Errorf("no listener for %s", scheme)
}

// overUDP asks from a socket for each query, and when all have been answered
// listens on all of them for more.
func overUDP(s *server.Server, all []query, wanted func(int) int) ([]outcome, error) {
	outcomes := make([]outcome, len(all))
	conns := make([]net.Conn, len(all))
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	buf := make([]byte, 1<<16)
	read := func(i int, deadline time.Time) error {
		_ = conns[i].SetReadDeadline(deadline)
		n, err := conns[i].Read(buf)
		if err == nil {
			outcomes[i].answers = append(outcomes[i].answers, append([]byte{}, buf[:n]...))
		}
		return err
	}
	wait := patience
	for i, q := range all {
		var err error
		if conns[i], err = net.Dial("udp", s.UDP()); err != nil {
			return nil, err
		}
		if _, err := conns[i].Write(q.wire); err != nil {
			return nil, err
		}
		for range wanted(i) {
			if err := read(i, time.Now().Add(wait)); errors.Is(err, os.ErrDeadlineExceeded) {
				wait = silence // one that is lost is enough to fail
				break
			} else if err != nil {
				return nil, err
			}
		}
	}
	for i, deadline := 0, time.Now().Add(silence); i < len(conns); i++ {
		for {
			if err := read(i, deadline); errors.Is(err, os.ErrDeadlineExceeded) {
				break
			} else if err != nil {
				return nil, err
			}
		}
	}
	return outcomes, nil
}

// barrier is a message without a question, which the server rejects itself: over
// a stream its answer follows all answers to what was asked before.
var barrier = []byte{0xba, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

// overStream sends each query with a barrier behind it.
func overStream(scheme string) func(*server.Server, []query, func(int) int) ([]outcome, error) {
	return func(s *server.Server, all []query, _ func(int) int) ([]outcome, error) {
		outcomes := make([]outcome, len(all))
		var conn net.Conn
		defer func() {
			if conn != nil {
				conn.Close()
			}
		}()
		for i, q := range all {
			if conn == nil {
				var err error
				if conn, err = dialStream(s, scheme); err != nil {
					return nil, err
				}
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := conn.Write(append(framed(q.wire), framed(barrier)...)); err != nil {
				return nil, err
			}
			for {
				wire, err := unframed(conn)
				if err != nil {
					outcomes[i].note = plainError(err)
					conn.Close()
					conn = nil
					break
				}
				if binary.BigEndian.Uint16(wire) == binary.BigEndian.Uint16(barrier) && len(wire) == len(barrier) {
					break
				}
				outcomes[i].answers = append(outcomes[i].answers, wire)
			}
		}
		return outcomes, nil
	}
}

// nothingMore is noted where the server neither answers nor closes.
const nothingMore = "nothing more comes"

// plainError is err without addresses.
func plainError(err error) string {
	var closed *quic.ApplicationError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("the server closes the connection: %v %q", closed.ErrorCode, closed.ErrorMessage)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closes the connection"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return nothingMore
	}
	return err.Error()
}

func framed(wire []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
}

func unframed(r io.Reader) ([]byte, error) {
	var size uint16
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	wire := make([]byte, size)
	_, err := io.ReadFull(r, wire)
	return wire, err
}
