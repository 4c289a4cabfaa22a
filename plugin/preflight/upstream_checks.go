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
	if h, n, err := net.SplitHostPort(host); err == nil {
		host, number = h, n
	}
	// Behind % stands an interface, or the server name of TLS.
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	addr, err := netip.ParseAddr(host)
	if n, _, found := strings.Cut(number, "%"); found {
		number = n
	}
	return port{trans, number}, addr.Unmap(), err == nil
}

// fileOf returns the path that a TO may be, "" if it is none: forward reads what
// is no address as the path of a file, and if there is none as a host name.
func fileOf(to string) string {
	trans, path := parse.Transport(to)
	if _, _, ok := endpoint(to); ok || trans != transport.DNS {
		return ""
	}
	return path
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
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "forward" {
			continue
		}
		for _, to := range upstreams(l) {
			path := fileOf(to)
			if !strings.Contains(path, "/") && !strings.HasSuffix(path, ".conf") {
				continue
			}
			if _, err := c.inFile(path); err != nil {
				reason := err
				if unread := new(fs.PathError); errors.As(err, &unread) {
					reason = unread.Err
				}
				all = append(all, at(l.Directive, listed(path), reason))
			}
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
	for i := range s.chain.Links {
		l := &s.chain.Links[i]
		if l.Name != "forward" {
			continue
		}
		for _, to := range c.targets(l) {
			if _, addr, ok := endpoint(to.address); ok && addr.Is6() && addr.IsLinkLocalUnicast() {
				all = append(all, at(l.Directive, l.Name, to.String()))
			}
		}
	}
	return all
}

// mayHave reports whether a link that out tells of may have records of the name: the one
// that answered, or one that passes on only the names that its data lacks.
func (s *server) mayHave(out chain.Outcome) bool {
	has := func(i int) bool { return s.chain.Links[i].Records(out.Asked.Name) }
	if out.End == chain.Unknown {
		return false
	}
	return out.End == chain.Answered && has(out.At) || slices.ContainsFunc(out.Passed, func(p chain.Pass) bool {
		return p.Why == chain.Fallthrough && s.chain.Links[p.Link].Backed() && has(p.Link)
	})
}

// findOneWayRewrites looks for rules that change the name of the question, but
// not back in the answer.
func findOneWayRewrites(c *config, s *server) []finding {
	var all []finding
	if s.opaque {
		return nil
	}
	zones := s.zones
	for i := range s.chain.Links {
		for _, z := range s.chain.Links[i].Zones {
			if chain.Covered(s.zones, z) && !slices.Contains(zones, z) && len(zones) < maxZones {
				zones = append(zones[:len(zones):len(zones)], z)
			}
		}
	}
	for i := range s.chain.Links {
		for from, to := range s.chain.Links[i].Renamed(zones) {
			q := chain.Question{Name: from, Type: dns.TypeA}
			if from == to || !c.comesTo(s, q) {
				continue
			}
			out := s.chain.Ask(q, nil)
			if out.Asked.Name == to && s.mayHave(out) {
				all = append(all, at(s.chain.Links[i].Directive, listed(to), listed(from)))
				break
			}
		}
	}
	return all
}
