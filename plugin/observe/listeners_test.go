package observe

import (
	"context"
	"net/netip"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"
)

func TestAListenerCoversItsOwnAddressAndAWildcardTheLoopback(t *testing.T) {
	for _, c := range []struct {
		listener, addr string
		want           bool
	}{
		{"127.0.0.1:53", "127.0.0.1:53", true},
		{"127.0.0.1:53", "127.0.0.1:5353", false},
		{"127.0.0.1:53", "127.0.0.2:53", false},
		{"[::ffff:127.0.0.1]:53", "127.0.0.1:53", true},
		{"[::]:53", "127.0.0.53:53", true},
		{"0.0.0.0:53", "[::1]:53", true},
		{"[::]:53", "192.0.2.1:53", false},
		{"[::]:53", "dns.example.org:53", false},
		{"[::]:53", "", false},
	} {
		if got := covers(netip.MustParseAddrPort(c.listener), c.addr); got != c.want {
			t.Errorf("%s covers %q: %v", c.listener, c.addr, got)
		}
	}
}

func TestWhereAQueryMayComeBack(t *testing.T) {
	addrs := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:5301")}
	listening.Store(&addrs)
	t.Cleanup(func() { listening.Store(nil) })
	question := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	other := dns.Question{Name: "www.example.net.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	for _, c := range []struct {
		name, server, upstream string
		asked                  dns.Question
		circle, want           bool
	}{
		{"the listener that the query came to", "dns://127.0.0.1:5301", "127.0.0.1:5301", question, false, true},
		{"a wildcard listener that the query came to", "dns://:5301", "127.0.0.1:5301", question, false, true},
		{"the same with the question rewritten", "dns://:5301", "127.0.0.1:5301", other, false, false},
		{"another listener of the process", "dns://:5300", "127.0.0.1:5301", question, false, false},
		{"another listener, and the Corefile shows a circle", "dns://:5300", "127.0.0.1:5301", other, true, true},
		{"a circle in the Corefile, and another upstream", "dns://:5300", "192.0.2.53:53", question, true, false},
		{"no upstream", "dns://:5300", "", question, true, false},
		{"an address that does not parse", "unix", "127.0.0.1:5301", question, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.WithValue(context.Background(), dnsserver.Key{}, &dnsserver.Server{Addr: c.server})
			l := NewLadder(&dnsserver.Config{})
			l.Circle = c.circle
			run := l.Begin(ctx, new(messages), new(dns.Msg).SetQuestion(question.Name, question.Qtype))
			if got := run.mayComeBack(c.upstream, c.asked); got != c.want {
				t.Errorf("may come back: %v", got)
			}
		})
	}
	t.Run("without a server", func(t *testing.T) {
		run := NewLadder(&dnsserver.Config{}).Begin(context.Background(), new(messages), new(dns.Msg).SetQuestion(question.Name, question.Qtype))
		if run.mayComeBack("127.0.0.1:5301", question) {
			t.Error("may come back")
		}
	})
}

// What is sent to an address of the loopback may go elsewhere, if nothing listens just there, as
// with 127.0.0.11 of Docker.
func TestOnlyAddressesThatAreSurelyOfThisServerAreCalledSo(t *testing.T) {
	for _, c := range []struct {
		listener, upstream string
		want               bool
	}{
		{"127.0.0.1:53", "127.0.0.1:53", true},
		{"127.0.0.53:53", "127.0.0.53:53", true},
		{"192.0.2.1:53", "192.0.2.1:53", true},
		{"[::ffff:192.0.2.1]:53", "192.0.2.1:53", true},
		{"[::]:53", "127.0.0.1:53", true},
		{"[::]:53", "[::1]:53", true},
		{"0.0.0.0:53", "127.0.0.1:53", true},
		{"[::]:53", "127.0.0.11:53", false},
		{"[::]:53", "127.0.0.53:53", false},
		{"[::]:53", "192.0.2.1:53", false},
		{"127.0.0.1:53", "127.0.0.1:5353", false},
		{"127.0.0.1:53", "127.0.0.2:53", false},
	} {
		addrs := []netip.AddrPort{netip.MustParseAddrPort(c.listener)}
		listening.Store(&addrs)
		u := newCircle([]upstreamSet{{addrs: []string{c.upstream}}})
		if got := len(u.near().sure) == 1; got != c.want {
			t.Errorf("%s is an address of a server that listens on %s: %v", c.upstream, c.listener, got)
		}
	}
	listening.Store(nil)
}
