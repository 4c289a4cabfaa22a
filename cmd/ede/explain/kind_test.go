package explain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

func TestKindOf(t *testing.T) {
	op := func(err error) error { return &net.OpError{Op: "read", Net: "udp", Err: err} }
	for _, c := range []struct {
		err  error
		kind evidence.Kind
	}{
		{op(os.NewSyscallError("read", syscall.ECONNREFUSED)), evidence.ConnRefused},
		{op(os.NewSyscallError("connect", syscall.ENETUNREACH)), evidence.Unroutable},
		{op(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), evidence.Unroutable},
		{op(os.ErrDeadlineExceeded), evidence.Timeout},
		{fmt.Errorf("asking: %w", context.DeadlineExceeded), evidence.Timeout},
		{errors.New("the reply is for another question"), evidence.NetworkOther},
	} {
		if got := kindOf(c.err); got != c.kind {
			t.Errorf("%v is of kind %v, want %v", c.err, got, c.kind)
		}
	}
}
