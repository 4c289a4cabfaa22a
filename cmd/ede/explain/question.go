package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"golang.org/x/net/idna"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// question reads NAME, TYPE and @SERVER, in any order.
func question(ctx context.Context, args []string) (dns.Question, string, error) {
	q := dns.Question{Qtype: dns.TypeA, Qclass: dns.ClassINET}
	server := ""
	var words []string
	for _, arg := range args {
		if to, ok := strings.CutPrefix(arg, "@"); ok {
			if server != "" {
				return q, "", fmt.Errorf("%q is a second @SERVER: want one; --compare names more", arg)
			}
			server = to
			continue
		}
		words = append(words, arg)
	}
	if len(words) == 0 {
		return q, "", errors.New("no name: give the name to ask for")
	}
	if len(words) > 1 && isType(words[0]) && !isType(words[1]) {
		slices.Reverse(words)
	}
	var err error
	if q.Name, q.Qtype, err = nameOf(words[0]); err != nil {
		return q, "", err
	}
	for i, arg := range words[1:] {
		qtype, ok := typeOf(arg)
		if !ok || i > 0 {
			return q, "", fmt.Errorf("%q is neither a type nor a @SERVER", arg)
		}
		q.Qtype = qtype
	}
	if server == "" {
		server, err = systemResolver()
	} else {
		server, err = serverOf(ctx, server)
	}
	return q, server, err
}

// nameOf reads a domain name, with letters beyond ASCII as RFC 5891 has them, or an
// address, and returns the type to ask for.
func nameOf(arg string) (string, uint16, error) {
	if addr, err := netip.ParseAddr(arg); err == nil {
		reverse, err := dns.ReverseAddr(addr.Unmap().WithZone("").String())
		return reverse, dns.TypePTR, err
	}
	name := arg
	if strings.ContainsFunc(arg, func(r rune) bool { return r > 127 }) {
		ascii, err := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false)).ToASCII(arg)
		if err != nil {
			return "", 0, fmt.Errorf("%q is no domain name: %w", arg, err)
		}
		name = ascii
	}
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return "", 0, fmt.Errorf("%q is no domain name", arg)
	}
	if cause.ByID(arg) != nil {
		return "", 0, fmt.Errorf("%q is a cause, which `ede causes %s` explains; the domain name is %s", arg, arg, dns.Fqdn(arg))
	}
	return dns.Fqdn(name), dns.TypeA, nil
}

func systemResolver() (string, error) {
	config, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(config.Servers) == 0 {
		return "", errors.New("the system names no resolver: give one as @SERVER")
	}
	return net.JoinHostPort(config.Servers[0], config.Port), nil
}

// serverOf reads a resolver: ADDRESS, ADDRESS:PORT, ADDRESS#PORT as dnsmasq writes it, or a
// host name in place of the address, which the system's resolver is asked for. With a
// scheme it is left as it is.
func serverOf(ctx context.Context, arg string) (string, error) {
	if strings.Contains(arg, "://") {
		return arg, nil
	}
	host, port, hasPort := strings.Cut(arg, "#")
	if !hasPort {
		if _, err := netip.ParseAddr(strings.Trim(arg, "[]")); err != nil {
			if h, p, err := net.SplitHostPort(arg); err == nil {
				host, port, hasPort = h, p, true
			}
		}
	}
	host = strings.Trim(host, "[]")
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0) {
		return "", fmt.Errorf("%q has no port of 1 to 65535", arg)
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() != "" {
		return "", fmt.Errorf("%q has an interface, which CoreDNS drops: name another address of that server", arg)
	} else if err != nil {
		if _, ok := dns.IsDomainName(host); !ok || host == "" {
			return "", fmt.Errorf("%q is not a resolver: want an address or a host name, with or without port, tls://ADDRESS%%NAME, https://HOST", arg)
		}
		addr, err := addressOf(ctx, host)
		if err != nil {
			return "", fmt.Errorf("the server %s has no address: %w", host, err)
		}
		host = addr.String()
	}
	if !hasPort {
		return host, nil
	}
	return net.JoinHostPort(host, port), nil
}

// addressOf asks the system's resolver. Not every machine has a way to IPv6.
func addressOf(ctx context.Context, host string) (netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil || len(addrs) == 0 {
		addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip6", host)
	}
	if err != nil || len(addrs) == 0 {
		return netip.Addr{}, cmp.Or(err, errors.New("there is none"))
	}
	return addrs[0].Unmap(), nil
}

func isType(arg string) bool {
	_, ok := typeOf(arg)
	return ok
}

// typeOf reads a mnemonic, or TYPEnnn (RFC 3597 section 5).
func typeOf(arg string) (uint16, bool) {
	arg = strings.ToUpper(arg)
	if t, ok := dns.StringToType[arg]; ok {
		return t, true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(arg, "TYPE"), 10, 16)
	return uint16(n), err == nil && strings.HasPrefix(arg, "TYPE")
}
