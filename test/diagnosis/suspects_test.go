package diagnosis_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// Upstreams, and paths to them, that are at fault in one way each.

// when answers with one handler what is, and with the other what is not.
func when(is func(w dns.ResponseWriter, m *dns.Msg) bool, then, otherwise dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if is(w, m) {
			then.ServeDNS(w, m)
			return
		}
		otherwise.ServeDNS(w, m)
	})
}

func over(network string) func(dns.ResponseWriter, *dns.Msg) bool {
	return func(w dns.ResponseWriter, _ *dns.Msg) bool { return w.LocalAddr().Network() == network }
}

func asks(name string, types ...uint16) func(dns.ResponseWriter, *dns.Msg) bool {
	return func(_ dns.ResponseWriter, m *dns.Msg) bool {
		q := m.Question[0]
		ofType := len(types) == 0
		for _, t := range types {
			ofType = ofType || q.Qtype == t
		}
		return ofType && dns.IsSubDomain(name, dns.CanonicalName(q.Name))
	}
}

func not(is func(dns.ResponseWriter, *dns.Msg) bool) func(dns.ResponseWriter, *dns.Msg) bool {
	return func(w dns.ResponseWriter, m *dns.Msg) bool { return !is(w, m) }
}

func both(a, b func(dns.ResponseWriter, *dns.Msg) bool) func(dns.ResponseWriter, *dns.Msg) bool {
	return func(w dns.ResponseWriter, m *dns.Msg) bool { return a(w, m) && b(w, m) }
}

// exists is true for what a resolver that says SERVFAIL for NXDOMAIN answers: the root's
// records, and types that are not there of names that are.
func exists(w dns.ResponseWriter, m *dns.Msg) bool {
	return asks(".", dns.TypeNS, dns.TypeDNSKEY, dns.TypeSOA)(w, m) || m.Question[0].Qtype >= 32770
}

func checked(_ dns.ResponseWriter, m *dns.Msg) bool { return !m.CheckingDisabled }

const example = "www.example.org."

// truncated is the answer that does not fit.
func truncated() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.Truncated, r.RecursionAvailable = true, true
		_ = w.WriteMsg(r)
	})
}

// first is true once, for the first of what is.
func first(is func(dns.ResponseWriter, *dns.Msg) bool) func(dns.ResponseWriter, *dns.Msg) bool {
	var seen atomic.Bool
	return func(w dns.ResponseWriter, m *dns.Msg) bool { return is(w, m) && !seen.Swap(true) }
}

func recursive(_ dns.ResponseWriter, m *dns.Msg) bool { return m.RecursionDesired }

// nxdomain is the honest answer.
// nxdomain denies every name, with the SOA of an unsigned zone above it (RFC 2308 section 3).
func nxdomain() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, dns.RcodeNameError)
		r.RecursionAvailable = true
		_, zone, _ := strings.Cut(m.Question[0].Name, ".")
		header := dns.RR_Header{Name: dns.Fqdn(zone), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60}
		r.Ns = []dns.RR{&dns.SOA{Hdr: header, Ns: "ns.example.", Mbox: "hostmaster.example.", Minttl: 300}}
		if o := m.IsEdns0(); o != nil {
			r.SetEdns0(1232, o.Do())
		}
		_ = w.WriteMsg(r)
	})
}

// address answers unsigned.
func address(text string) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: net.ParseIP(text)}}
		if o := m.IsEdns0(); o != nil {
			r.SetEdns0(1232, o.Do())
		}
		_ = w.WriteMsg(r)
	})
}

// stripping answers from a bed without any record of DNSSEC but the keys.
func stripping(b *bed.Bed) dns.Handler {
	exchange := b.Exchange()
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		got, err := exchange(context.Background(), m.Question[0])
		if err != nil {
			return
		}
		r := new(dns.Msg).SetRcode(m, got.Rcode)
		r.RecursionAvailable = true
		for _, rr := range got.Answer {
			if rr.Header().Rrtype != dns.TypeRRSIG {
				r.Answer = append(r.Answer, rr)
			}
		}
		if o := m.IsEdns0(); o != nil {
			r.SetEdns0(1232, o.Do())
		}
		_ = w.WriteMsg(r)
	})
}

