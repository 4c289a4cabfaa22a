package reach_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const (
	keyName   = "k.example."
	keySecret = "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="
)

// fence asks for another name and waits for its reason: what came to be asked again before
// it was asked before it.
func fence(t *testing.T, logs *server.Logs, addr, name string) {
	t.Helper()
	server.Ask(t, addr, name, dns.TypeA)
	reasonOf(t, logs, name)
}

func TestWhoIsNotAskedAgain(t *testing.T) {
	logs := server.Capture(t)
	const name = "not.example.org."
	plain := func(change func(*dns.Msg)) *dns.Msg {
		m := server.Message(name, dns.TypeA)
		change(m)
		return m
	}
	for title, test := range map[string]struct {
		query *dns.Msg
		lines string // of a block for example.org
		rest  string // of the block
	}{
		"a client that sent an OPT itself": {query: server.Message(name, dns.TypeA, server.BufferSize(1232)), lines: "ede"},
		"a query with TSIG":                {query: plain(func(m *dns.Msg) { m.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix()) }), lines: "ede", rest: "tsig {\n secret " + keyName + " " + keySecret + "\n }"},
		"a query with SIG(0)": {query: plain(func(m *dns.Msg) {
			m.Extra = append(m.Extra, &dns.SIG{RRSIG: dns.RRSIG{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSIG, Class: dns.ClassANY}, Algorithm: dns.ED25519, SignerName: keyName, Signature: "AAAA"}})
		}), lines: "ede"},
		"another opcode":             {query: plain(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), lines: "ede"},
		"a block where it is off":    {query: plain(func(*dns.Msg) {}), lines: "ede {\n ask_again off\n }"},
		"a zone that is excepted":    {query: plain(func(*dns.Msg) {}), lines: "ede {\n except example.org\n }"},
		"a zone that is not covered": {query: plain(func(*dns.Msg) {}), lines: "ede example.com"},
	} {
		t.Run(title, func(t *testing.T) {
			u := said(t, upstream.Rcode(servfail, true, ede(9, "no key")))
			s := server.Start(t, strings.Replace(here(test.lines, test.rest, "forward . "+u.Addr()), ".:0", "example.org:0", 1)+here("ede", "forward . "+u.Addr()))
			c := &dns.Client{Timeout: patience, TsigSecret: map[string]string{keyName: keySecret}}
			if _, _, err := c.Exchange(test.query, s.UDP("example.org.")); err != nil {
				t.Fatal(err)
			}
			before := len(withOPT(u, name))
			fence(t, logs, s.UDP("."), strings.NewReplacer(" ", "-", "(", "", ")", "").Replace(title)+".example.net.")
			if n := len(withOPT(u, name)); n != before {
				t.Errorf("asked again %d times", n-before)
			}
		})
	}
}

// In shadow everything is recorded, and nothing attached.
func TestInShadowTheReasonIsRecordedAlone(t *testing.T) {
	logs := server.Capture(t)
	u := said(t, upstream.Rcode(servfail, true, ede(9, "no key")))
	s := server.Start(t, here("ede {\n shadow\n }", steady, "forward . "+u.Addr()))
	server.Ask(t, s.UDP(), "shadow.example.org.", dns.TypeA)
	reasonOf(t, logs, "shadow.example.org.")
	if got := edes(server.Ask(t, s.UDP(), "shadow.example.org.", dns.TypeA, server.EDNS())); got != "" {
		t.Errorf("a reason is attached: %s", got)
	}
}

