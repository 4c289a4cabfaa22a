package observe

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/coredns/caddy"
)

// listening holds the addresses that this process listens on, of the instance
// that started last. There is one process, so there is one set.
var listening atomic.Pointer[[]netip.AddrPort]

// SetListeners takes note of the addresses that instance listens on. It is to
// be called when the instance has started.
func SetListeners(instance *caddy.Instance) {
	var addrs []netip.AddrPort
	for _, server := range instance.Servers() {
		for _, addr := range []net.Addr{server.Addr(), server.LocalAddr()} {
			if addr == nil {
				continue
			}
			if a, err := netip.ParseAddrPort(addr.String()); err == nil {
				addrs = append(addrs, a)
			}
		}
	}
	listening.Store(&addrs)
}

// listensOn reports whether this process listens on addr, "192.0.2.53:53". A
// wildcard listener counts for loopback addresses only: other addresses of the
// machine are not looked up on the query's path.
func listensOn(addr string) bool {
	list := listening.Load()
	if list == nil {
		return false
	}
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	for _, l := range *list {
		if l.Port() != a.Port() {
			continue
		}
		if l.Addr().Unmap() == a.Addr().Unmap() || l.Addr().IsUnspecified() && a.Addr().IsLoopback() {
			return true
		}
	}
	return false
}
