package reach_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// filtering answers names below ads as filters do, stale ones with 3, and others plainly.
func filtering(ttl uint32) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		name := m.Question[0].Name
		address := []byte{192, 0, 2, 1}
		var said []dns.EDNS0
		switch {
		case strings.HasPrefix(name, "blocked."):
			address, said = []byte{0, 0, 0, 0}, []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 15, ExtraText: "BLOCKED (ads: list)"}}
		case strings.HasPrefix(name, "none."):
			r.Rcode, said = dns.RcodeNameError, []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 17, ExtraText: "by request"}, &dns.EDNS0_EDE{InfoCode: 16}}
		case strings.HasPrefix(name, "empty."):
			said = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 16, ExtraText: "a court's order"}}
		}
		if r.Rcode == dns.RcodeSuccess && !strings.HasPrefix(name, "empty.") {
			r.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: address}}
		} else {
			r.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl}, Ns: "ns.example.org.", Mbox: "hostmaster.example.org.", Minttl: ttl}}
		}
		if m.IsEdns0() != nil {
			r.SetEdns0(1232, false)
			r.IsEdns0().Option = append(said, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0102030405060708"})
		}
		_ = w.WriteMsg(r)
	})
}

func TestWhatIsSaidOfAnAnswerComesThroughCache(t *testing.T) {
	logs := server.Capture(t)
	u := said(t, filtering(300))
	s := server.Start(t, here("ede {\n answers keep\n text full\n page 127.0.0.1:0\n }", "cache", "forward . "+u.Addr()))
	stock := server.Start(t, here("cache", "forward . "+u.Addr()))
	before := counted(t, "coredns_ede_remarked_answers_total", "info_code", "15")
	from := "from " + u.Addr()
	for name, want := range map[string]string{
		"blocked.example.org.": "15 " + from + ": BLOCKED (ads: list)",
		"none.example.org.":    "17 " + from + ": by request; 16 " + from,
		"empty.example.org.":   "16 " + from + ": a court's order",
		"www.example.org.":     "",
	} {
		// The first answer is that of a miss, those after it come from cache.
		for i := range 3 {
			got := server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
			if edes(got) != want {
				t.Errorf("%s, answer %d: %q, want %q", name, i, edes(got), want)
			}
			if opt := got.IsEdns0(); opt == nil || len(opt.Option) != len(server.ExtendedErrors(got)) {
				t.Errorf("%s: something else of the upstream's OPT is left: %v", name, opt)
			}
		}
		// Whoever shows no interest, or has no OPT, gets what stock gives.
		for kind, options := range map[string][]server.Option{"without OPT": nil, "without interest": {server.EDNS(), server.Uninterested()}} {
			got, plain := server.Ask(t, s.UDP(), name, dns.TypeA, options...), server.Ask(t, stock.UDP(), name, dns.TypeA, options...)
			got.Id = plain.Id
			for _, m := range []*dns.Msg{got, plain} {
				for _, rr := range append(m.Answer, m.Ns...) {
					rr.Header().Ttl = 0
				}
			}
			if a, b := got.String(), plain.String(); a != b {
				t.Errorf("%s, %s: %s, stock %s", name, kind, a, b)
			}
		}
		// With DO and with CD cache has answers of their own.
		if got := edes(server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS(), server.DO())); got != want {
			t.Errorf("%s with DO: %q, want %q", name, got, want)
		}
	}
	if n := counted(t, "coredns_ede_remarked_answers_total", "info_code", "15") - before; n != 6 {
		t.Errorf("coredns_ede_remarked_answers_total counts %v answers with 15, want 6", n)
	}
	if lines := logs.Matching("plugin/ede: answer"); len(lines) != 0 {
		t.Errorf("answers are logged: %q", lines)
	}
	_, address, _ := strings.Cut(logs.WaitFor(t, "page at http://", patience), "page at ")
	response, err := http.Get(address + "incidents.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct {
		Remarked []struct {
			Name  string
			Count uint64
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil || len(page.Remarked) != 4 || page.Remarked[0].Count != 6 {
		t.Errorf("the page has %+v, %v", page, err)
	}
}

func TestAnswersAreLeftAsTheyAreUnlessTheyAreToBeKept(t *testing.T) {
	logs := server.Capture(t)
	u := said(t, filtering(300))
	const name = "blocked.example.org."
	for directive, want := range map[string]string{
		"ede": "", "ede {\n answers drop\n }": "", "ede {\n answers keep\n shadow\n }": "", "ede {\n answers keep\n except example.org\n }": "",
		"ede {\n answers keep\n upstream drop\n }": "", "ede {\n answers keep\n text none\n }": "15",
		"ede {\n answers keep log\n }": "15 from upstream: BLOCKED (ads: list)",
	} {
		s := server.Start(t, here(directive, "cache", "forward . "+u.Addr()))
		for range 2 {
			if got := edes(server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())); got != want {
				t.Errorf("%s: %q, want %q", directive, got, want)
			}
		}
	}
	line := logs.WaitFor(t, "plugin/ede: answer ede=15 ", patience)
	if !strings.Contains(line, "qname="+name) || !strings.Contains(line, "BLOCKED (ads: list)") {
		t.Errorf("%s", line)
	}
}

