package cause

import (
	"os"
	"strings"
	"syscall"
	"testing"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// A neighbour that is off gives "no route to host" where there is a route, and a server
// without a free port has not asked.
func TestOnlyANetworkThatIsUnreachableTakesTheBlameFromTheUpstream(t *testing.T) {
	for errno, want := range map[syscall.Errno]Owner{syscall.ENETUNREACH: Network, syscall.EHOSTUNREACH: Nobody, syscall.EADDRNOTAVAIL: Us} {
		e := ev.New()
		e.At, e.Upstream = "forward", "192.0.2.53:53"
		e.Failure = ev.Failure{Kind: ev.Unroutable, Err: os.NewSyscallError("connect", errno)}
		v := newVerdict(upstreamUnreachable, e)
		if v.Owner != want {
			t.Errorf("%v: owner %s, want %s", errno, v.Owner, want)
		}
		if says := strings.HasSuffix(v.Text(), "has no route"); says != (errno == syscall.ENETUNREACH) {
			t.Errorf("%v: %s", errno, v.Text())
		}
	}
}

// "Operation not permitted" is said by the system here, and by no network.
func TestPacketsThatTheSystemForbidsAreNotBlamedOnTheNetwork(t *testing.T) {
	for errno, want := range map[syscall.Errno]Owner{syscall.EPERM: Us, syscall.EACCES: Network, syscall.EINVAL: Network} {
		e := ev.New()
		e.At, e.Upstream = "forward", "192.0.2.53:53"
		e.Failure = ev.Failure{Kind: ev.NetworkOther, Err: os.NewSyscallError("sendto", errno)}
		if v := Classify(e); v.Cause != upstreamNetwork || v.Owner != want {
			t.Errorf("%v: %s by %s, want %s", errno, v.Cause.ID, v.Owner, want)
		}
	}
}
