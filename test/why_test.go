package test_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const whyLevels = "ede {\n why\n text full " + fullClient + "\n text brief\n log all\n }"

func why(name string, options ...server.Option) *dns.Msg {
	return server.Message("_why."+name, dns.TypeTXT, options...)
}

// textsOf are the TXT records of an answer, which must not be cached.
func textsOf(t *testing.T, m *dns.Msg) []string {
	t.Helper()
	var texts []string
	for _, rr := range m.Answer {
		txt, ok := rr.(*dns.TXT)
		if !ok || txt.Hdr.Ttl != 0 || len(txt.Txt) != 1 {
			t.Fatalf("answer has %s", rr)
		}
		texts = append(texts, txt.Txt[0])
	}
	if m.Rcode != dns.RcodeSuccess || len(texts) == 0 {
		t.Fatalf("no answer: %s", m)
	}
	return texts
}

// remembers asks why name fails, and expects an answer of each pattern.
func remembers(t *testing.T, addr, name string, patterns ...string) {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	texts := textsOf(t, ask(t, fullClient, "udp", addr, why(name)))
	if len(texts) != len(patterns) {
		t.Fatalf("%q, want %d lines", texts, len(patterns))
	}
	for i, pattern := range patterns {
		pattern = strings.ReplaceAll(strings.ReplaceAll(pattern, "HOST", regexp.QuoteMeta(host)), "TIME", `\d\d:\d\d:\d\dZ`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(texts[i]) {
			t.Errorf("%q, want %s", texts[i], pattern)
		}
	}
}

func TestWhyTellsWhatFailsAndSinceWhenItDoesNot(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	s := server.Start(t, here(".:0", whyLevels, forward(up.Addr())))
	addr := s.UDP()
	remembers(t, addr, "www.example.org", "TIME HOST no failure remembered")
	for _, name := range []string{"www.example.org", "WWW.example.org"} {
		ask(t, briefClient, "udp", addr, server.Message(name, dns.TypeA))
	}
	failing := "TIME HOST upstream_servfail " + regexp.QuoteMeta(up.Addr()) + " x2"
	remembers(t, addr, "www.example.org", failing+", last TIME")
	up.Handle(upstream.Answer())
	ask(t, briefClient, "udp", addr, server.Message("www.example.org", dns.TypeAAAA))
	remembers(t, addr, "www.example.org", failing+", last TIME")
	ask(t, briefClient, "udp", addr, server.Message("www.example.org", dns.TypeA))
	remembers(t, addr, "wWw.example.org", failing+", ok since TIME")
	remembers(t, addr, "api.example.org", "TIME HOST no failure remembered")
}

func TestWhyIsANameAsAnyForAllOtherClients(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{})
	s := server.Start(t, here(".:0", whyLevels, "cache", forward(up.Addr())))
	m := ask(t, briefClient, "udp", s.UDP(), why("www.example.org"))
	if len(m.Answer) != 0 || len(m.Ns) != 1 || up.Queries() != 1 {
		t.Errorf("the upstream heard %d queries, the answer is %s", up.Queries(), m)
	}
	// What the cache has of the name is not for a client that may know.
	remembers(t, s.UDP(), "www.example.org", "TIME HOST no failure remembered")
	if up.Queries() != 1 {
		t.Error("why went to the upstream")
	}
}

func TestWhyIsOffUnlessItIsNamedAndInShadow(t *testing.T) {
	server.Capture(t)
	for name, directive := range map[string]string{
		"not named": levels,
		"in shadow": "ede {\n why\n shadow\n text full " + fullClient + "\n }",
	} {
		t.Run(name, func(t *testing.T) {
			up := upstream.Start(t, upstream.Config{})
			s := server.Start(t, here(".:0", directive, forward(up.Addr())))
			if m := ask(t, fullClient, "udp", s.UDP(), why("www.example.org")); len(m.Answer) != 0 || up.Queries() != 1 {
				t.Errorf("ede answered: %s", m)
			}
		})
	}
}

