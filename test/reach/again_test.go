package reach_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// reasonOf is the line that follows the failure of name up.
func reasonOf(t *testing.T, logs *server.Logs, name string) string {
	t.Helper()
	return logs.WaitForFunc(t, func(line string) bool {
		return strings.Contains(line, "plugin/ede: reason ") && strings.Contains(line, "qname="+name+" ")
	}, patience)
}

const steady = "cache 300 {\n servfail 5m\n }"

func TestAClientWithoutEDNSGetsItsReasonIntoTheLogAndTheNextOneIntoTheAnswer(t *testing.T) {
	logs := server.Capture(t)
	const name = "www.example.org."
	for title, test := range map[string]struct {
		rcode int
		lines []string
		again string
	}{
		"from cache":    {servfail, []string{steady}, "9 from upstream: no key (cached, found ...)"},
		"without cache": {servfail, nil, "9 from upstream: no key"},
		"REFUSED":       {refused, []string{steady}, "9 from upstream: no key"},
	} {
		t.Run(title, func(t *testing.T) {
			u := said(t, upstream.Rcode(test.rcode, true, ede(9, "no key")))
			reasons, codes := counted(t, "coredns_ede_asked_again_total", "result", "reason"), counted(t, "coredns_ede_reasons_heard_total", "info_code", "9")
			before := len(logs.Lines())
			s := server.Start(t, here(append(test.lines, "ede", "forward . "+u.Addr())...))
			if m := server.Ask(t, s.UDP(), name, dns.TypeA); m.Rcode != test.rcode || m.IsEdns0() != nil {
				t.Fatalf("got %v", m)
			}
			var line string
			logs.WaitForFunc(t, func(string) bool {
				for _, l := range logs.Lines()[before:] {
					if strings.Contains(l, "plugin/ede: reason ") {
						line = l
					}
				}
				return line != ""
			}, patience)
			for _, want := range []string{
				"cause=upstream_ede", "ede=9", "upstream=" + u.Addr(), "zone=example.org.", "qname=" + name, "qtype=A",
				`text="from ` + u.Addr() + ": no key (found ", "advice=",
			} {
				if !strings.Contains(line, want) {
					t.Errorf("no %s in %s", want, line)
				}
			}
			seen := withOPT(u, name)
			if len(seen) != 1 || !seen[0].AuthenticatedData || !seen[0].RecursionDesired || seen[0].IsEdns0().UDPSize() != 1232 {
				t.Fatalf("asked again with %v", seen)
			}
			// The repeats of the client have it in the log, and those of one that asks
			// for reasons in the answer.
			for range 3 {
				server.Ask(t, s.UDP(), name, dns.TypeA)
			}
			if n := len(withOPT(u, name)); n != 1 {
				t.Errorf("asked again %d times", n)
			}
			wait(t, func() bool {
				repeats := 0
				for _, l := range logs.Lines()[before:] {
					if strings.Contains(l, "plugin/ede: rcode=") && strings.Contains(l, "cause=upstream_ede ede=9") && strings.Contains(l, "sent=no_edns") {
						repeats++
					}
				}
				return repeats == 3
			})
			got := edes(server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS()))
			if start, _, _ := strings.Cut(test.again, "..."); !strings.HasPrefix(got, start) {
				t.Errorf("an interested client is told %q, want %q", got, test.again)
			}
			if n := counted(t, "coredns_ede_asked_again_total", "result", "reason") - reasons; n != 1 {
				t.Errorf("coredns_ede_asked_again_total grew by %v", n)
			}
			if n := counted(t, "coredns_ede_reasons_heard_total", "info_code", "9") - codes; n != 1 {
				t.Errorf("coredns_ede_reasons_heard_total grew by %v", n)
			}
		})
	}
}

// Whatever comes between resolves, or fails otherwise, the reason is not that of a later
// failure.
func TestAReasonEndsWithItsFailure(t *testing.T) {
	logs := server.Capture(t)
	u := said(t, upstream.Rcode(servfail, true, ede(9, "no key")))
	s := server.Start(t, here("ede", "forward . "+u.Addr()))
	server.Ask(t, s.UDP(), "ends.example.org.", dns.TypeA)
	reasonOf(t, logs, "ends.example.org.")
	u.Handle(upstream.Answer())
	server.Ask(t, s.UDP(), "ends.example.org.", dns.TypeA)
	u.Handle(upstream.Rcode(servfail, true, ede(7, "expired")))
	server.Ask(t, s.UDP(), "ends.example.org.", dns.TypeA)
	logs.WaitForFunc(t, func(line string) bool {
		return strings.Contains(line, "plugin/ede: reason ") && strings.Contains(line, "ede=7 ")
	}, patience)
	if old := logs.Matching("cause=upstream_ede ede=9"); len(old) != 1 {
		t.Errorf("the reason of the failure before is told: %q", old)
	}
}

