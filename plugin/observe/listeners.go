package observe

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/metrics"

	"github.com/miekg/dns"
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

// comesBack reports whether a query that run sent to upstream was bound to come
// back to the block that sent it. That the process listens there proves
// nothing, since one block may forward to another. It is proven where the
// listener is the one that the query itself came to and the question is
// unchanged, and where the Corefile shows a circle.
func (run *Run) comesBack(upstream string, asked dns.Question) bool {
	if run.ladder.Circle && listensOn(upstream) {
		return true
	}
	server, ok := run.Context.Value(dnsserver.Key{}).(*dnsserver.Server)
	if !ok || asked != run.Question() || metrics.WithView(run.Context) != "" {
		return false
	}
	_, addr, _ := strings.Cut(server.Addr, "://")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "" {
		addr = net.JoinHostPort("::", port)
	}
	listener, err := netip.ParseAddrPort(addr)
	return err == nil && covers(listener, upstream)
}

// listensOn reports whether this process listens on addr, "192.0.2.53:53". A
// wildcard listener counts for loopback addresses only: other addresses of the
// machine are not looked up on the query's path.
func listensOn(addr string) bool {
	list := listening.Load()
	if list == nil {
		return false
	}
	for _, l := range *list {
		if covers(l, addr) {
			return true
		}
	}
	return false
}

func covers(listener netip.AddrPort, addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	if err != nil || listener.Port() != a.Port() {
		return false
	}
	return listener.Addr().Unmap() == a.Addr().Unmap() || listener.Addr().IsUnspecified() && a.Addr().IsLoopback()
}