// A forward that has as many queries under way as it may have is not asked.
func TestAFullForwardIsLeftAlone(t *testing.T) {
	logs := server.Capture(t)
	release := make(chan struct{})
	freed := sync.OnceFunc(func() { close(release) })
	defer freed()
	u := said(t, dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if strings.HasPrefix(m.Question[0].Name, "slow") {
			<-release
		}
		upstream.Rcode(servfail, true, ede(9, "no key")).ServeDNS(w, m)
	}))
	s := server.Start(t, here("ede", "forward . "+u.Addr()+" {\n max_concurrent 2\n max_fails 0\n }"))
	var slow sync.WaitGroup
	defer slow.Wait()
	defer freed()
	ask := func(name string) {
		slow.Go(func() { _, _ = server.Exchange(s.UDP(), "udp", server.Message(name, dns.TypeA), patience) })
		u.Await(t, name, 1, patience)
	}
	ask("slow1.example.org.")
	full := counted(t, "coredns_ede_asked_again_total", "result", "max_concurrent")
	// This one takes the last place, fails, and is asked again when another slow one has
	// taken its place: ask until that was so once.
	for i := 0; counted(t, "coredns_ede_asked_again_total", "result", "max_concurrent") == full; i++ {
		if i == 50 {
			t.Fatal("a full forward is never met")
		}
		name := "full" + strings.Repeat("x", i) + ".example.org."
		server.Ask(t, s.UDP(), name, dns.TypeA)
		ask("slow2" + strings.Repeat("x", i) + ".example.org.")
		wait(t, func() bool {
			return len(withOPT(u, name)) > 0 || counted(t, "coredns_ede_asked_again_total", "result", "max_concurrent") > full
		})
		if len(withOPT(u, name)) > 0 {
			reasonOf(t, logs, name)
			break
		}
	}
	freed()
	slow.Wait()
	fence(t, logs, s.UDP(), "fence.example.net.")
}

// With diagnose one of the two asks: a question that is being diagnosed was asked with an
// OPT record already.
func TestADiagnosisTakesThePlace(t *testing.T) {
	logs := server.Capture(t)
	u := said(t, upstream.Rcode(servfail, true, ede(15, "blocked")))
	before := counted(t, "coredns_ede_asked_again_total", "result", "reason")
	s := server.Start(t, here("ede {\n diagnose {\n rate 1 1\n }\n }", "forward . "+u.Addr()))
	server.Ask(t, s.UDP(), "diagnosed.example.org.", dns.TypeA)
	logs.WaitFor(t, "plugin/ede: diagnosis cause=upstream_ede", patience)
	server.Ask(t, s.UDP(), "diagnosed.example.org.", dns.TypeA)
	if n := counted(t, "coredns_ede_asked_again_total", "result", "reason"); n != before {
		t.Errorf("asked again in spite of a diagnosis")
	}
	// What the budget of diagnose has no room for is asked again.
	wait(t, func() bool {
		server.Ask(t, s.UDP(), "other.example.org.", dns.TypeA)
		server.Ask(t, s.UDP(), "another.example.org.", dns.TypeA)
		return counted(t, "coredns_ede_asked_again_total", "result", "reason") > before
	})
}

func TestAReloadKeepsWhatWasHeardAndAnEndWaitsForNothing(t *testing.T) {
	leak.Check(t)
	logs := server.Capture(t)
	u := said(t, upstream.Rcode(servfail, true, ede(9, "no key")))
	corefile := here("ede", "forward . "+u.Addr()+" {\n max_fails 0\n }")
	s := server.Start(t, corefile)
	const name = "reload.example.org."
	server.Ask(t, s.UDP(), name, dns.TypeA)
	reasonOf(t, logs, name)
	if err := s.Reload(corefile + "# changed\n"); err != nil {
		t.Fatal(err)
	}
	server.Ask(t, s.UDP(), name, dns.TypeA)
	fence(t, logs, s.UDP(), "fence.example.net.")
	if n := len(withOPT(u, name)); n != 1 {
		t.Errorf("asked again %d times, want once", n)
	}
	wait(t, func() bool { return len(logs.Matching("rcode=SERVFAIL cause=upstream_ede ede=9")) > 0 })
	// An upstream that swallows the OPT record holds no end up; leak.Check looks for
	// what would be left.
	u.Handle(dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.IsEdns0() == nil {
			upstream.Rcode(servfail, true).ServeDNS(w, m)
		}
	}))
	server.Ask(t, s.UDP(), "hangs.example.org.", dns.TypeA)
	wait(t, func() bool { return len(withOPT(u, "hangs.example.org.")) == 1 })
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
