package cause

import (
	"os"
	"syscall"
	"testing"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// A neighbour that is off gives "no route to host" where there is a route.
func TestOnlyANetworkThatIsUnreachableTakesTheBlameFromTheUpstream(t *testing.T) {
	for errno, want := range map[syscall.Errno]Owner{syscall.ENETUNREACH: Network, syscall.EHOSTUNREACH: Upstream, syscall.EADDRNOTAVAIL: Upstream} {
		e := ev.New()
		e.Failure = ev.Failure{Kind: ev.Unroutable, Err: os.NewSyscallError("connect", errno)}
		if v := newVerdict(upstreamUnreachable, e); v.Owner != want {
			t.Errorf("%v: owner %s, want %s", errno, v.Owner, want)
		}
	}
}
