package preflight

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/chain"
)

// upstreams returns the TO arguments of a forward.
func upstreams(l *chain.Link) []string {
	args := l.Args()
	return args[min(1, len(args)):]
}

// endpoint reads a TO of forward. Files and host names are not ok.
func endpoint(to string) (p port, addr netip.Addr, ok bool) {
	trans, host := parse.Transport(to)
	number := defaultPorts[trans]
	if trans == transport.UNIX {
		return port{}, netip.Addr{}, false
	}
	if strings.Contains(host, ":") {
		if h, n, err := net.SplitHostPort(host); err == nil {
			host, number = h, n
		}
	}
	// Behind % stands an interface, or the server name of TLS.
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	addr, err := netip.ParseAddr(host)
	if n, _, found := strings.Cut(number, "%"); found {
		number = n
	}
	return port{trans, number}, addr.Unmap(), err == nil
}

// A forward is one use of it in a block: its link, what it asks, and the files that
// it cannot read, or that name no server.
type forward struct {
	link    int
	targets []target
	unread  []unread
	empty   []string
}

// An unread is a file that cannot be read, and why.
type unread struct {
	path string
	err  error
}

// A target is an address that forward asks, and the file that names it, if one
// does. What it is is not known of host names.
type target struct {
	address, file string
	port
	addr  netip.Addr
	known bool
	here  *service // whose blocks may get what is sent to it, nil if none may
	bound bool     // some of them bind addr
}

func (c *config) newTarget(address, file string) target {
	t := target{address: address, file: file}
	t.port, t.addr, t.known = endpoint(address)
	if !t.known {
		return t
	}
	t.bound = c.bound[listener{t.port, t.addr}]
	local := t.addr != docker && (t.addr.IsLoopback() || t.addr.IsUnspecified() || c.own[t.addr])
	if on := c.byPort[t.port]; (local || t.bound) && on != nil && !on.unclear {
		t.here = on
	}
	return t
}

// mayBeHere reports whether what is sent to t may come to a block.
func (t target) mayBeHere() bool { return t.here != nil }

// server returns the block that answers names under zone at t, or nil if that is
// not of this process or not certain.
func (t *target) server(zone string) *server {
	if !t.mayBeHere() {
		return nil
	}
	for z := range chain.Enclosing(zone) {
		on := t.here.site(z)
		if on == nil {
			continue
		}
		for _, s := range on.blocks {
			if s.at(t) {
				return s // its views are reaches' business
			}
		}
	}
	return nil
}

func (t target) String() string {
	if t.file == "" {
		return Printable(t.address)
	}
	return Printable(t.address) + ", which " + listed(t.file) + " names here"
}

// forwardsOf returns the uses of forward in s, which it reads once.
func (c *config) forwardsOf(s *server) []forward {
	if s.forwards == nil && s.has("forward") {
		for i := range s.chain.Links {
			if l := &s.chain.Links[i]; l.Name == "forward" {
				s.forwards = append(s.forwards, c.newForward(i, upstreams(l)))
			}
		}
	}
	return s.forwards
}

// newForward reads the TO arguments of a forward, and the files among them: what is
// no address is the path of a file, and if there is none the name of a host.
func (c *config) newForward(link int, to []string) forward {
	f := forward{link: link, targets: make([]target, 0, len(to))}
	for _, text := range to {
		t := c.newTarget(text, "")
		trans, path := parse.Transport(text)
		if t.known || trans != transport.DNS || path == "" {
			f.targets = append(f.targets, t)
			continue
		}
		found, err := c.inFile(path)
		if err != nil {
			f.unread = append(f.unread, unread{path, err})
		} else if len(found) == 0 && c.read != nil {
			f.empty = append(f.empty, path)
		}
		if len(found) == 0 {
			f.targets = append(f.targets, t)
		}
		for _, address := range found {
			f.targets = append(f.targets, c.newTarget(address, path))
		}
	}
	return f
}

// inFile returns the upstreams that a file like resolv.conf has, as forward
// reads it (plugin/pkg/parse/host.go, tryFile).
func (c *config) inFile(path string) ([]string, error) {
	if c.read == nil || path == "" {
		return nil, nil
	}
	text, err := c.read(path)
	if err != nil {
		return nil, err
	}
	conf, err := dns.ClientConfigFromReader(strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	to := make([]string, 0, len(conf.Servers))
	for _, s := range conf.Servers {
		s, _, _ = strings.Cut(s, "%")
		to = append(to, net.JoinHostPort(s, conf.Port))
	}
	return to, nil
}

// findUnreadable looks for files that forward reads and that are not there. A
// word that does not look like a path may be the name of a host.
func findUnreadable(c *config, s *server) []finding {
	var all []finding
	for _, f := range c.forwardsOf(s) {
		if len(f.empty) > 0 && len(f.targets) == len(f.empty) { // nothing but these
			found := at(s.chain.Links[f.link].Directive, listed(f.empty...))
			found.text = "forward takes its upstreams from the file %s, which names no server here: without one CoreDNS does not start"
			all = append(all, found)
		}
		for _, u := range f.unread {
			if !strings.Contains(u.path, "/") && !strings.HasSuffix(u.path, ".conf") || errors.Is(u.err, chain.ErrSpecial) {
				continue
			}
			reason := u.err
			if failed := new(fs.PathError); errors.As(u.err, &failed) {
				reason = failed.Err
			}
			all = append(all, at(s.chain.Links[f.link].Directive, listed(u.path), reason))
		}
	}
	return all
}

// findPlainTLS looks for TLS settings of a forward that asks in clear text.
func findPlainTLS(_ *config, s *server) []finding {
	var all []finding
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "forward" || len(upstreams(l)) == 0 {
			continue
		}
		for _, option := range []string{"tls_servername", "tls"} {
			if _, ok := l.Option(option); !ok {
				continue
			}
			if slices.ContainsFunc(upstreams(l), encrypted) {
				break
			}
			all = append(all, at(l.Directive, l.Name, option))
			break
		}
	}
	return all
}

func encrypted(to string) bool {
	trans, _ := parse.Transport(to)
	return trans != transport.DNS && trans != transport.UNIX
}

// findLinkLocal: forward gives no interface to a socket, so that the kernel
// knows no way to such an address (plugin/forward/setup.go, splitZone).
func findLinkLocal(c *config, s *server) []finding {
	var all []finding
	for _, f := range c.forwardsOf(s) {
		for _, to := range f.targets {
			if to.known && to.addr.Is6() && to.addr.IsLinkLocalUnicast() {
				all = append(all, at(s.chain.Links[f.link].Directive, "forward", to.String()))
			}
		}
	}
	return all
}

func findIdleLoop(_ *config, s *server) []finding {
	l, ok := s.find("loop")
	if !ok || s.any(func(l *chain.Link) bool { return l.Forwards() || l.Unknown }) {
		return nil
	}
	return []finding{at(l.Directive)}
}
