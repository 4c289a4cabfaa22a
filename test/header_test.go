package test_test

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// What header makes of the flags of an answer says nothing of the upstream.
func TestTheFlagsOfARefusalAreThoseOfTheUpstream(t *testing.T) {
	for name, tc := range map[string]struct {
		response string
		ra       bool
		want     string
	}{
		"set":             {"set ra aa", false, "refused the query (RA=0): access list, authoritative only, or overloaded"},
		"cleared":         {"clear ra", true, "refused the query (RA=1): access list, rate limit, or filter"},
		"nothing changes": {"clear aa", true, "refused the query (RA=1): access list, rate limit, or filter"},
	} {
		for _, between := range []string{"", "cache", "loadbalance", "minimal"} {
			t.Run(name+" "+between, func(t *testing.T) {
				up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(refused, tc.ra)})
				s := server.Start(t, here(".:0", levels, between, "header {\n response "+tc.response+"\n }", forward(up.Addr(), patiently)))
				for range 2 {
					r := ask(t, fullClient, "udp", s.UDP(), query("flags.example.org"))
					if said := errorsOf(r); len(said) != 1 || !strings.HasSuffix(said[0], tc.want) {
						t.Errorf("says %q, want %q", said, tc.want)
					}
					if set := strings.HasPrefix(tc.response, "set"); r.RecursionAvailable != set && name != "nothing changes" {
						t.Errorf("RA is %v for the client", r.RecursionAvailable)
					}
				}
			})
		}
	}
}

// Many resolvers refuse a query without RD. Whoever cleared the bit, the upstream is not blamed
// for that.
func TestAnUpstreamThatWasAskedWithoutRDIsNotBlamed(t *testing.T) {
	for name, tc := range map[string]struct {
		plugins string
		rd      bool
		advice  string
	}{
		"the client asks without":  {"", false, "let it set RD"},
		"header clears it":         {"header {\n query clear rd\n }", true, "This server cleared RD"},
		"both":                     {"header {\n query clear rd\n }", false, "let it set RD"},
		"header sets it":           {"header {\n query set rd\n }", false, ""},
		"RD as it should be":       {"", true, ""},
		"asked by way of cache":    {"cache", false, "let it set RD"},
		"cleared below cache":      {"cache\nheader {\n query clear rd\n }", true, "This server cleared RD"},
		"the bit is set by a loop": {"cache\nheader {\n query clear rd\n query set rd\n }", false, ""},
	} {
		for _, said := range []struct {
			kind, text, cause string
			handler           dns.Handler
		}{
			{"refused", " (RA=1): RD missing in the query, access list, rate limit, or filter", "upstream_refused", upstream.Rcode(refused, true)},
			{"servfail", " answered SERVFAIL without a reason; asked without RD (recursion desired)", "upstream_servfail", upstream.Rcode(servfail, true)},
			{"not authoritative", "", "upstream_ede", upstream.Rcode(refused, true, ede(20, ""))},
			{"prohibited", "", "upstream_ede", upstream.Rcode(refused, true, ede(18, ""))},
		} {
			t.Run(name+" "+said.kind, func(t *testing.T) {
				logs := server.Capture(t)
				up := upstream.Start(t, upstream.Config{Handler: said.handler})
				s := server.Start(t, here(".:0", levels, tc.plugins, forward(up.Addr(), patiently)))
				for nth := range 2 {
					m := query("desire.example.org")
					m.RecursionDesired = tc.rd
					r := ask(t, fullClient, "udp", s.UDP(), m)
					l := failureOf(t, logs, m)
					texts := strings.Join(errorsOf(r), " ")
					if tc.advice == "" {
						if l["owner"] == "unknown" && said.cause == "upstream_refused" || strings.Contains(texts, "RD") || strings.Contains(l["advice"], "RD") {
							t.Errorf("owner %s, says %q, advice %q", l["owner"], texts, l["advice"])
						}
						continue
					}
					advised := nth > 0 || strings.Contains(l["advice"], tc.advice)
					if l["cause"] != said.cause || l["owner"] != "unknown" || !advised || !strings.Contains(texts, said.text) {
						t.Errorf("cause %s, owner %s, says %q, advice %q", l["cause"], l["owner"], texts, l["advice"])
					}
				}
			})
		}
	}
}

