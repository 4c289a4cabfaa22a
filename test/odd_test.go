package test_test

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// odd are queries as clients rarely send them.
func odd() map[string]*dns.Msg {
	change := func(change func(*dns.Msg)) *dns.Msg {
		m := query("odd.example.org")
		change(m)
		return m
	}
	return map[string]*dns.Msg{
		"another EDNS version": change(func(m *dns.Msg) { m.IsEdns0().SetVersion(1) }),
		"two OPT records":      change(func(m *dns.Msg) { m.SetEdns0(512, true) }),
		"no question":          change(func(m *dns.Msg) { m.Question = nil }),
		"two questions": change(func(m *dns.Msg) {
			m.Question = append(m.Question, dns.Question{Name: "other.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET})
		}),
		"opcode STATUS":    change(func(m *dns.Msg) { m.Opcode = dns.OpcodeStatus }),
		"opcode NOTIFY":    change(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify; m.Question[0].Qtype = dns.TypeSOA }),
		"a response":       change(func(m *dns.Msg) { m.Response = true }),
		"no recursion":     change(func(m *dns.Msg) { m.RecursionDesired = false }),
		"AD and the Z bit": change(func(m *dns.Msg) { m.AuthenticatedData, m.Zero = true, true }),
		"class ANY":        change(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }),
		"class CHAOS":      change(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS; m.Question[0].Qtype = dns.TypeTXT }),
		"type ANY":         change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeANY }),
		"type NXNAME":      change(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeNXNAME }),
		"DO and CO":        change(func(m *dns.Msg) { m.IsEdns0().SetDo(); m.IsEdns0().SetCo() }),
		"options of all kinds": query("odd.example.org", server.EDNS(
			&dns.EDNS0_EDE{InfoCode: 1, ExtraText: "the client's own"},
			&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"},
			&dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: []byte{192, 0, 2, 0}},
			&dns.EDNS0_PADDING{Padding: make([]byte, 16)},
			&dns.EDNS0_TCP_KEEPALIVE{Code: dns.EDNS0TCPKEEPALIVE},
			&dns.EDNS0_LOCAL{Code: 26}, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte{1}},
		)),
		"the root": server.Message(".", dns.TypeSOA, server.EDNS()),
	}
}

// Whatever the message, ede changes nothing in its answer but the OPT record's
// Extended DNS Errors (RFC 8914 section 3: a receiver goes by the RCODE).
func TestOddMessagesAreAnsweredAsWithoutEde(t *testing.T) {
	server.Capture(t)
	for name, plugins := range map[string]string{
		"returned": "chaos\nfault returned SERVFAIL",
		"written":  "chaos\nfault written REFUSED",
		"forward":  forward(upstream.Closed(t), patiently),
		"acl":      "acl {\n block net 127.0.0.0/8\n }\nwhoami",
	} {
		t.Run(name, func(t *testing.T) {
			with, without := server.Start(t, here(".:0", "ede", plugins)), server.Start(t, here(".:0", plugins))
			for kind, m := range odd() {
				t.Run(kind, func(t *testing.T) {
					t.Parallel()
					got, want := answersTo(t, kind, with.UDP(), m), answersTo(t, kind, without.UDP(), m)
					if len(want) > 1 {
						want = want[:1]
					}
					if len(got) != len(want) {
						t.Fatalf("%d answers, without ede %d", len(got), len(want))
					}
					if len(got) == 0 {
						return
					}
					a, b := parse(t, got[0]), parse(t, want[0])
					for _, e := range server.ExtendedErrors(a) {
						if e.ExtraText == "the client's own" {
							t.Error("the client's own EDE is echoed")
						}
					}
					if failed(a.Rcode) && m.IsEdns0() != nil && len(server.ExtendedErrors(a)) == 0 && explained(m) {
						t.Error("no reason")
					}
					if stripped(a).String() != stripped(b).String() {
						t.Errorf("with ede:\n%v\nwithout:\n%v", a, b)
					}
				})
			}
		})
	}
}

// answersTo sends m and takes all answers. A response is the one message to which
// there is none.
func answersTo(t *testing.T, kind, addr string, m *dns.Msg) [][]byte {
	t.Helper()
	if kind == "a response" {
		return listen(t, addr, m, 0)
	}
	return listen(t, addr, m, 1)
}

func failed(rcode int) bool { return rcode == dns.RcodeServerFailure || rcode == dns.RcodeRefused }

// explained is whether the query reaches a plugin at all.
func explained(m *dns.Msg) bool {
	return len(m.Question) == 1 && m.Question[0].Qclass == dns.ClassINET && m.IsEdns0().Version() == 0
}

// stripped is m without what ede may change.
func stripped(m *dns.Msg) *dns.Msg {
	m = m.Copy()
	m.Id = 0
	if opt := m.IsEdns0(); opt != nil {
		var kept []dns.EDNS0
		for _, o := range opt.Option {
			if o.Option() != dns.EDNS0EDE {
				kept = append(kept, o)
			}
		}
		opt.Option = kept
	}
	return m
}
