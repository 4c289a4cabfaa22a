package promise_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const (
	servfail = dns.RcodeServerFailure
	refused  = dns.RcodeRefused
)

// steady is a cache that keeps failures for the whole of a test.
const steady = "cache 300 {\n servfail 5m\n }\n"

func lines(text string) func(*testing.T) string { return func(*testing.T) string { return text } }

// forwarding is a block with an upstream that says what h says. It has the lines
// above it, if there are any.
func forwarding(h dns.Handler, above ...string) func(*testing.T) string {
	return func(t *testing.T) string { return strings.Join(above, "\n") + "\n" + forward(said(t, h)) }
}

// dead is the same with an upstream that is not there.
func dead(above ...string) func(*testing.T) string {
	return func(t *testing.T) string { return strings.Join(above, "\n") + "\n" + forward(upstream.Closed(t)) }
}

// said starts an upstream that says what h says.
func said(t *testing.T, h dns.Handler) string {
	t.Helper()
	return upstream.Start(t, upstream.Config{Handler: h}).Addr()
}

func forward(to string, properties ...string) string {
	return "forward . " + to + " {\n max_fails 0\n " + strings.Join(properties, "\n ") + "\n }"
}

func ede(code uint16, text string) dns.EDNS0_EDE {
	return dns.EDNS0_EDE{InfoCode: code, ExtraText: text}
}

// reasoned fails with two reasons.
func reasoned() dns.Handler {
	return upstream.Rcode(servfail, true, ede(6, "bogus"), ede(22, "nobody answers"))
}

// remarking answers a success with an EDE, and with options that nobody asked for.
func remarking() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.AuthenticatedData, r.RecursionAvailable = true, true
		r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300}, A: []byte{192, 0, 2, 1}}}
		r.SetEdns0(1232, false)
		e := ede(3, "stale")
		r.IsEdns0().Option = []dns.EDNS0{&e, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte{1}}}
		_ = w.WriteMsg(r)
	})
}

const zoneText = `$ORIGIN example.org.
@ 300 IN SOA ns hostmaster 1 3600 600 86400 300
@ 300 IN NS ns
ns 300 IN A 192.0.2.53
www 300 IN A 192.0.2.1
out 300 IN CNAME target.example.net.
self 300 IN CNAME self
*.wild 300 IN TXT "wild"
`

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// zone serves example.org out of a file, with the lines below it.
func zone(below string) func(*testing.T) string {
	return func(t *testing.T) string { return "file " + file(t, zoneText) + " example.org\n" + below }
}

const tsig = "tsig {\n secret " + keyName + " " + keySecret + "\n require all\n }\n"

// flawed is a block with an upstream over TLS whose certificate has a flaw.
func flawed(t *testing.T) string {
	up := upstream.Start(t, upstream.Config{Transport: upstream.TLS, Certificate: certificate.UnknownCA})
	return "forward . " + up.To() + " {\n max_fails 0\n tls " + up.CAFile() + "\n tls_servername localhost\n }"
}