// The reason that an upstream gives for something else stands, however it was asked.
func TestAReasonThatHasNothingToDoWithRDStands(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
	s := server.Start(t, here(".:0", levels, forward(up.Addr(), patiently)))
	m := query("expired.example.org")
	m.RecursionDesired = false
	expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", "7 from "+up.Addr()+": expired")
	if advice := failureOf(t, logs, m)["advice"]; strings.Contains(advice, "RD") || !strings.Contains(advice, "DNSSEC") {
		t.Errorf("advice %q", advice)
	}
}

// A transfer and a NOTIFY never have RD: it is not missing.
func TestNothingButAQueryMissesRD(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(refused, false, ede(18, "no transfer"))})
	s := server.Start(t, here(".:0", levels, forward(up.Addr(), patiently)))
	for name, change := range map[string]func(*dns.Msg){
		"AXFR":   func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR },
		"IXFR":   func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeIXFR },
		"NOTIFY": func(m *dns.Msg) { m.Opcode, m.Question[0].Qtype = dns.OpcodeNotify, dns.TypeSOA },
	} {
		t.Run(name, func(t *testing.T) {
			m := query(strings.ToLower(name) + ".example.org")
			change(m)
			m.RecursionDesired = false
			r := ask(t, fullClient, "tcp", s.TCP(), m)
			if l := failureOf(t, logs, m); l["owner"] != "upstream" || strings.Contains(l["advice"], "RD") || strings.Contains(strings.Join(errorsOf(r), " "), "RD") {
				t.Errorf("owner %s, advice %q, says %q", l["owner"], l["advice"], errorsOf(r))
			}
		})
	}
}

// The target of an alias is asked as the client asked.
func TestWhoClearedRDIsToldOfAnAliasToo(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	zone := textFile(t, zoneText+"a 60 IN CNAME target.example.net.\n")
	s := server.Start(t, here(".:0", levels, "header {\n query clear rd\n }", "file "+zone+" example.org", forward(up.Addr(), patiently)))
	m := query("a.example.org")
	ask(t, fullClient, "udp", s.UDP("."), m)
	if l := failureOf(t, logs, m); l["cause"] != "cname_target_failed" || !strings.Contains(l["advice"], "This server cleared RD") {
		t.Errorf("cause %s, advice %q", l["cause"], l["advice"])
	}
}

// What the upstream says without RD is no reason for a failure with RD, nor the other way round;
// and the two are not counted as one.
func TestFailuresWithoutRDAreKeptApart(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		said := ede(20, "RD is off")
		if m.RecursionDesired {
			said = ede(15, "on the list")
		}
		upstream.Rcode(refused, true, said).ServeDNS(w, m)
	})})
	s := server.Start(t, here(".:0", levels, forward(up.Addr(), patiently)))
	bare := func(rd bool) line {
		m := server.Message("apart.example.org", dns.TypeA)
		m.RecursionDesired = rd
		ask(t, fullClient, "udp", s.UDP(), m)
		return failureOf(t, logs, m)
	}
	// What is asked again is asked in the background: the reason is there soon.
	for range 100 {
		if bare(true)["cause"] == "upstream_ede" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for range 3 {
		if l := bare(true); l["cause"] != "upstream_ede" || !strings.Contains(l["text"], "on the list") {
			t.Fatalf("with RD: %s, %q", l["cause"], l["text"])
		}
		l := bare(false)
		if l["cause"] != "upstream_refused" || l["owner"] != "unknown" || !strings.Contains(l["text"], "RD missing") {
			t.Errorf("without RD: %s, owner %s, %q", l["cause"], l["owner"], l["text"])
		}
		time.Sleep(50 * time.Millisecond)
	}
	if again := logs.Matching("RD is off"); len(again) > 0 {
		t.Errorf("asked again without RD: %s", again)
	}
}
