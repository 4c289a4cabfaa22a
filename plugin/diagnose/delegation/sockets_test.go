package delegation

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// bind serves the world's servers on sockets, all on one port, as a resolver
// would find them. Silent and closed are done on the wire.
func (w *world) bind(t *testing.T, silentOnes, closedOnes []string) uint16 {
	t.Helper()
	for range 20 {
		if port, ok := w.tryBind(t, silentOnes, closedOnes); ok {
			return port
		}
	}
	t.Fatal("no port that is free on all addresses")
	return 0
}

func (w *world) tryBind(t *testing.T, silentOnes, closedOnes []string) (uint16, bool) {
	t.Helper()
	var started []*dns.Server
	port := "0"
	for a, zones := range w.servers {
		if has(closedOnes, a) {
			continue
		}
		ln, err := net.Listen("tcp", net.JoinHostPort(a.String(), port))
		if err != nil {
			shutdown(started)
			return 0, false
		}
		port = strconv.Itoa(int(netip.MustParseAddrPort(ln.Addr().String()).Port()))
		pc, err := net.ListenPacket("udp", net.JoinHostPort(a.String(), port))
		if err != nil {
			ln.Close()
			shutdown(started)
			return 0, false
		}
		h := dns.HandlerFunc(func(rw dns.ResponseWriter, q *dns.Msg) {
			if !has(silentOnes, a) {
				_ = rw.WriteMsg(zones.reply(q))
			}
		})
		for _, s := range []*dns.Server{{PacketConn: pc, Handler: h}, {Listener: ln, Handler: h}} {
			var up sync.WaitGroup
			up.Add(1)
			s.NotifyStartedFunc = up.Done
			go func() { _ = s.ActivateAndServe() }()
			up.Wait()
			started = append(started, s)
		}
	}
	t.Cleanup(func() { shutdown(started) })
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(n), true
}

func shutdown(servers []*dns.Server) {
	for _, s := range servers {
		_ = s.Shutdown()
	}
}

func has(list []string, a netip.Addr) bool {
	for _, s := range list {
		if s == a.String() {
			return true
		}
	}
	return false
}

func TestProbeOverSockets(t *testing.T) {
	if ln, err := net.Listen("tcp", ns2Addr+":0"); err != nil {
		t.Skip(err) // 127/8 is not all local everywhere
	} else {
		ln.Close()
	}
	tests := []struct {
		name           string
		silent, closed []string
		refused        bool // the servers have another zone
		want           Kind
	}{
		{name: "all well", want: Healthy},
		{name: "ports closed", closed: []string{ns1Addr, ns2Addr}, want: Unreachable},
		{name: "silent", silent: []string{ns1Addr, ns2Addr}, want: Unreachable},
		{name: "one closed", closed: []string{ns1Addr}, want: Healthy},
		{name: "one silent", silent: []string{ns2Addr}, want: Healthy},
		{name: "one closed, one silent", closed: []string{ns1Addr}, silent: []string{ns2Addr}, want: Unreachable},
		{name: "zone not served", refused: true, want: Lame},
		{name: "root silent", silent: []string{rootAddr}, want: Undecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // some wait for silent servers
			w := newWorld(t, delegatedTo2)
			if tt.refused {
				for _, a := range []string{ns1Addr, ns2Addr} {
					w.servers[netip.MustParseAddr(a)] = authority{"example.net.": zoneRRs(t, "example.net. NS ns.example.net.")}
				}
			}
			p := w.prober()
			p.Port = w.bind(t, tt.silent, tt.closed)
			wait := patience
			if tt.silent != nil {
				wait = time.Second
			}
			p.Direct = (&Dialer{Timeout: wait}).Direct
			p.Roots[0] = netip.AddrPortFrom(p.Roots[0].Addr(), p.Port)
			f := p.Probe(t.Context(), "www.example.org.", dns.TypeA)
			if f.Kind != tt.want {
				t.Errorf("got %s %q, want %s\nsteps %+v", f.Kind, f.FullText, tt.want, f.Steps)
			}
		})
	}
}

func TestProbeOverIPv6Sockets(t *testing.T) {
	ln, err := net.Listen("tcp", net.JoinHostPort(org6Addr, "0"))
	if err != nil {
		t.Skip(err)
	}
	ln.Close()
	// One address serves the whole tree; the delegation adds a closed one.
	w := newWorld(t, "")
	w.servers = map[netip.Addr]authority{}
	const ns = "example.org. NS ns1.example.org.\nns1.example.org. AAAA ::1\nexample.org. NS ns2.example.org.\nns2.example.org. A " + ns2Addr + "\n"
	w.serve(org6Addr, ".", "org. NS a.nic.org.\na.nic.org. AAAA ::1\n")
	w.serve(org6Addr, "org.", "org. SOA a.nic.org. nobody.example. 1 1 1 1 1\norg. NS a.nic.org.\na.nic.org. AAAA ::1\n"+ns)
	p := w.prober()
	p.Port = w.bind(t, nil, nil)
	p.Direct = (&Dialer{Timeout: patience}).Direct
	p.Roots[0] = netip.AddrPortFrom(netip.MustParseAddr(org6Addr), p.Port)
	f := p.Probe(t.Context(), "www.example.org.", dns.TypeA)
	// ::1 refers to itself over IPv6; the IPv4 address is closed without an IPv4 control.
	if f.Kind != Undecided {
		t.Errorf("got %s %q", f.Kind, f.FullText)
	}
	for _, s := range f.Servers {
		if s.Addr.Addr().Is4() && (s.Outcome != Closed || s.Control) {
			t.Errorf("%s: %s, control %v", s.Addr, s.Outcome, s.Control)
		}
	}
}

func BenchmarkProbe(b *testing.B) {
	w := newWorld(b, delegatedTo2)
	w.fail(ns1Addr, func(_, _ *dns.Msg) (*dns.Msg, error) { return nil, os.ErrDeadlineExceeded })
	p := w.prober()
	for b.Loop() {
		p.Probe(b.Context(), "www.example.org.", dns.TypeA)
	}
}
