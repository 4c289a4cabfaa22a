//go:build linux

package server_test

import (
	"context"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// A second socket on the port would get a share of the queries.
func TestThePortOfAServerIsItsOwn(t *testing.T) {
	s := server.Start(t, marked(".:0", "one"))
	shares := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); e != nil {
			return e
		}
		return err
	}}
	if p, err := shares.ListenPacket(context.Background(), "udp", s.UDP()); err == nil {
		p.Close()
		t.Errorf("another socket is bound to %s", s.UDP())
	}
}