// Over every transport of forward the same upstream is asked in the same way.
func TestItIsAskedOverTheTransportsOfForward(t *testing.T) {
	logs := server.Capture(t)
	for _, transport := range []upstream.Transport{upstream.DNS, upstream.TCP, upstream.TLS, upstream.HTTPS, upstream.QUIC, upstream.GRPC} {
		t.Run(string(transport), func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Transport: transport, Handler: upstream.Rcode(servfail, true, ede(9, "no key"))})
			line := "forward . " + u.To()
			switch transport {
			case upstream.TCP:
				line = "forward . " + u.Addr() + " {\n force_tcp\n }"
			case upstream.TLS, upstream.HTTPS, upstream.QUIC:
				line += " {\n tls " + u.CAFile() + "\n tls_servername ns.example.net\n }"
			case upstream.GRPC:
				line = "grpc . " + u.Addr()
			}
			name := string(transport) + ".example.org."
			s := server.Start(t, here("ede", line))
			server.Ask(t, s.UDP(), name, dns.TypeA)
			reasonOf(t, logs, name)
			if n := len(withOPT(u, name)); n != 1 {
				t.Errorf("asked again %d times", n)
			}
		})
	}
}

// answered is what a client gets of one question, octet by octet.
func answered(t *testing.T, addr string, name string) string {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m.Id = 4711
	packets := server.Packets(t, addr, m, 1, 0)
	if len(packets) != 1 {
		t.Fatalf("%d answers", len(packets))
	}
	return string(packets[0])
}

// However the upstream takes an OPT record, a client without one gets the same octets as
// from a server without ede.
func TestTheClientsAnswerIsTheSameWhateverTheUpstreamDoesWithAnOPT(t *testing.T) {
	server.Capture(t)
	plain := upstream.Rcode(servfail, true)
	with := func(h dns.Handler) dns.Handler {
		return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
			if m.IsEdns0() != nil {
				h.ServeDNS(w, m)
				return
			}
			plain.ServeDNS(w, m)
		})
	}
	rcode := func(rcode int) dns.Handler {
		return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetRcode(m, rcode)
			if rcode == dns.RcodeBadVers {
				r.SetEdns0(1232, false)
			}
			_ = w.WriteMsg(r)
		})
	}
	for name, test := range map[string]struct {
		h      dns.Handler
		result string
	}{
		"swallows it":            {with(upstream.Silent()), "no_reply"},
		"FORMERR":                {with(rcode(dns.RcodeFormatError)), "no_edns"},
		"NOTIMP":                 {with(rcode(dns.RcodeNotImplemented)), "no_edns"},
		"BADVERS":                {with(rcode(dns.RcodeBadVers)), "no_edns"},
		"ignores it":             {with(rcode(servfail)), "no_edns"},
		"hangs up":               {with(upstream.HangUp()), "no_reply"},
		"garbage":                {with(upstream.Garbage()), "no_reply"},
		"another question":       {with(upstream.WrongQuestion()), "no_reply"},
		"truncated":              {with(upstream.Truncated()), "resolves"},
		"an answer":              {with(upstream.Answer()), "resolves"},
		"REFUSED with a reason":  {with(upstream.Rcode(refused, true, ede(18, "no"))), "differs"},
		"a reason":               {with(upstream.Rcode(servfail, true, ede(9, "no key"))), "reason"},
		"a hostile reason":       {with(upstream.RawEDE(6, []byte("a\x1b[2J\"\\\xff\r\n"+strings.Repeat("long ", 100)))), "reason"},
		"an option of one octet": {with(upstream.RawOption(dns.EDNS0EDE, []byte{1})), "no_reply"},
	} {
		t.Run(name, func(t *testing.T) {
			u := said(t, test.h)
			forward := "forward . " + u.Addr() + " {\n max_fails 0\n }"
			for _, cache := range []string{"", steady} {
				stock, mine := server.Start(t, here(cache, forward)), server.Start(t, here(cache, "ede", forward))
				before := counted(t, "coredns_ede_asked_again_total", "result", test.result)
				name := "www.example.org."
				want := answered(t, stock.UDP(), name)
				for i := range 3 {
					if got := answered(t, mine.UDP(), name); got != want {
						t.Fatalf("answer %d: %x, want %x", i, got, want)
					}
				}
				wait(t, func() bool { return counted(t, "coredns_ede_asked_again_total", "result", test.result) == before+1 })
				if got := answered(t, mine.UDP(), name); got != want {
					t.Fatalf("the answer after that: %x, want %x", got, want)
				}
				if n := len(withOPT(u, name)); n > 4 { // over UDP and TCP if truncated, with two servers
					t.Errorf("asked again %d times", n)
				}
			}
		})
	}
}

// wait returns when the condition holds.
func wait(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to pass")
		}
		<-time.After(10 * time.Millisecond)
	}
}
