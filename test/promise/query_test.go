package promise_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// The TSIG key of the server blocks that have one.
const (
	keyName   = "k.example."
	keySecret = "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="
)

// query is one message, packed once, so that all servers get the same octets.
type query struct {
	name string
	m    *dns.Msg
	wire []byte
	mac  string
}

// kind makes one kind of query for the name that a server block is asked.
type kind struct {
	name string
	make func(name string) *dns.Msg
}

// with is a query of a type with options, and with flags set by hand.
func with(name string, qtype uint16, change func(*dns.Msg), options ...server.Option) kind {
	return kind{name, func(qname string) *dns.Msg {
		m := server.Message(qname, qtype, append(options, server.Uninterested())...)
		if change != nil {
			change(m)
		}
		return m
	}}
}

func ad(m *dns.Msg) { m.AuthenticatedData = true }

func nsid() dns.EDNS0   { return &dns.EDNS0_NSID{Code: dns.EDNS0NSID} }
func cookie() dns.EDNS0 { return &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"} }
func subnet() dns.EDNS0 {
	return &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: []byte{192, 0, 2, 0}}
}
func padding() dns.EDNS0 { return &dns.EDNS0_PADDING{Padding: make([]byte, 16)} }

// understood are the DAU, DHU and N3U options of RFC 6975.
func understood() []dns.EDNS0 {
	return []dns.EDNS0{
		&dns.EDNS0_DAU{Code: dns.EDNS0DAU, AlgCode: []uint8{8, 13}},
		&dns.EDNS0_DHU{Code: dns.EDNS0DHU, AlgCode: []uint8{2}},
		&dns.EDNS0_N3U{Code: dns.EDNS0N3U, AlgCode: []uint8{1}},
	}
}

// asks has a query of a type without OPT, with one, and with interest in reasons.
func asks(qtype uint16) []kind {
	name := dns.TypeToString[qtype]
	return []kind{
		with(name, qtype, nil), with(name+", OPT", qtype, nil, server.EDNS()), with(name+", OPT, AD", qtype, ad, server.EDNS()),
	}
}

// named has a query for another name than that of the block.
func named(name, qname string) kind {
	return kind{name, func(string) *dns.Msg {
		m := server.Message(qname, dns.TypeA, server.EDNS())
		m.AuthenticatedData = true
		return m
	}}
}

// clients are the queries as known clients send them.
var clients = []kind{
	with("glibc: no OPT", dns.TypeA, nil),
	with("glibc trust-ad: no OPT, AD", dns.TypeA, ad),
	with("glibc edns0: OPT", dns.TypeA, nil, server.EDNS()),
	with("resolved: OPT of 512", dns.TypeA, nil, server.BufferSize(512)),
	with("resolved: DO, algorithms", dns.TypeA, nil, server.BufferSize(1472), server.DO(), server.EDNS(understood()...)),
	with("resolved: CD, algorithms", dns.TypeA, nil, server.BufferSize(1472), server.CD(), server.EDNS(understood()...)),
	with("dig: OPT, AD, COOKIE", dns.TypeA, ad, server.EDNS(cookie())),
	with("dig +nsid: OPT, AD, NSID, COOKIE", dns.TypeA, ad, server.EDNS(nsid(), cookie())),
	with("dig +dnssec: OPT, AD, DO, COOKIE", dns.TypeA, ad, server.EDNS(cookie()), server.DO()),
	with("dig +cd: OPT, AD, CD, COOKIE", dns.TypeA, ad, server.EDNS(cookie()), server.CD()),
	with("kdig +edns: OPT of 4096, AD", dns.TypeA, ad, server.BufferSize(4096)),
	with("drill -D: DO of 4096", dns.TypeA, nil, server.BufferSize(4096), server.DO()),
	with("delv: DO, COOKIE", dns.TypeA, nil, server.EDNS(cookie()), server.DO()),
	with("doggo --ede: EDE", dns.TypeA, nil, server.EDNS(&dns.EDNS0_EDE{})),
	with("Chromium: padding, EDE", dns.TypeA, nil, server.EDNS(padding(), &dns.EDNS0_EDE{})),
	with("Firefox: subnet, padding", dns.TypeA, nil, server.EDNS(subnet(), padding())),
	with("dnsmasq --dnssec: DO of 1232", dns.TypeA, nil, server.EDNS(), server.DO()),
	with("dnsmasq --add-cpe-id: private options", dns.TypeA, nil,
		server.EDNS(&dns.EDNS0_LOCAL{Code: 65074, Data: []byte("a")}, &dns.EDNS0_LOCAL{Code: 26})),
	with("dnsdist: subnet", dns.TypeA, nil, server.EDNS(subnet())),
	with("BIND: DO, CD, COOKIE", dns.TypeA, nil, server.EDNS(cookie()), server.DO(), server.CD()),
	with("cache of CoreDNS: OPT, AD", dns.TypeA, ad, server.EDNS()),
}

