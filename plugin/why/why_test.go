package why

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

func TestWhyIsOneLineAnEpisode(t *testing.T) {
	at := func(clock string) time.Time {
		moment, err := time.Parse(time.DateTime, "2026-11-23 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	many := make([]incident.Episode, 9)
	long := incident.Episode{Cause: "upstream_timeout", Upstream: strings.Repeat("x", 400), Count: 2, First: at("14:02:11"), Last: at("14:02:12")}
	for name, tc := range map[string]struct {
		episodes []incident.Episode
		want     []string
	}{
		"nothing is remembered": {nil, []string{"14:05:00Z coredns-7f2 no failure remembered"}},
		"it resolves again": {
			[]incident.Episode{{Cause: "upstream_timeout", Upstream: "192.0.2.53:53", Count: 31, First: at("14:02:11"), Last: at("14:03:00"), OKSince: at("14:03:40")}},
			[]string{"14:02:11Z coredns-7f2 upstream_timeout 192.0.2.53 x31, ok since 14:03:40Z"},
		},
		"it still fails": {
			[]incident.Episode{{Cause: "upstream_timeout", Upstream: "192.0.2.53:5353", Count: 31, First: at("14:02:11"), Last: at("14:03:00")}},
			[]string{"14:02:11Z coredns-7f2 upstream_timeout 192.0.2.53:5353 x31, last 14:03:00Z"},
		},
		"it failed once and has no upstream": {
			[]incident.Episode{{Cause: "zone_expired", Count: 1, First: at("14:02:11"), Last: at("14:02:11")}},
			[]string{"14:02:11Z coredns-7f2 zone_expired x1"},
		},
		"the upstream is hostile": {
			[]incident.Episode{{Cause: "upstream_timeout", Upstream: "\u202e\n\\\"\x1b", Count: 1, First: at("14:02:11")}},
			[]string{`14:02:11Z coredns-7f2 upstream_timeout \\\" x1`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := texts("coredns-7f2", tc.episodes, at("14:05:00"))
			if strings.Join(got, "|") != strings.Join(tc.want, "|") {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	if got := texts("coredns-7f2", append(many, long), at("14:05:00")); len(got) != maxEpisodes {
		t.Errorf("%d lines, at most %d may be", len(got), maxEpisodes)
	}
	if got := texts(strings.Repeat("h", 63), []incident.Episode{long}, at("14:05:00")); len(got[0]) > maxString || !strings.HasSuffix(got[0], "last 14:02:12Z") {
		t.Errorf("%d octets: %s", len(got[0]), got[0])
	}
}

func TestOnlyTheQuestionWhyOfAClientThatMayKnowIsTaken(t *testing.T) {
	network := netip.MustParsePrefix("192.0.2.0/24")
	e := &Answerer{Zones: []string{"example.org."}, May: network.Contains}
	ask := func(name string, qtype uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, qtype) }
	with := func(change func(*dns.Msg)) *dns.Msg {
		m := ask("_why.www.example.org.", dns.TypeTXT)
		change(m)
		return m
	}
	const full, brief = "192.0.2.7", "198.51.100.7"
	for name, tc := range map[string]struct {
		msg    *dns.Msg
		client string
		want   bool
	}{
		"the question":           {ask("_why.www.example.org.", dns.TypeTXT), full, true},
		"of the zone itself":     {ask("_why.example.org.", dns.TypeTXT), full, true},
		"in capitals":            {ask("_WHY.www.EXAMPLE.org.", dns.TypeTXT), full, true},
		"of another client":      {ask("_why.www.example.org.", dns.TypeTXT), brief, false},
		"of no client":           {ask("_why.www.example.org.", dns.TypeTXT), "", false},
		"of another type":        {ask("_why.www.example.org.", dns.TypeA), full, false},
		"of any type":            {ask("_why.www.example.org.", dns.TypeANY), full, false},
		"outside of the zone":    {ask("_why.www.example.net.", dns.TypeTXT), full, false},
		"without a name":         {ask("_why.", dns.TypeTXT), full, false},
		"of the root":            {ask(".", dns.TypeTXT), full, false},
		"with a longer label":    {ask("_whynot.www.example.org.", dns.TypeTXT), full, false},
		"with a label before it": {ask("a._why.www.example.org.", dns.TypeTXT), full, false},
		"in another class":       {with(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), full, false},
		"as an update":           {with(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), full, false},
		"as a response":          {with(func(m *dns.Msg) { m.Response = true }), full, false},
	} {
		var client netip.Addr
		if tc.client != "" {
			client = netip.MustParseAddr(tc.client)
		}
		if got := e.Takes(tc.msg, func() netip.Addr { return client }); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// FuzzWhy asks with outside bytes. Only a question for a name in the zone is
// taken, and what is answered survives the wire in at most five strings.
func FuzzWhy(f *testing.F) {
	for _, name := range []string{"_why.www.example.org.", "_WHY.example.org.", `_why.a\000\255\.b\".example.org.`, `\095why.www.example.org.`, "_why.example.net.", "_why."} {
		wire, err := new(dns.Msg).SetQuestion(name, dns.TypeTXT).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, "192.0.2.53:53", uint64(31))
	}
	f.Add([]byte{}, "\xff\x1b\u202e\\\"", uint64(0))
	e := &Answerer{Zones: []string{"example.org."}, May: netip.Addr.IsValid}
	f.Fuzz(func(t *testing.T, wire []byte, upstream string, count uint64) {
		at := time.Date(2026, 11, 23, 14, 2, 11, 0, time.UTC)
		episodes := make([]incident.Episode, 1+count%8)
		for i := range episodes {
			episodes[i] = incident.Episode{Cause: "upstream_timeout", Upstream: upstream, Count: count, First: at, Last: at}
		}
		all := texts("coredns-7f2", episodes, at)
		if len(all) > maxEpisodes {
			t.Fatalf("%d strings", len(all))
		}
		for _, text := range all {
			rr := &dns.TXT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text}}
			m := &dns.Msg{Answer: []dns.RR{rr}}
			packed, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			// Behind the header, the root name, and ten octets come one string's
			// length and octets.
			const at = 12 + 1 + 10
			raw := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text)
			if got := packed[at:]; len(raw) > maxString || int(got[0]) != len(raw) || string(got[1:]) != raw {
				t.Errorf("%q leaves as %q", text, got)
			}
		}
		var m dns.Msg
		if m.Unpack(wire) != nil || len(m.Question) == 0 {
			return
		}
		q := m.Question[0]
		labels := dns.SplitDomainName(q.Name)
		want := len(labels) >= 3 && strings.EqualFold(labels[0], "_why") && dns.IsSubDomain("example.org.", strings.ToLower(q.Name)) &&
			q.Qtype == dns.TypeTXT && q.Qclass == dns.ClassINET && m.Opcode == dns.OpcodeQuery && !m.Response
		if got := e.Takes(&m, func() netip.Addr { return netip.MustParseAddr("192.0.2.7") }); got != want {
			t.Errorf("%q is taken: %v, want %v", q.Name, got, want)
		}
	})
}
