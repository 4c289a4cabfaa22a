package upstream

import (
	"net"
	"sync/atomic"

	"github.com/miekg/dns"
)

// Address is what Answer says, from the documentation block of RFC 5737.
const Address = "192.0.2.1"

const ttl = 300

// respond makes the frame of a reply: OPT if the query had one (RFC 6891
// section 7), RA as of a resolver.
func respond(m *dns.Msg, rcode int) *dns.Msg {
	r := new(dns.Msg)
	r.SetRcode(m, rcode)
	r.RecursionAvailable = true
	if opt := m.IsEdns0(); opt != nil {
		r.SetEdns0(1232, opt.Do())
	}
	return r
}

func answer(m *dns.Msg) *dns.Msg {
	r := respond(m, dns.RcodeSuccess)
	q := m.Question[0]
	header := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: q.Qclass, Ttl: ttl}
	if q.Qtype == dns.TypeA {
		r.Answer = []dns.RR{&dns.A{Hdr: header, A: net.ParseIP(Address)}}
		return r
	}
	// The SOA makes it a NODATA that caches keep (RFC 2308 section 2.2).
	header.Rrtype = dns.TypeSOA
	r.Ns = []dns.RR{&dns.SOA{
		Hdr: header, Ns: "ns.example.net.", Mbox: "hostmaster.example.net.",
		Serial: 1, Refresh: ttl, Retry: ttl, Expire: ttl, Minttl: ttl,
	}}
	return r
}

// Answer gives every A question the address 192.0.2.1 and every other NODATA.
func Answer() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) { _ = w.WriteMsg(answer(m)) })
}

// Rcode fails with rcode, with RA as given, and with the EDE options if the
// query had OPT (RFC 8914 section 3).
func Rcode(rcode int, ra bool, edes ...dns.EDNS0_EDE) dns.Handler {
	options := make([]dns.EDNS0, len(edes))
	for i := range edes {
		options[i] = &edes[i]
	}
	return failure(rcode, ra, options...)
}

// RawEDE fails with SERVFAIL and an EDE whose EXTRA-TEXT is text, octet by
// octet: control characters, invalid UTF-8, whatever a test needs.
func RawEDE(code uint16, text []byte) dns.Handler {
	return failure(dns.RcodeServerFailure, true, &dns.EDNS0_EDE{InfoCode: code, ExtraText: string(text)})
}

// RawOption fails with SERVFAIL and an EDNS option of any code and content,
// such as an EDE (15) of one octet.
func RawOption(code uint16, data []byte) dns.Handler {
	return failure(dns.RcodeServerFailure, true, &dns.EDNS0_LOCAL{Code: code, Data: data})
}

func failure(rcode int, ra bool, options ...dns.EDNS0) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := respond(m, rcode)
		r.RecursionAvailable = ra
		if opt := r.IsEdns0(); opt != nil {
			opt.Option = options
		}
		_ = w.WriteMsg(r)
	})
}

// CDDependent fails with SERVFAIL unless the query has CD set, as a validating
// resolver does for a bogus zone (RFC 4035 section 5.5).
func CDDependent() dns.Handler {
	bogus := failure(dns.RcodeServerFailure, true)
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.CheckingDisabled {
			_ = w.WriteMsg(answer(m))
			return
		}
		bogus.ServeDNS(w, m)
	})
}

// Flap alternates: a for the first query, b for the second, and so on.
func Flap(a, b dns.Handler) dns.Handler {
	var n atomic.Uint64
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if n.Add(1)%2 == 1 {
			a.ServeDNS(w, m)
			return
		}
		b.ServeDNS(w, m)
	})
}
