package test_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

func TestEveryTransportCarriesTheReason(t *testing.T) {
	logs := server.Capture(t)
	cert, key := certificate.New(t).Files(t)
	addr := upstream.Closed(t)
	body := []string{"ede {\n text full\n }", "cache", forward(addr, patiently)}
	corefile := here(".:0", body...)
	for _, scheme := range []string{"tls", "https", "quic", "grpc"} {
		corefile += here(scheme+"://.:0", append([]string{"tls " + cert + " " + key}, body...)...)
	}
	s := server.Start(t, corefile)
	for _, tc := range []struct{ addr, network, protocol string }{
		{s.UDP(), "udp", "udp"},
		{s.TCP(), "tcp", "tcp"},
		{s.DoT(), "tls", "tls"},
		{s.DoH(), "https", "https"},
		{s.DoH(), "https-get", "https"},
		{s.DoQ(), "quic", "quic"},
		{s.GRPC(), "grpctls", "grpc"},
	} {
		t.Run(tc.network, func(t *testing.T) {
			name := tc.network + ".transport.example.org"
			for i, edes := range [][]string{{"23 " + addr + " refused the connection"}, {"23 " + addr + " refused the connection" + found}} {
				m := query(name)
				r := server.Query(t, tc.addr, tc.network, m)
				expect(t, r, "SERVFAIL", edes...)
				if r.Id != m.Id || r.Question[0] != m.Question[0] {
					t.Errorf("the answer is to %v, want %v", r, m)
				}
				line := logs.WaitForFunc(t, func(text string) bool {
					return strings.Contains(text, "qname="+name) && strings.Contains(text, fmt.Sprintf("cached=%v", i == 1))
				}, patience)
				if !strings.Contains(line, " protocol="+tc.protocol+" ") {
					t.Errorf("the line has another protocol than %s:\n%s", tc.protocol, line)
				}
				r = server.Query(t, tc.addr, tc.network, server.Message(name, dns.TypeA))
				if r.IsEdns0() != nil {
					t.Error("an OPT in the answer to a query without one")
				}
			}
		})
	}
}

func TestAnAnswerWithoutOPTGoesToAQueryWithoutOPT(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(refused, true, ede(18, "no"))})
	for name, plugins := range map[string]string{
		"acl":      "acl {\n block net 127.0.0.0/8\n }\nwhoami",
		"template": "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }",
		"forward":  forward(up.Addr()),
		"nsid":     "nsid example\n" + forward(up.Addr()),
		"rewrite":  "rewrite edns0 local set 0xffee abcd\n" + forward(up.Addr()),
		"returned": "rewrite edns0 local set 0xffee abcd\nfile " + textFile(t, "$ORIGIN example.net.\n@ 60 IN SOA ns hostmaster 1 1 1 1 1\n") + " example.net",
	} {
		t.Run(name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, plugins))
			for network, addr := range map[string]string{"udp": s.UDP(), "tcp": s.TCP()} {
				r := ask(t, fullClient, network, addr, server.Message("noopt.example.org", dns.TypeA))
				if len(r.Extra) != 0 || r.Rcode != refused {
					t.Errorf("over %s: got %v", network, r)
				}
			}
		})
	}
}

// What rewrite adds is asked with, and the client's query had none.
func TestAnOPTThatRewriteAddsIsTheUpstreamsAlone(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	s := server.Start(t, here(".:0", levels, "rewrite edns0 local set 0xffee abcd", forward(up.Addr())))
	m := server.Message("added.example.org", dns.TypeA)
	if r := ask(t, fullClient, "udp", s.UDP(), m); len(r.Extra) != 0 || r.Rcode != servfail {
		t.Errorf("got %v", r)
	}
	expectFields(t, failureOf(t, logs, m), line{"sent": "no_edns", "text": up.Addr() + " answered SERVFAIL without a reason"})
}

func TestAnAnswerFitsTheClientsBuffer(t *testing.T) {
	server.Capture(t)
	long := ede(7, strings.Repeat("long ", 39))
	up := upstream.Start(t, upstream.Config{Transport: upstream.TCP, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		for range 3 {
			r.Ns = append(r.Ns, record(m.Question[0].Name+" 60 IN TXT "+strings.Repeat("x", 100)))
		}
		r.SetEdns0(1232, false)
		r.IsEdns0().Option = []dns.EDNS0{&long, &dns.EDNS0_EDE{InfoCode: 22}}
		_ = w.WriteMsg(r)
	})})
	s := server.Start(t, here(".:0", levels, "nsid "+strings.Repeat("6e", 20), forward(up.Addr(), "force_tcp")))
	nsid := &dns.EDNS0_NSID{Code: dns.EDNS0NSID}
	for _, size := range []uint16{0, 100, 512, 600, 700, 1232} {
		for _, options := range [][]server.Option{nil, {server.EDNS(nsid)}, {server.DO()}} {
			m := query("size.example.org", append(options, server.BufferSize(size))...)
			all := packets(t, fullClient, "udp", s.UDP(), m)
			if len(all) != 1 {
				t.Fatalf("%d answers, want 1", len(all))
			}
			r := parse(t, all[0])
			if len(all[0]) > max(int(size), 512) || r.Truncated || r.Rcode != servfail {
				t.Errorf("to a client with %d octets: %d octets, TC=%v, %s", size, len(all[0]), r.Truncated, dns.RcodeToString[r.Rcode])
			}
			got := errorsOf(r)
			if len(got) == 0 || !strings.HasPrefix(got[0], "7") {
				t.Errorf("to a client with %d octets: answer says %q, want 7 first", size, got)
			}
			if size == 1232 && !strings.HasPrefix(got[0], "7 from "+up.Addr()+": long long") {
				t.Errorf("to a client with room: answer says %q", got)
			}
			if r.IsEdns0().Do() != m.IsEdns0().Do() {
				t.Error("DO is not as in the query")
			}
			if hasNSID(m) != hasNSID(r) {
				t.Errorf("to a client with %d octets: NSID asked for: %v, sent: %v", size, hasNSID(m), hasNSID(r))
			}
		}
	}
}

