package plugins

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/coredns/coredns/plugin"

	"github.com/miekg/dns"
)

const ttl = 300

var errShape = errors.New("disk on fire")

// Shapes are the ways in which a query may leave a plugin chain, failures and
// successes: what is written, and what is returned after it.
var Shapes = []string{
	"returned", "returned-error",
	"written", "written-error", "written-returned", "written-returned-error",
	"reasoned", "reasoned-returned",
	"empty-returned", "answered-returned", "answered-error",
	"dropped", "dropped-error", "panicked",
	"answered", "nodata", "empty", "large", "aliased",
}

// parseShape makes a plugin that ends each query in one of the Shapes.
func parseShape(args []string) (maker, error) {
	if err := words(args, "", ""); err != nil {
		return nil, err
	}
	if !slices.Contains(Shapes, args[0]) {
		return nil, fmt.Errorf("%q", args[0])
	}
	rcode, err := rcodes(args[1])
	if err != nil {
		return nil, err
	}
	return func(plugin.Handler) plugin.Handler {
		return end("shape", func(w dns.ResponseWriter, r *dns.Msg) (int, error) { return leave(args[0], rcode[0], w, r) })
	}, nil
}

func leave(shape string, rcode int, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	write := func(m *dns.Msg) { _ = w.WriteMsg(m) }
	failure := func() *dns.Msg { return new(dns.Msg).SetRcode(r, rcode) }
	switch shape {
	case "returned":
		return rcode, nil
	case "returned-error":
		return rcode, errShape
	case "written":
		write(failure())
	case "written-error":
		write(failure())
		return dns.RcodeSuccess, errShape
	case "written-returned":
		write(failure())
		return rcode, nil
	case "written-returned-error":
		write(failure())
		return rcode, errShape
	case "reasoned":
		write(reasoned(failure()))
	case "reasoned-returned":
		write(reasoned(failure()))
		return rcode, nil
	case "empty-returned":
		write(new(dns.Msg).SetReply(r))
		return rcode, nil
	case "answered-returned":
		write(answer(r))
		return rcode, nil
	case "answered-error":
		write(answer(r))
		return dns.RcodeSuccess, errShape
	case "dropped":
	case "dropped-error":
		return dns.RcodeSuccess, errShape
	case "panicked":
		panic("fire")
	default:
		write(success(shape, r))
	}
	return dns.RcodeSuccess, nil
}

// reasoned adds a reason of the plugin's own to m, whether the client has OPT
// or not.
func reasoned(m *dns.Msg) *dns.Msg {
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeFiltered, ExtraText: "as you asked"}}
	return m
}

func success(shape string, r *dns.Msg) *dns.Msg {
	m := answer(r)
	name := r.Question[0].Name
	switch shape {
	case "nodata":
		m.Answer, m.Ns = nil, []dns.RR{soa(name)}
	case "empty":
		m.Answer = nil
	case "large":
		for i := range 100 {
			m.Answer = append(m.Answer, address(name, byte(i)))
		}
	case "aliased":
		m.Answer = append([]dns.RR{&dns.CNAME{
			Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl}, Target: "target.example.net.",
		}}, address("target.example.net.", 1))
	}
	return m
}

func answer(r *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	m.Answer = []dns.RR{address(r.Question[0].Name, 1)}
	return m
}

func address(name string, last byte) dns.RR {
	return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: net.IPv4(192, 0, 2, last)}
}
