package path

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// What is said of several tries is said by all of them.
func TestWhatIsSaidOfTriesIsTrueOfAll(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	dialed := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	for _, tc := range []struct {
		lost        Lost
		says        string
		silent      bool
		unconnected bool
		orUpstream  string
	}{
		{Lost{dialed, context.DeadlineExceeded, dialed}, "three tries got no reply", true, true, "the path loses UDP, or the upstream drops it (a rate limit)"},
		{Lost{dialed, read}, "two tries got no reply", true, false, "the path loses UDP, or the upstream drops it (a rate limit)"},
		{Lost{refused}, "one try failed (connection refused)", false, false, "the upstream does not serve UDP, or a filter closes it"},
		{Lost{refused, dialed, refused}, "three tries failed (connection refused; no reply)", false, false, "the path loses UDP, or the upstream drops it (a rate limit) or does not serve it"},
	} {
		if got := tc.lost.Tries("try", "tries"); got != tc.says || tc.lost.Silent() != tc.silent || tc.lost.Unconnected() != tc.unconnected || tc.lost.OrUpstream() != tc.orUpstream {
			t.Errorf("%v: %q, %v, %v, %q", tc.lost, got, tc.lost.Silent(), tc.lost.Unconnected(), tc.lost.OrUpstream())
		}
	}
}

// Time is spoken of only where it was waited, and what is refused is said to be.
func TestWhatBecameOfTheRootIsSaidByItsFailures(t *testing.T) {
	refused := os.NewSyscallError("read", syscall.ECONNREFUSED)
	for _, tc := range []struct {
		life Life
		says string
	}{
		{Life{Root: os.ErrDeadlineExceeded, Other: context.DeadlineExceeded}, "does not answer for the root in time either, over UDP and TCP"},
		{Life{Root: refused, Other: refused}, "refuses the connection for the root too, over UDP and TCP"},
		{Life{Root: refused, Other: os.ErrDeadlineExceeded, ByTCP: true}, "does not answer for the root either, over TCP: connection refused, over UDP: no reply"},
		{Life{Root: io.EOF, Other: io.EOF}, "does not answer for the root either, over UDP and TCP: the connection is closed without an answer"},
	} {
		if got := Either(tc.life.Root, tc.life.Other) + ", " + tc.life.OverBoth(); got != tc.says {
			t.Errorf("got %q, want %q", got, tc.says)
		}
	}
	if got, want := Either(io.EOF), "does not answer for the root either: the connection is closed without an answer"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