func hasNSID(m *dns.Msg) bool {
	for _, o := range m.IsEdns0().Option {
		if o.Option() == dns.EDNS0NSID {
			return true
		}
	}
	return false
}

// forward cuts a reply that does not fit the client and leaves no OPT in it:
// the client asks again over TCP, and gets the reason there.
func TestATruncatedFailureStaysTruncated(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, strings.Repeat("long ", 200)))})
	s := server.Start(t, here(".:0", levels, forward(up.Addr())))
	r := ask(t, briefClient, "udp", s.UDP(), query("tc.example.org", server.BufferSize(512)))
	if !r.Truncated || r.Rcode != servfail {
		t.Errorf("got %v, want TC", r)
	}
	r = ask(t, briefClient, "tcp", s.TCP(), query("tc.example.org", server.BufferSize(512)))
	expect(t, r, "SERVFAIL", "7 from upstream: long …")
	for _, want := range []string{"protocol=udp … sent=off …", "protocol=tcp … sent=true …"} {
		logs.WaitForFunc(t, func(line string) bool {
			return strings.Contains(line, "qname=tc.example.org.") && matches("…"+want, line)
		}, patience)
	}
}

// An upstream can truncate a reply and put anything into its OPT record.
func TestATruncatedFailureIsAsHarmlessAsAnother(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		r.Truncated = true
		r.SetEdns0(1232, false)
		r.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 22, ExtraText: "a\x1b[2Jz"}}
		_ = w.WriteMsg(r)
	})})
	for upstreams, want := range map[string]string{"keep": "22 from upstream: a[2Jz", "drop": "0 the upstream gave a reason"} {
		s := server.Start(t, here(".:0", "ede {\n upstream "+upstreams+"\n }", forward(up.Addr())))
		r := ask(t, briefClient, "udp", s.UDP(), query("tc."+upstreams+".example.org"))
		expect(t, r, "SERVFAIL", want)
		if !r.Truncated {
			t.Error("TC is lost")
		}
	}
}

// A client with 512 octets and a reply that fills them leave no room.
func TestAnOptionWithoutRoomIsNotCalledSent(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Transport: upstream.TCP, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		r.SetEdns0(1232, false)
		filler := record(". 60 IN TXT x")
		for dns.MinMsgSize-r.Len() > 2*dns.Len(filler) {
			r.Ns = append(r.Ns, filler)
		}
		r.Ns = append(r.Ns, record(". 60 IN TXT "+strings.Repeat("x", dns.MinMsgSize-r.Len()-dns.Len(filler)+1)))
		_ = w.WriteMsg(r)
	})})
	s := server.Start(t, here(".:0", levels, forward(up.Addr(), "force_tcp")))
	r := ask(t, briefClient, "udp", s.UDP(), query("full.example.org", server.BufferSize(512)))
	expect(t, r, "SERVFAIL")
	logs.WaitForFunc(t, func(line string) bool {
		return strings.Contains(line, "qname=full.example.org.") && strings.Contains(line, " sent=off ")
	}, patience)
}

func TestASignedAnswerVerifies(t *testing.T) {
	logs := server.Capture(t)
	for name, plugins := range map[string]string{
		"error":    forward(upstream.Closed(t), patiently),
		"rcode":    "hosts {\n 192.0.2.5 known.example.org\n }",
		"message":  "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }",
		"returned": "fault written-returned SERVFAIL",
	} {
		t.Run(name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, tsigOn+"require all\n }", plugins))
			for network, addr := range map[string]string{"udp": s.UDP(), "tcp": s.TCP()} {
				m := signed(query(name + ".tsig.example.org"))
				m.Id = server.NextID()
				m.IsTsig().OrigId = m.Id
				wire, mac := pack(t, m)
				all := exchange(t, fullClient, network, addr, wire, 1)
				if len(all) != 1 {
					t.Fatalf("%d answers over %s, want 1", len(all), network)
				}
				r := parse(t, all[0])
				if got := errorsOf(r); len(got) == 0 {
					t.Errorf("no EDE over %s: %v", network, r)
				}
				if r.IsTsig() == nil {
					t.Fatalf("TSIG is not the last record: %v", r)
				}
				if err := dns.TsigVerify(all[0], keySecret, mac, false); err != nil {
					t.Errorf("over %s: %v", network, err)
				}
				l := failureOf(t, logs, m)
				expectFields(t, l, line{"sent": "true", "at": map[string]string{"error": "forward", "rcode": "hosts", "message": "template", "returned": "fault"}[name]})
			}
		})
	}
}

