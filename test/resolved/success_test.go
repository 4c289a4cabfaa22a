//go:build linux

package resolved_test

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// remarking answers with rcode and an EDE with the code, or with none if it is negative.
func remarking(rcode, code int) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, rcode)
		r.RecursionAvailable = true
		name := m.Question[0].Name
		if rcode == dns.RcodeSuccess && m.Question[0].Qtype == dns.TypeA {
			r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, 1}}}
		} else {
			r.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}, Ns: "ns.example.", Mbox: "hostmaster.example.", Minttl: 60}}
		}
		if m.IsEdns0() != nil {
			r.SetEdns0(1232, false)
			if code >= 0 {
				r.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: uint16(code), ExtraText: "said of it"}}
			}
		}
		_ = w.WriteMsg(r)
	})
}

// An EDE on an answer that did not fail makes no difference to systemd-resolved and its
// client: neither what is answered, nor how often which server is asked.
func TestSystemdResolvedTakesAnAnswerWithAnEDEAsOneWithout(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	t.Logf("systemd-resolved %s", resolved.Version(t)) // or it is not here, and the test is skipped
	for _, rcode := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
		for _, dnssec := range []string{"no", "allow-downgrade"} {
			look := func(code int) string {
				first, second := upstream.Start(t, upstream.Config{Handler: remarking(rcode, code)}), upstream.Start(t, upstream.Config{Handler: remarking(rcode, code)})
				defer resolved.Start(t, resolved.Config{Servers: []string{first.Addr(), second.Addr()}, DNSSEC: dnssec})()
				const name = "www.example.test."
				r, err := server.Exchange(resolved.Stub, "udp", server.Message(name, dns.TypeA), patience)
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%s, %d records, %d queries to the first, %d to the second", dns.RcodeToString[r.Rcode], len(r.Answer), first.QueriesFor(name), second.QueriesFor(name))
			}
			without := look(-1)
			for _, code := range []int{0, 3, 6, 14, 15, 16, 17, 19, 22} {
				if with := look(code); with != without {
					t.Errorf("%s, DNSSEC=%s: without EDE %s; with %d %s", dns.RcodeToString[rcode], dnssec, without, code, with)
				}
			}
			t.Logf("%s, DNSSEC=%s: %s, whatever the EDE", dns.RcodeToString[rcode], dnssec, without)
		}
	}
}