// What cache has forgotten, or has anew without a remark, is remarked on no more.
func TestARemarkEndsWithItsAnswer(t *testing.T) {
	server.Capture(t)
	u := said(t, filtering(300))
	s := server.Start(t, here("ede {\n answers keep\n }", "cache {\n success 100 1 1\n denial 100 1 1\n }", "forward . "+u.Addr()))
	if got := edes(server.Ask(t, s.UDP(), "blocked.example.org.", dns.TypeA, server.EDNS())); got == "" {
		t.Fatal("no remark")
	}
	u.Handle(upstream.Answer())
	wait(t, func() bool {
		m := server.Ask(t, s.UDP(), "blocked.example.org.", dns.TypeA, server.EDNS())
		if len(m.Answer) == 1 && m.Answer[0].(*dns.A).A.String() == upstream.Address {
			if got := edes(m); got != "" {
				t.Errorf("the new answer has %s", got)
			}
			return true
		}
		return false
	})
}

// An answer beyond its TTL has 3, or 19, of ede's own: with TTL 0 it comes from
// cache, and cache is set to serve stale.
func TestAStaleAnswerIsCalledSo(t *testing.T) {
	server.Capture(t)
	u := said(t, filtering(1))
	corefile := func(stale string) string {
		return here("ede {\n answers keep\n }", "cache {\n success 100 1 1\n denial 100 1 1\n "+stale+"\n }", "forward . "+u.Addr()+" {\n max_fails 0\n }")
	}
	s := server.Start(t, corefile("serve_stale 1h"))
	for _, name := range []string{"www.example.org.", "none.example.org.", "blocked.example.org."} {
		if got := edes(server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())); strings.Contains(got, "beyond its TTL") {
			t.Errorf("%s is called stale: %s", name, got)
		}
	}
	u.Handle(upstream.Silent())
	for name, want := range map[string]string{
		"www.example.org.":     "3 the cache gives it beyond its TTL",
		"none.example.org.":    "17 from upstream: by request; 16 from upstream; 19 the cache gives it beyond its TTL",
		"blocked.example.org.": "15 from upstream: BLOCKED (ads: list); 3 the cache gives it beyond its TTL",
	} {
		wait(t, func() bool {
			m := server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
			for _, rr := range append(m.Answer, m.Ns...) {
				if rr.Header().Ttl != 0 {
					return false
				}
			}
			if got := edes(m); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
			return true
		})
	}
	// An answer of the upstream with TTL 0 is not stale.
	u.Handle(filtering(0))
	zero := server.Start(t, here("ede {\n answers keep\n }", "cache {\n success 100 1 0\n serve_stale 1h\n }", "forward . "+u.Addr()))
	for range 3 {
		if m := server.Ask(t, zero.UDP(), "www.example.org.", dns.TypeA, server.EDNS()); edes(m) != "" {
			t.Errorf("TTL 0 from the upstream is called stale: %s", edes(m))
		}
	}
}

// addresses answers with n addresses, which live ttl seconds, and says what is said.
func addresses(n int, ttl uint32, said ...dns.EDNS0) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		for i := range n {
			r.Answer = append(r.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: []byte{192, 0, 2, byte(i)},
			})
		}
		r.SetEdns0(1232, false)
		r.IsEdns0().Option = said
		r.Compress = true
		_ = w.WriteMsg(r)
	})
}

// cache may hold a denial and, for when it is to be preferred, an answer from before it.
// What is said of the one is not said of the other.
func TestARemarkOnADenialDoesNotGoWithTheAnswerFromBeforeIt(t *testing.T) {
	server.Capture(t)
	const name, stale = "empty.example.org.", "3 the cache gives it beyond its TTL"
	u := said(t, addresses(1, 1))
	s := server.Start(t, here("ede {\n answers keep\n }", `cache {
		success 100 1 1
		denial 100 3600 3600
		serve_stale 1h
		serve_stale_policy prefer_positive
	}`, "forward . "+u.Addr()))
	server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
	asked := u.QueriesFor(name)
	u.Handle(filtering(300))
	u.Await(t, name, asked, patience)
	denied := false
	wait(t, func() bool {
		m := server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
		if len(m.Answer) == 0 {
			t.Fatalf("want the answer from before, got %s", m)
		}
		if got := edes(m); got != "" && got != stale {
			t.Fatalf("the answer from before has %s", got)
		}
		// One more than the query after which cache holds the denial.
		enough := denied
		denied = u.QueriesFor(name) > asked+1
		return enough
	})
}