// flags, sizes and options that some client may send.
var settings = []kind{
	with("no OPT, CD", dns.TypeA, nil, server.CD()),
	with("no OPT, no RD", dns.TypeA, func(m *dns.Msg) { m.RecursionDesired = false }),
	with("OPT, AD, no RD", dns.TypeA, func(m *dns.Msg) { ad(m); m.RecursionDesired = false }, server.EDNS()),
	with("OPT of 0 octets, AD", dns.TypeA, ad, server.BufferSize(0)),
	with("OPT of 512 octets, AD", dns.TypeA, ad, server.BufferSize(512)),
	with("OPT of 512 octets, AD, DO, NSID", dns.TypeA, ad, server.BufferSize(512), server.DO(), server.EDNS(nsid())),
	with("OPT of 65535 octets, AD", dns.TypeA, ad, server.BufferSize(65535)),
	with("NSID alone", dns.TypeA, nil, server.EDNS(nsid())),
	with("an EDE of the client's own", dns.TypeA, nil, server.EDNS(&dns.EDNS0_EDE{InfoCode: 1, ExtraText: "the client's own"})),
	with("AD and the Z bit", dns.TypeA, func(m *dns.Msg) { ad(m); m.Zero = true }, server.EDNS()),
	with("AA, TC, RA and an rcode", dns.TypeA, func(m *dns.Msg) {
		ad(m)
		m.Authoritative, m.Truncated, m.RecursionAvailable, m.Rcode = true, true, true, dns.RcodeRefused
	}, server.EDNS()),
	with("DO and CO", dns.TypeA, func(m *dns.Msg) { m.IsEdns0().SetCo() }, server.DO()),
	with("all options", dns.TypeA, nil, server.EDNS(append(understood(), nsid(), cookie(), subnet(), padding(), &dns.EDNS0_EDE{},
		&dns.EDNS0_LOCAL{Code: 65001, Data: []byte{1}}, &dns.EDNS0_EXPIRE{Code: dns.EDNS0EXPIRE, Empty: true})...)),
	with("keepalive", dns.TypeA, ad, server.EDNS(&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE})),
}