// suspected are the failures that are put down to somebody nearer than the zone, each
// as a run for docs/causes.md.
func suspected() []shown {
	good := upstream.Answer()
	inBed := func(fails func(dns.ResponseWriter, *dns.Msg) bool, with dns.Handler) func(*testing.T, *bed.Bed) dns.Handler {
		return func(t *testing.T, b *bed.Bed) dns.Handler {
			return when(fails, with, resolving(t, b, servfail(), func(*dns.Msg) bool { return false }))
		}
	}
	limited, lost := new(atomic.Bool), new(atomic.Bool)
	return []shown{
		{cause: "path_udp_lost", upstreams: []dns.Handler{when(both(over("udp"), func(dns.ResponseWriter, *dns.Msg) bool { return lost.Load() }), upstream.Silent(), good)},
			answers: 1, then: func() { lost.Store(true) }, second: true},
		{cause: "path_tcp_closed", upstreams: []dns.Handler{when(over("tcp"), upstream.Silent(), when(asks(example), truncated(), good))}, second: true, tcp: true},
		{cause: "path_answer_lost", upstreams: []dns.Handler{when(both(over("udp"), asks(example)), upstream.Silent(), good)}, second: true},
		{cause: "path_loses_packets", upstreams: []dns.Handler{when(asks(example), upstream.Silent(), when(first(both(both(asks(".", dns.TypeNS), recursive), not(checked))), upstream.Silent(), good))}, second: true},
		{cause: "upstream_resolves_nothing", upstreams: []dns.Handler{servfail()}},
		{cause: "upstream_validator", zone: "valid", handler: inBed(checked, servfail())},
		{cause: "upstream_rate_limit", upstreams: []dns.Handler{when(func(dns.ResponseWriter, *dns.Msg) bool { return limited.Load() }, upstream.Rcode(dns.RcodeRefused, true), good)},
			answers: 12, then: func() { limited.Store(true) }},
		{cause: "upstream_refuses_name", name: "db.", upstreams: []dns.Handler{when(asks("db."), upstream.Rcode(dns.RcodeRefused, true), good)}},
		{cause: "upstream_local_name", name: "printer.corp.local.", upstreams: []dns.Handler{when(asks("local."), servfail(), good)}},
		{cause: "upstream_zone_not_loaded", upstreams: []dns.Handler{when(asks("example.org."), upstream.Rcode(dns.RcodeServerFailure, false), upstream.Rcode(dns.RcodeRefused, false))}},
		{cause: "upstream_hides_nxdomain", upstreams: []dns.Handler{when(exists, good, servfail())}},
		{cause: "only_one_type_fails", upstreams: []dns.Handler{when(asks(example, dns.TypeA), servfail(), good)}},
		{cause: "upstreams_differ", upstreams: []dns.Handler{failsZone(), when(asks(example), nxdomain(), good)}},
		{cause: "dnssec_stripped", zone: "valid", handler: func(_ *testing.T, b *bed.Bed) dns.Handler { return when(checked, servfail(), stripping(b)) }},
		{cause: "upstream_own_zone", zone: "valid", name: "db.corp.lan.", handler: func(t *testing.T, b *bed.Bed) dns.Handler {
			return when(both(asks("corp.lan."), not(asks("corp.lan.", dns.TypeDS))), when(checked, servfail(), address("10.1.2.3")), inBed(not(func(dns.ResponseWriter, *dns.Msg) bool { return true }), servfail())(t, b))
		}},
		{cause: "answer_replaced", zone: "valid", name: "www.valid.edetest.", handler: func(t *testing.T, b *bed.Bed) dns.Handler {
			return when(asks("www.valid.edetest.", dns.TypeA), when(checked, servfail(), address("0.0.0.0")), inBed(not(func(dns.ResponseWriter, *dns.Msg) bool { return true }), servfail())(t, b))
		}},
		{cause: "dnssec_dnskey_unavailable", zone: "dnskey-timeout"},
	}
}

// Each suspect is named by its own cause, and its words reach the client.
func TestTheNearestSuspectIsNamed(t *testing.T) {
	for _, s := range suspected() {
		t.Run(strings.ReplaceAll(s.cause, "_", " "), func(t *testing.T) { s.take(t) })
	}
}