func TestWhatAnUpstreamSaidCanBeKeptBack(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "secret"))})
	s := server.Start(t, here(".:0", "ede {\n text full\n upstream drop\n }", steady, forward(up.Addr())))
	for i, edes := range [][]string{{"0 the upstream gave a reason"}, {"0 the upstream gave a reason" + found}} {
		m := query("drop.example.org")
		r := ask(t, fullClient, "udp", s.UDP(), m)
		if got := errorsOf(r); strings.Contains(strings.Join(got, " "), "secret") {
			t.Errorf("answer %d says %q", i, got)
		}
		if i == 0 {
			expect(t, r, "SERVFAIL", edes...)
		}
		expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_ede", "text": "from " + up.Addr() + ": secret" + []string{"", found}[i]})
	}
}

func TestClientsAreToldAsMuchAsTheirNetworkMay(t *testing.T) {
	server.Capture(t)
	addr := upstream.Closed(t)
	s := server.Start(t, here(".:0", levels, "rewrite name exact policy.example.org policy.example.net", "template ANY ANY example.net {\n rcode REFUSED\n }", forward(addr, patiently)))
	for _, tc := range []struct{ client, name, network, rcode, ede string }{
		{noneClient, "a.example.org", "udp", "SERVFAIL", "23"},
		{briefClient, "a.example.org", "udp", "SERVFAIL", "23 the upstream cannot be reached"},
		{fullClient, "a.example.org", "udp", "SERVFAIL", "23 " + addr + " refused the connection"},
		// 0 says nothing without a text.
		{noneClient, "policy.example.org", "udp", "REFUSED", "0 answered with REFUSED by configuration"},
		{noneClient, "policy.example.org", "tcp", "REFUSED", "0 answered with REFUSED by configuration"},
		{fullClient, "policy.example.org", "udp", "REFUSED", "0 answered with REFUSED by configuration of template"},
	} {
		network := map[string]string{"udp": s.UDP(), "tcp": s.TCP()}
		expect(t, ask(t, tc.client, tc.network, network[tc.network], query(tc.name)), tc.rcode, tc.ede)
	}
}

func TestNothingButTheOPTOfAFailureIsTouched(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		r.RecursionAvailable, r.AuthenticatedData, r.Authoritative = true, true, true
		r.Answer = []dns.RR{record(m.Question[0].Name + " 60 IN CNAME target.example.net.")}
		r.Ns = []dns.RR{record("example.org. 60 IN SOA ns hostmaster 1 2 3 4 5")}
		r.Extra = []dns.RR{record("ns.example.org. 60 IN A 192.0.2.53")}
		if m.IsEdns0() != nil {
			r.SetEdns0(1232, m.IsEdns0().Do())
		}
		_ = w.WriteMsg(r)
	})})
	with := server.Start(t, here(".:0", levels, forward(up.Addr())))
	without := server.Start(t, here(".:0", forward(up.Addr())))
	for _, options := range [][]server.Option{nil, {server.EDNS()}, {server.EDNS(), server.DO()}, {server.EDNS(), server.CD()}} {
		m := server.Message("UnTouched.example.org", dns.TypeA, options...)
		a := ask(t, briefClient, "udp", with.UDP(), m)
		b := ask(t, briefClient, "udp", without.UDP(), m)
		b.Id = a.Id
		if opt := a.IsEdns0(); opt != nil {
			opt.Option = nil
		}
		if a.String() != b.String() {
			t.Errorf("with ede:\n%v\nwithout:\n%v", a, b)
		}
	}
}

// nsid, above ede, sets DO in the OPT record that it adds to an answer without one.
func TestNSIDFindsTheDOBitAsWithoutEde(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	for _, do := range []bool{false, true} {
		var got [2]bool
		for i, explained := range []string{"", levels} {
			s := server.Start(t, here(".:0", explained, "nsid example", "cache", forward(up.Addr())))
			m := query("nsid.example.org")
			opt := m.IsEdns0()
			opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID})
			if opt.SetDo(do); do != opt.Do() {
				t.Fatal("no DO")
			}
			got[i] = server.Query(t, s.UDP(), "udp", m).IsEdns0().Do()
		}
		if got[0] != got[1] {
			t.Errorf("query with DO %v: the answer has DO %v, without ede %v", do, got[1], got[0])
		}
	}
}