// A remark makes no datagram so large that a path may lose it, and leaves room for what
// tsig adds afterwards.
func TestARemarkLeavesTheAnswerWhole(t *testing.T) {
	server.Capture(t)
	const name, key, secret = "blocked.example.org.", "key.example.org.", "c2VjcmV0LW9mLXRoZS10ZXN0"
	for _, tc := range []struct {
		addresses int
		size      uint16
		signed    bool
		remarked  bool
	}{
		{32, 1232, false, true},
		{32, 4096, false, true},
		{34, 4096, false, false},
		{60, 4096, false, false},
		{14, 1232, true, true},
		{30, 1232, true, false},
	} {
		u := said(t, addresses(tc.addresses, 300, &dns.EDNS0_EDE{InfoCode: 15, ExtraText: "BLOCKED (ads: list)"}))
		s := server.Start(t, here("ede {\n answers keep\n }", "tsig {\n secret "+key+" "+secret+"\n }", "cache", "forward . "+u.Addr()+" {\n force_tcp\n }"))
		client := dns.Client{TsigSecret: map[string]string{key: secret}, Timeout: patience}
		for range 2 {
			q := server.Message(name, dns.TypeA, server.BufferSize(tc.size))
			if tc.signed {
				q.SetTsig(key, dns.HmacSHA512, 300, time.Now().Unix())
			}
			m, _, err := client.Exchange(q, s.UDP())
			if err != nil {
				t.Fatal(err)
			}
			remark := edes(m)
			if len(m.Answer) != tc.addresses || m.Truncated || (remark != "") != tc.remarked {
				t.Errorf("%+v: %d octets, %d answers, TC %t, %q", tc, m.Len(), len(m.Answer), m.Truncated, remark)
			}
			if remark != "" && m.Len() > 1232 {
				t.Errorf("%+v: %d octets", tc, m.Len())
			}
		}
	}
}

// Real filters, and servers that give stale answers, behind cache.
func TestRealProgramsSayWhyThroughCache(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	server.Capture(t)
	origin := said(t, filtering(1))
	root := resolver.Root{Forward: origin.Addr()}
	file := write(t, "rpz", "$ORIGIN rpz.\n@ 300 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 300 IN NS ns\nads.example.org CNAME .\n")
	for name, test := range map[string]struct {
		program resolver.Resolver
		ask     string
		// says are the codes that the program says, "" if it gives none.
		says string
		// through is asked through CoreDNS, ask if empty: dnsmasq's cache drops what is said,
		// so that the second to ask is told nothing.
		through string
		// stale is true if they come when the origin is silent.
		stale bool
	}{
		"dnsdist passes a filter's":  {program: resolver.Dnsdist, ask: "blocked.example.org.", says: "15"},
		"dnsmasq passes a filter's":  {program: resolver.Dnsmasq, ask: "blocked.example.org.", through: "blocked.too.example.org.", says: "15"},
		"dnsmasq filters":            {program: resolver.Dnsmasq.With("filter-A"), ask: "www.example.org.", says: "17"},
		"dnsmasq answers by itself":  {program: resolver.Dnsmasq.With("address=/ads.example.org/0.0.0.0"), ask: "ads.example.org."},
		"Unbound serves expired":     {program: resolver.Unbound.With("  ede: yes\n  serve-expired: yes\n  ede-serve-expired: yes\n  domain-insecure: \"example.org\""), ask: "www.example.org.", says: "3", stale: true},
		"Unbound blocks a zone":      {program: resolver.Unbound.With("  ede: yes\n  local-zone: \"ads.example.org.\" always_nxdomain"), ask: "ads.example.org."},
		"Unbound's RPZ, one version": {program: resolver.Unbound.With("  ede: yes\n  module-config: \"respip validator iterator\"\nrpz:\n  name: rpz.\n  zonefile: " + file + "\nserver:"), ask: "ads.example.org."},
	} {
		t.Run(name, func(t *testing.T) {
			address := test.program.Start(t, root)
			ask := func() *dns.Msg {
				return server.Ask(t, address, test.ask, dns.TypeA, server.EDNS())
			}
			direct := ask()
			if test.stale {
				origin.Handle(upstream.Silent())
				defer origin.Handle(filtering(1))
				wait(t, func() bool { direct = ask(); return len(server.ExtendedErrors(direct)) > 0 })
			}
			t.Logf("%s says %s %q", test.program.Version(t), dns.RcodeToString[direct.Rcode], edes(direct))
			says := server.ExtendedErrors(direct)
			if test.says != "" && (len(says) == 0 || strconv.Itoa(int(says[0].InfoCode)) != test.says) {
				t.Errorf("it says %q, want %s: this test has lost its point", edes(direct), test.says)
			}
			s := server.Start(t, here("ede {\n answers keep\n }", "cache", "forward . "+address))
			for i := range 2 {
				got := server.ExtendedErrors(server.Ask(t, s.UDP(), cmp.Or(test.through, test.ask), dns.TypeA, server.EDNS()))
				if len(got) != len(says) || len(got) > 0 && got[0].InfoCode != says[0].InfoCode {
					t.Errorf("answer %d: %v of %v", i, got, says)
				}
			}
		})
	}
}