// ownBlocks are server blocks of CoreDNS's own plugins, failing and not.
var ownBlocks = []block{
	{name: "nothing", plugins: lines("")},
	{name: "nothing but errors", plugins: lines("errors")},
	{name: "no view", plugins: lines("view nobody {\n expr false\n }\nerrors"), quiet: true},

	{name: "forward to nobody", plugins: dead()},
	{name: "forward to SERVFAIL", plugins: forwarding(upstream.Rcode(servfail, true))},
	{name: "forward to REFUSED", plugins: forwarding(upstream.Rcode(refused, false))},
	{name: "forward to SERVFAIL with reasons", plugins: forwarding(reasoned())},
	{name: "forward to SERVFAIL 14", plugins: forwarding(upstream.Rcode(servfail, true, ede(14, "not loaded")))},
	{name: "forward to REFUSED with a reason", plugins: forwarding(upstream.Rcode(refused, true, ede(18, "not for you")))},
	{name: "forward to a hostile reason", plugins: forwarding(upstream.RawEDE(6, []byte("a\x1b[2J\"\\\xff\r\n"+strings.Repeat("long ", 100))))},
	{name: "forward to NXDOMAIN", plugins: forwarding(upstream.Rcode(dns.RcodeNameError, true, ede(15, "blocked"))), quiet: true},
	{name: "forward to an answer", plugins: forwarding(upstream.Answer()), quiet: true},
	{name: "forward to an answer with a remark", plugins: forwarding(remarking()), quiet: true},
	{name: "cache over an answer with a remark", plugins: forwarding(remarking(), steady), quiet: true, aged: true},
	{name: "cache over a denial with a remark", plugins: forwarding(upstream.Rcode(dns.RcodeNameError, true, ede(15, "ads")), steady), quiet: true, aged: true},
	{name: "forward to garbage", plugins: forwarding(upstream.Garbage())},
	{name: "forward to another question", plugins: forwarding(upstream.WrongQuestion()), quiet: true},
	{name: "forward to truncated answers", plugins: forwarding(upstream.Truncated()), quiet: true},
	{name: "forward to large answers", plugins: forwarding(upstream.Oversized()), quiet: true},
	{name: "forward to a validating resolver", plugins: forwarding(upstream.CDDependent())},
	{name: "forward over TLS to an unknown authority", plugins: flawed},
	{name: "forward over TCP to reasons", plugins: func(t *testing.T) string { return forward(said(t, reasoned()), "force_tcp") }},
	{name: "grpc to nobody", plugins: func(t *testing.T) string { return "grpc . " + upstream.Closed(t) }},

	{name: "cache over nobody", plugins: dead(steady), aged: true},
	{name: "cache over reasons", plugins: forwarding(reasoned(), steady), aged: true},
	{name: "cache over REFUSED", plugins: forwarding(upstream.Rcode(refused, true, ede(18, "no")), steady), aged: true},
	{name: "cache over an answer", plugins: forwarding(upstream.Answer(), steady), aged: true, quiet: true},
	{name: "rewrite of the name over nobody", plugins: dead("rewrite stop {\n name suffix .example.org .example.net answer auto\n }")},
	{name: "rewrite of the name over reasons", plugins: forwarding(reasoned(), "rewrite name suffix .example.org .example.net")},
	{name: "rewrite of EDNS over reasons", plugins: forwarding(reasoned(), "rewrite edns0 local set 0xffee abcd")},
	{name: "rewrite of an answer to SERVFAIL", plugins: forwarding(upstream.Answer(), "rewrite stop {\n rcode regex (.*) NOERROR SERVFAIL\n }")},
	{name: "rewrite of NXDOMAIN to REFUSED over reasons", plugins: forwarding(upstream.Rcode(dns.RcodeNameError, true, ede(15, "blocked")), "rewrite stop {\n rcode regex (.*) NXDOMAIN REFUSED\n }")},
	{name: "rewrite of SERVFAIL to NXDOMAIN", plugins: forwarding(reasoned(), "rewrite stop {\n rcode regex (.*) SERVFAIL NXDOMAIN\n }"), quiet: true},
	{name: "rewrite of SERVFAIL to REFUSED below cache", plugins: forwarding(reasoned(), steady, "rewrite stop {\n rcode regex (.*) SERVFAIL REFUSED\n }"), aged: true},
	{name: "rewrite to an invalid name", plugins: lines("rewrite name regex (.*)[.]example[.]org {1}..{1}.example.org\nerrors")},

	{name: "acl that blocks", plugins: lines("acl {\n block net 127.0.0.0/8\n }\nerrors")},
	{name: "acl that drops", plugins: lines("acl {\n drop net 127.0.0.0/8\n }\nerrors"), quiet: true},
	{name: "acl that filters", plugins: lines("acl {\n filter net 127.0.0.0/8\n }\nerrors"), quiet: true},
	{name: "acl that drops above reasons", plugins: forwarding(reasoned(), "acl {\n drop type A net 127.0.0.0/8\n }")},
	{name: "template REFUSED", plugins: lines("template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }")},
	{name: "template SERVFAIL", plugins: lines("template ANY ANY {\n rcode SERVFAIL\n ederror 14 \"not yet\"\n }")},
	{name: "template NXDOMAIN", plugins: lines("template ANY ANY {\n rcode NXDOMAIN\n ederror 15 \"blocked\"\n }"), quiet: true},
	{name: "template that does not render", plugins: lines("template ANY ANY {\n answer \"{{ index .Match 9 }}\"\n }")},
	{name: "template that matches nothing", plugins: lines("template IN A . {\n match ^never[.]\n answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }")},
	{name: "file", plugins: zone(""), qname: "www.example.org."},
	{name: "file with an alias to nobody", plugins: func(t *testing.T) string { return zone(forward(upstream.Closed(t)))(t) }, qname: "out.example.org."},
	{name: "file with an alias to itself", plugins: zone(""), qname: "self.example.org."},
	{name: "file and transfer", plugins: func(t *testing.T) string { return "transfer {\n to *\n }\n" + zone("")(t) }, qname: "example.org."},
	{name: "secondary that is not loaded", plugins: func(t *testing.T) string {
		return "secondary example.org {\n transfer from " + upstream.Closed(t) + "\n }"
	}},
	{name: "secondary and transfer", plugins: func(t *testing.T) string {
		return "transfer {\n to *\n }\nsecondary example.org {\n transfer from " + upstream.Closed(t) + "\n }"
	}, qname: "example.org."},
	{name: "hosts without fallthrough", plugins: lines("hosts {\n 192.0.2.5 known.example.org\n }")},
	{name: "hosts", plugins: lines("hosts {\n 192.0.2.5 www.example.org\n fallthrough\n }\nshape nodata NOERROR"), quiet: true},
	{name: "dns64 over reasons", plugins: forwarding(reasoned(), "dns64 {\n allow_ipv4\n }")},
	{name: "dns64 over nothing", plugins: lines("dns64 {\n allow_ipv4\n }")},
	{name: "siit over REFUSED", plugins: forwarding(upstream.Rcode(refused, true), "siit {\n eam 192.0.2.1 2001:db8::1\n }")},
	{name: "minimal over reasons", plugins: forwarding(reasoned(), "minimal")},
	{name: "minimal over an answer", plugins: forwarding(upstream.Oversized(), "minimal"), quiet: true},
	{name: "etcd without permission", plugins: func(t *testing.T) string { return etcd(t) }, aged: true},
	{name: "minimal above etcd", plugins: func(t *testing.T) string { return "minimal\n" + etcd(t) }, quiet: true, aged: true},
	{name: "nomad dead", plugins: func(t *testing.T) string {
		return "nomad example.org {\n address http://" + upstream.Closed(t) + "\n }"
	}},
	{name: "erratic", plugins: lines("erratic {\n drop 0\n delay 0\n truncate 0\n }")},
	{name: "tsig", plugins: forwarding(reasoned(), tsig)},
	{name: "tsig over nobody", plugins: dead(tsig)},
	{name: "tsig over template", plugins: lines(tsig + "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }")},
	{name: "dynupdate", plugins: func(t *testing.T) string {
		return tsig + "dynupdate example.org {\n file " + file(t, zoneText) + "\n allow other.example. * *\n }"
	}, qname: "example.org."},
	{name: "autopath over nobody", plugins: func(t *testing.T) string {
		return "autopath example.org " + file(t, "search example.org example.net\nnameserver 192.0.2.53\n") + "\n" + forward(upstream.Closed(t))
	}},
	{name: "nsid, bufsize and chaos over reasons", plugins: forwarding(reasoned(), "nsid example\nbufsize 512\nchaos\nany\nheader {\n response set ra\n }")},
	{name: "local, cancel, loadbalance and cache over nobody", plugins: dead("local\ncancel 3s\nloadbalance\n" + steady), aged: true},
	{name: "many plugins", plugins: func(t *testing.T) string {
		return "metadata\nerrors\nlog\nnsid example\nacl {\n block type HINFO net 127.0.0.0/8\n }\n" + steady +
			"rewrite stop {\n name suffix .example.net .example.org answer auto\n }\nminimal\n" +
			"template IN MX . {\n rcode SERVFAIL\n }\nhosts {\n 192.0.2.5 known.example.org\n fallthrough\n }\n" +
			zone(forward(said(t, reasoned())))(t)
	}, qname: "out.example.org.", aged: true},
}

// variedBlocks are those that are tried with other lines in the directive, over a
// part of the transports.
func variedBlocks() []block {
	wanted := []string{
		"forward to nobody", "forward to SERVFAIL with reasons", "forward to SERVFAIL 14", "cache over reasons",
		"acl that drops", "template REFUSED", "secondary that is not loaded", "forward to an answer with a remark",
		"cache over an answer with a remark", "cache over a denial with a remark",
	}
	varied := slices.DeleteFunc(slices.Clone(ownBlocks), func(b block) bool { return !slices.Contains(wanted, b.name) })
	for i := range varied {
		varied[i].over = []string{"tcp", "udp", "https"}
	}
	return varied
}