// strange are messages that few ever send.
var strange = []kind{
	with("EDNS version 1", dns.TypeA, func(m *dns.Msg) { ad(m); m.IsEdns0().SetVersion(1) }, server.EDNS()),
	with("two OPT records", dns.TypeA, func(m *dns.Msg) { ad(m); m.SetEdns0(512, true) }, server.EDNS()),
	with("OPT before another record", dns.TypeA, func(m *dns.Msg) {
		ad(m)
		m.Extra = append(m.Extra, &dns.A{Hdr: dns.RR_Header{Name: "x.example.org.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: []byte{192, 0, 2, 9}})
	}, server.EDNS()),
	with("no question", dns.TypeA, func(m *dns.Msg) { m.Question = nil }, server.EDNS()),
	with("two questions", dns.TypeA, func(m *dns.Msg) {
		m.Question = append(m.Question, dns.Question{Name: "other.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET})
	}, server.EDNS()),
	with("class ANY", dns.TypeA, func(m *dns.Msg) { ad(m); m.Question[0].Qclass = dns.ClassANY }, server.EDNS()),
	with("class CHAOS", dns.TypeTXT, func(m *dns.Msg) {
		ad(m)
		m.Question[0] = dns.Question{Name: "version.bind.", Qtype: dns.TypeTXT, Qclass: dns.ClassCHAOS}
	}, server.EDNS()),
	with("class NONE", dns.TypeA, func(m *dns.Msg) { ad(m); m.Question[0].Qclass = dns.ClassNONE }, server.EDNS()),
	with("opcode NOTIFY", dns.TypeSOA, func(m *dns.Msg) { ad(m); m.Opcode = dns.OpcodeNotify }, server.EDNS()),
	with("opcode UPDATE", dns.TypeSOA, func(m *dns.Msg) { ad(m); m.Opcode = dns.OpcodeUpdate }, server.EDNS()),
	with("opcode STATUS", dns.TypeA, func(m *dns.Msg) { ad(m); m.Opcode = dns.OpcodeStatus }, server.EDNS()),
	with("opcode IQUERY", dns.TypeA, func(m *dns.Msg) { m.Opcode = dns.OpcodeIQuery }),
	with("IXFR with a serial", dns.TypeIXFR, func(m *dns.Msg) {
		m.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: ".", Serial: 1}}
	}),
	named("the root", "."),
	named("one label", "localhost."),
	named("a name that acl takes for a plugin", "forward."),
	named("a name of 253 octets", strings.Repeat("abcdefghijklmno.", 15)+"example.org."),
	named("a label of 63 octets", strings.Repeat("x", 63)+".example.org."),
	named("octets that have to be escaped", `a\.b\032\000\255\"\\;$@(.example.org.`),
	named("upper and lower case", "wWw.ExAmPlE.oRg."),
	named("an underscore", "_dns.resolver.arpa."),
	named("an asterisk", "*.example.org."),
	named("another zone", "www.example.net."),
	named("an address in reverse", "1.2.0.192.in-addr.arpa."),
	with("TSIG", dns.TypeA, func(m *dns.Msg) { ad(m); m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix()) }, server.EDNS()),
	with("TSIG, no OPT", dns.TypeA, func(m *dns.Msg) { m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix()) }),
	with("TSIG with a key that nobody has", dns.TypeA, func(m *dns.Msg) { ad(m); m.SetTsig("other.example.", dns.HmacSHA256, 300, time.Now().Unix()) }, server.EDNS()),
}

// types are asked over UDP and TCP alone, but for those of clients and strange.
var types = []uint16{
	dns.TypeAAAA, dns.TypeMX, dns.TypeHINFO, dns.TypeSOA, dns.TypeNS, dns.TypeSRV, dns.TypeHTTPS, dns.TypePTR,
	dns.TypeDS, dns.TypeDNSKEY, dns.TypeIXFR, dns.TypeNXNAME,
}

// queries makes all kinds of query. The first ones, up to everywhere, are asked
// over every transport.
func queries(t *testing.T, qname string) (all []query, everywhere int) {
	t.Helper()
	add := func(kinds ...kind) {
		for _, k := range kinds {
			all = append(all, k.query(t, qname))
		}
	}
	add(clients...)
	add(settings...)
	add(strange...)
	for _, qtype := range []uint16{dns.TypeTXT, dns.TypeANY, dns.TypeAXFR} {
		add(asks(qtype)...)
	}
	everywhere = len(all)
	for _, qtype := range types {
		add(asks(qtype)...)
	}
	return all, everywhere
}

func (k kind) query(t *testing.T, qname string) query {
	t.Helper()
	q := query{name: k.name, m: k.make(qname)}
	var err error
	if tsig := q.m.IsTsig(); tsig != nil {
		tsig.OrigId = q.m.Id
		q.wire, q.mac, err = dns.TsigGenerate(q.m.Copy(), keySecret, "", false)
	} else {
		q.wire, err = q.m.Pack()
	}
	if err != nil {
		t.Fatalf("pack %q: %v", k.name, err)
	}
	return q
}