func TestTheAnswerToWhyFollowsTheRulesOfEDNS(t *testing.T) {
	server.Capture(t)
	s := server.Start(t, here(".:0", whyLevels, "fault returned SERVFAIL"))
	ask(t, briefClient, "udp", s.UDP(), query("www.example.org"))
	for name, tc := range map[string]struct {
		msg     *dns.Msg
		network string
		opt     bool
	}{
		"without OPT":          {why("www.example.org"), "udp", false},
		"with OPT":             {why("www.example.org", server.EDNS()), "udp", true},
		"with an option of it": {why("www.example.org", server.EDNS(&dns.EDNS0_EDE{InfoCode: 7, ExtraText: "mine"})), "udp", true},
		"with DO":              {why("www.example.org", server.DO()), "udp", true},
		"over TCP":             {why("www.example.org", server.EDNS()), "tcp", true},
	} {
		t.Run(name, func(t *testing.T) {
			addr := s.UDP()
			if tc.network == "tcp" {
				addr = s.TCP()
			}
			m := ask(t, fullClient, tc.network, addr, tc.msg)
			textsOf(t, m)
			opt := m.IsEdns0()
			if (opt != nil) != tc.opt || len(server.ExtendedErrors(m)) != 0 || !m.Authoritative || m.Truncated {
				t.Errorf("answer is %s", m)
			}
		})
	}
}

func TestAnAnswerToWhyFitsTheClient(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	s := server.Start(t, here(".:0", whyLevels, forward(up.Addr())))
	name := strings.Repeat(strings.Repeat("n", 50)+".", 4) + "example.org"
	// Each change of what the upstream says makes an episode.
	for i := range 2 * 5 {
		up.Handle(upstream.Rcode(servfail, true))
		if i%2 == 1 {
			up.Handle(upstream.Answer())
		}
		ask(t, briefClient, "udp", s.UDP(), server.Message(name, dns.TypeA))
	}
	all := packets(t, fullClient, "udp", s.UDP(), why(name))
	if len(all) != 1 || len(all[0]) > dns.MinMsgSize {
		t.Fatalf("%d answers, the first of %d octets", len(all), len(all[0]))
	}
	if got := textsOf(t, ask(t, fullClient, "tcp", s.TCP(), why(name))); len(got) != 5 {
		t.Errorf("%d lines over TCP, want 5", len(got))
	}
}

func TestWhyOutlivesAReloadOfAnUnchangedBlock(t *testing.T) {
	server.Capture(t)
	block := here(".:0", whyLevels, "fault returned SERVFAIL")
	s := server.Start(t, block)
	ask(t, briefClient, "udp", s.UDP("."), query("www.example.org"))
	if err := s.Reload(block + here("example.net:0", "whoami")); err != nil {
		t.Fatal(err)
	}
	remembers(t, s.UDP("."), "www.example.org", "TIME HOST [a-z_]+ x1")
}

func TestWhyTellsOfItsOwnBlockOnly(t *testing.T) {
	server.Capture(t)
	s := server.Start(t, here("example.org:0", whyLevels, "fault returned SERVFAIL")+
		strings.Replace(here("example.org:0", whyLevels, "whoami"), "127.0.0.1", "127.0.0.4", 1))
	own, other := "", ""
	for _, l := range s.Listeners() {
		if strings.HasPrefix(l.UDP, "127.0.0.4:") {
			other = l.UDP
		} else {
			own = l.UDP
		}
	}
	ask(t, briefClient, "udp", own, query("www.example.org"))
	remembers(t, own, "www.example.org", "TIME HOST [a-z_]+ x1")
	remembers(t, other, "www.example.org", "TIME HOST no failure remembered")
}

// Whoever sends with another's address makes the server send to that one: the
// growth of the largest answer, over UDP, is this.
func TestTheLargestAnswerToWhyIsBounded(t *testing.T) {
	const mostOctets, mostTimes = 700, 14
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{})
	s := server.Start(t, here(".:0", whyLevels, forward(up.Addr())))
	for i := range 2 * 8 {
		up.Handle(upstream.Rcode(servfail, true))
		if i%2 == 1 {
			up.Handle(upstream.Answer())
		}
		ask(t, briefClient, "udp", s.UDP(), server.Message("a.example", dns.TypeA))
	}
	m := why("a.example", server.BufferSize(dns.MaxMsgSize-1))
	all := packets(t, fullClient, "udp", s.UDP(), m)
	if len(all) != 1 {
		t.Fatalf("%d answers", len(all))
	}
	if n := len(textsOf(t, parse(t, all[0]))); n != 5 {
		t.Errorf("%d lines, not the most", n)
	}
	query, _ := pack(t, m)
	t.Logf("%d octets to a query of %d", len(all[0]), len(query))
	if len(all[0]) > mostOctets || len(all[0]) > mostTimes*len(query) {
		t.Errorf("%d octets to a query of %d, at most %d and %d times are pinned", len(all[0]), len(query), mostOctets, mostTimes)
	}
}
