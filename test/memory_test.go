package test_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const found = " (cached, found …Z)"

// steady is a cache that keeps failures for the whole of a test.
const steady = "cache 300 {\n servfail 5m\n }"

// hit asks name and expects a failure from cache with these EDEs.
func hit(t *testing.T, logs *server.Logs, addr, name, cause string, edes ...string) {
	t.Helper()
	m := query(name)
	expect(t, ask(t, fullClient, "udp", addr, m), "SERVFAIL", edes...)
	expectFields(t, failureOf(t, logs, m), line{"cause": cause, "cached": "true"})
}

func TestAFailureOutOfTheCacheKeepsItsCause(t *testing.T) {
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	said := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"), ede(22, "b"), ede(6, "c"))})
	mute := upstream.Start(t, silent(upstream.UDP))
	for _, tc := range []struct {
		name, to, wait, cause string
		first, again          []string
	}{
		{"unreachable", addr, patiently, "upstream_unreachable", []string{"23 " + addr + " refused the connection"}, []string{"23 " + addr + " refused the connection" + found}},
		{"timeout", mute.Addr(), soon, "upstream_timeout", []string{"23 no reply within …"}, []string{"23 no reply within …" + found}},
		{"said", said.Addr(), patiently, "upstream_ede", []string{"7 from " + said.Addr() + ": expired", "22 from " + said.Addr() + ": b"},
			[]string{"7 from " + said.Addr() + ": expired" + found, "22 from " + said.Addr() + ": b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := server.Start(t, here(".:0", levels, "rewrite name suffix .example.org .example.net", steady, forward(tc.to, tc.wait)))
			m := query("MiXed." + tc.name + ".example.org")
			expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", tc.first...)
			expectFields(t, failureOf(t, logs, m), line{"cached": "false"})
			for _, name := range []string{"mixed.", "MIXED."} {
				hit(t, logs, s.UDP(), name+tc.name+".example.org", tc.cause, tc.again...)
			}
			// The cache goes by the name that rewrite made.
			hit(t, logs, s.UDP(), "mixed."+tc.name+".example.net", tc.cause, tc.again...)
		})
	}
}

// Many names are aliases of one, as all those behind one load balancer.
func TestALookupInsideAQueryRemembersWhatItsTargetFailedWith(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: byType(dns.TypeAAAA, upstream.Answer(), upstream.Rcode(servfail, true, ede(7, "expired")))})
	zone := textFile(t, zoneText+"a 60 IN CNAME target.example.net.\nb 60 IN CNAME target.example.net.\nc 60 IN CNAME b\n")
	said := "7 from " + up.Addr() + ": expired"

	s := server.Start(t, here(".:0", levels, steady, "file "+zone+" example.org", forward(up.Addr())))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("a.example.org")), "SERVFAIL", said)
	for _, name := range []string{"b.example.org", "c.example.org"} {
		m := query(name)
		expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", said+found)
		expectFields(t, failureOf(t, logs, m), line{
			"cause": "cname_target_failed", "ede": "7", "cached": "false", "owner": "unknown", "upstream": up.Addr(), "at": "file",
		})
		hit(t, logs, s.UDP(), name, "cname_target_failed", said+found)
	}

	s = server.Start(t, here(".:0", levels, "dns64 {\n allow_ipv4\n }", steady, forward(up.Addr())))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("synthesized.example.net")), "SERVFAIL", said)
	m := server.Message("synthesized.example.net", dns.TypeAAAA, server.BufferSize(1232))
	expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", said+found)
	expectFields(t, failureOf(t, logs, m), line{"cause": "upstream_ede", "ede": "7"})
}

// byType answers questions for qtype with one handler and all others with another.
func byType(qtype uint16, with, others dns.Handler) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		if m.Question[0].Qtype == qtype {
			with.ServeDNS(w, m)
			return
		}
		others.ServeDNS(w, m)
	})
}

func TestTheCauseStandsAloneOutOfTheCache(t *testing.T) {
	server.Capture(t)
	s := server.Start(t, here(".:0", levels, steady, forward(upstream.Closed(t), patiently)))
	expect(t, ask(t, noneClient, "udp", s.UDP(), query("codes.example.org")), "SERVFAIL", "23")
	expect(t, ask(t, noneClient, "udp", s.UDP(), query("codes.example.org")), "SERVFAIL", "23")
	expect(t, ask(t, briefClient, "udp", s.UDP(), query("codes.example.org")), "SERVFAIL", "23 the upstream cannot be reached"+found)
}

// cache keys on DO and CD, and so has the memory to.
func TestTheCacheKeepsFailuresByDOAndCD(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "plain"))})
	s := server.Start(t, here(".:0", levels, steady, forward(up.Addr(), patiently)))
	for i, options := range [][]server.Option{nil, {server.DO()}, {server.CD()}, {server.DO(), server.CD()}} {
		text := string(rune('a' + i))
		up.Handle(upstream.Rcode(servfail, true, ede(7, text)))
		expect(t, ask(t, briefClient, "udp", s.UDP(), query("flags.example.org", options...)), "SERVFAIL", "7 from upstream: "+text)
	}
	for i, options := range [][]server.Option{nil, {server.DO()}, {server.CD()}, {server.DO(), server.CD()}} {
		m := query("flags.example.org", options...)
		r := ask(t, briefClient, "udp", s.UDP(), m)
		expect(t, r, "SERVFAIL", "7 from upstream: "+string(rune('a'+i))+found)
		if do := m.IsEdns0().Do(); r.IsEdns0().Do() != do {
			t.Errorf("DO is %v in the answer, want %v", !do, do)
		}
		expectFields(t, failureOf(t, logs, m), line{"cached": "true"})
	}
}

func TestACachedFailureWithoutMemorySaysSo(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
	s := server.Start(t, here(".:0", levels, steady, forward(up.Addr(), patiently)))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("forgotten.example.org")), "SERVFAIL", "7 from "+up.Addr()+": expired")
	// The name resolves for a question that cache keeps apart.
	up.Handle(upstream.Answer())
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("forgotten.example.org", server.DO())), "NOERROR")
	hit(t, logs, s.UDP(), "forgotten.example.org", "cached_failure", "13 cached failure, cause not known")
}

func TestWhatResolvesAgainIsForgotten(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Flap(upstream.Rcode(servfail, true, ede(7, "expired")), upstream.Answer())})
	s := server.Start(t, here(".:0", levels, "cache 300 {\n servfail 0s\n disable success\n }", forward(up.Addr(), patiently)))
	for range 3 {
		m := query("flapping.example.org")
		r := ask(t, fullClient, "udp", s.UDP(), m)
		if r.Rcode == dns.RcodeSuccess {
			continue
		}
		expect(t, r, "SERVFAIL", "7 from "+up.Addr()+": expired")
		expectFields(t, failureOf(t, logs, m), line{"cached": "false", "cause": "upstream_ede"})
	}
}

// cache begins empty after a reload. What is remembered shows in a reply that
// was cut on its way from the upstream and so lost its reason.
func TestTheMemoryOutlivesAReloadWhereTheBlockIsUnchanged(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Transport: upstream.UDP, Handler: upstream.Rcode(servfail, true, ede(7, strings.Repeat("long ", 200)))})
	kept := here("example.org:0", levels, forward(up.Addr(), patiently))
	changing := func(text string) string {
		return here("example.net:0", "ede {\n text "+text+"\n }", forward(up.Addr(), patiently))
	}
	s := server.Start(t, kept+changing("full"))
	udp := s.UDP()
	causeOf := func(name string, size uint16) string {
		t.Helper()
		m := query(name, server.BufferSize(size))
		ask(t, briefClient, "udp", udp, m)
		return failureOf(t, logs, m)["cause"]
	}
	for _, name := range []string{"memory.example.org", "memory.example.net"} {
		if got := causeOf(name, 4096); got != "upstream_ede" {
			t.Fatalf("%s: cause is %s", name, got)
		}
		if got := causeOf(name, 512); got != "upstream_ede" {
			t.Errorf("%s: cause is %s before the reload", name, got)
		}
	}
	for _, text := range []string{"brief", "none"} {
		if err := s.Reload(kept + changing(text)); err != nil {
			t.Fatal(err)
		}
		if got := causeOf("memory.example.org", 512); got != "upstream_ede" {
			t.Errorf("the cause in the block that is unchanged is %s", got)
		}
		if got := causeOf("memory.example.net", 512); got != "upstream_servfail" {
			t.Errorf("the cause in the block that changed is %s", got)
		}
	}
}

func TestBlocksRememberApart(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
	s := server.Start(t, here(".:0", "view full {\n expr incidr(client_ip(), '"+fullClient+"/32')\n }", "ede {\n text full\n }", steady, forward(up.Addr(), patiently))+
		here(".:0", "ede", steady, forward(upstream.Closed(t), patiently)))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("apart.example.org")), "SERVFAIL", "7 from "+up.Addr()+": expired")
	expect(t, ask(t, briefClient, "udp", s.UDP(), query("apart.example.org")), "SERVFAIL", "23 the upstream cannot be reached")
	hit(t, logs, s.UDP(), "apart.example.org", "upstream_ede", "7 from "+up.Addr()+": expired"+found)
	expect(t, ask(t, briefClient, "udp", s.UDP(), query("apart.example.org")), "SERVFAIL", "23 the upstream cannot be reached"+found)
}

// A failure that only cache's own refresh has seen is what cache answers with
// later, and has its cause then.
func TestARefreshOfTheCacheFillsTheMemory(t *testing.T) {
	logs := server.Capture(t)
	// The entry lives for five seconds, and is fetched anew after half of one.
	up := upstream.Start(t, upstream.Config{Handler: livingFor(5)})
	s := server.Start(t, here(".:0", levels, "cache 300 {\n servfail 5m\n prefetch 1 1m 90%\n }", forward(up.Addr(), patiently)))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("prefetched.example.org")), "NOERROR")
	up.Handle(upstream.Rcode(servfail, true, ede(7, "expired since")))
	for tries := range 100 {
		m := query("prefetched.example.org")
		r := ask(t, fullClient, "udp", s.UDP(), m)
		if r.Rcode == dns.RcodeSuccess {
			continue
		}
		expect(t, r, "SERVFAIL", "7 from "+up.Addr()+": expired since"+found)
		expectFields(t, failureOf(t, logs, m), line{"cached": "true", "cause": "upstream_ede"})
		if tries == 0 {
			t.Error("the failure was no prefetch's")
		}
		return
	}
	t.Error("the entry never expires")
}

func TestStaleAnswersAreNoFailures(t *testing.T) {
	for _, policy := range []string{"immediate", "verify", "verify 50ms"} {
		t.Run(policy, func(t *testing.T) {
			logs := server.Capture(t)
			up := upstream.Start(t, upstream.Config{Handler: livingFor(1)})
			s := server.Start(t, here(".:0", levels, "cache 1 {\n servfail 5m\n serve_stale 1h "+policy+"\n }", forward(up.Addr(), patiently)))
			addr := s.UDP()
			expect(t, ask(t, fullClient, "udp", addr, query("stale.example.org")), "NOERROR")
			up.Handle(upstream.Rcode(servfail, true, ede(7, "expired since")))
			before := up.Queries()
			stale := false
			for range 60 {
				r := ask(t, fullClient, "udp", addr, query("stale.example.org"))
				if r.Rcode == dns.RcodeServerFailure {
					// The refresh's failure took the place of the entry.
					if got := errorsOf(r); len(got) == 0 || got[0] != "7 from "+up.Addr()+": expired since" {
						t.Errorf("answer says %q, want the upstream's reason first", got)
					}
				}
				if stale = up.Queries() > before; stale {
					break
				}
			}
			if !stale {
				t.Fatal("the cache does not refresh")
			}
			r := ask(t, fullClient, "udp", addr, query("stale.example.org"))
			if r.Rcode == dns.RcodeSuccess && len(errorsOf(r)) != 0 {
				t.Errorf("a stale answer carries %q", errorsOf(r))
			}
			for _, text := range logs.Matching("qname=stale") {
				_, l, err := parseLine(text)
				if err != nil {
					t.Fatal(err)
				}
				if l["rcode"] == "SERVFAIL" && l["cause"] != "upstream_ede" {
					t.Errorf("cause is %q, want upstream_ede", l["cause"])
				}
			}
		})
	}
}

// livingFor answers with a record that lives for so many seconds.
func livingFor(seconds int) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.Answer = []dns.RR{record(fmt.Sprintf("%s %d IN A 192.0.2.1", m.Question[0].Name, seconds))}
		_ = w.WriteMsg(r)
	})
}

// A failure that cache does not keep says nothing of the failure that it goes on to answer with:
// it keeps no REFUSED, nothing that came without a message, and in place of a stale answer only a
// good one, but with prefer_positive.
func TestARefreshThatCacheDoesNotKeepLeavesTheCauseOfWhatIsCached(t *testing.T) {
	logs := server.Capture(t)
	const prefetching = "cache 300 {\n servfail 20s\n prefetch 1 1m 90%\n }"
	stale := func(more string) string {
		return "cache 300 {\n servfail 1s\n serve_stale 1h immediate" + more + "\n }"
	}
	other := upstream.Rcode(servfail, true, ede(9, "another one"))
	for _, tc := range []struct {
		name, plugins string
		then          dns.Handler
		// kept is true if the failure of the refresh takes the place of the one before.
		kept bool
	}{
		{"refused", prefetching, upstream.Rcode(refused, true, ede(18, "not now")), false},
		{"silent", prefetching, upstream.Silent(), false},
		{"hung up", prefetching, upstream.HangUp(), false},
		{"fails", prefetching, other, true},
		{"truncated", prefetching, truncatedFailure(), false},
		{"malformed", prefetching, upstream.Rcode(dns.RcodeFormatError, true), false},
		{"denied without SOA", prefetching, upstream.Rcode(dns.RcodeNameError, true), false},
		{"stale truncated prefer_positive", stale("\n serve_stale_policy prefer_positive"), truncatedFailure(), false},
		{"fails below header", prefetching + "\nheader {\n response set aa\n }", other, true},
		{"stale refused", stale(""), upstream.Rcode(refused, true, ede(18, "not now")), false},
		{"stale silent", stale(""), upstream.Silent(), false},
		{"stale fails", stale(""), other, false},
		{"stale fails below header", stale("") + "\nheader {\n response set aa\n }", other, false},
		{"stale fails prefer_positive", stale("\n serve_stale_policy prefer_positive"), other, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
			s := server.Start(t, here(".:0", levels, tc.plugins, forward(up.Addr(), soon)))
			name := strings.ReplaceAll(tc.name, " ", "-") + ".refresh.example.org"
			before := "7 from " + up.Addr() + ": expired"
			after := "9 from " + up.Addr() + ": another one"
			expect(t, ask(t, fullClient, "udp", s.UDP(), query(name)), "SERVFAIL", before)
			up.Handle(tc.then)
			refreshed, hits := time.Time{}, 0
			for tries := 0; tries < 200 && hits < 5; tries++ {
				m := query(name)
				r := ask(t, fullClient, "udp", s.UDP(), m)
				if r.Rcode == refused {
					break // the entry is over
				}
				said := errorsOf(r)
				if failureOf(t, logs, m)["cached"] != "true" {
					break // the entry is over
				}
				switch {
				case up.QueriesFor(name) < 2:
					expect(t, r, "SERVFAIL", before+found)
					time.Sleep(50 * time.Millisecond)
				case refreshed.IsZero():
					refreshed = time.Now()
				case time.Since(refreshed) < 3*time.Second/2:
					// It is under way.
					time.Sleep(50 * time.Millisecond)
				default:
					hits++
					want := before + found
					if tc.kept {
						want = after + found
					}
					if expect(t, r, "SERVFAIL", want); len(said) == 0 {
						t.Fatal("no reason")
					}
				}
			}
			if hits == 0 {
				t.Error("no answer from cache after a refresh that failed")
			}
		})
	}
}

// truncatedFailure answers SERVFAIL with TC, which cache does not keep.
func truncatedFailure() dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, servfail)
		r.Truncated = true
		_ = w.WriteMsg(r)
	})
}

// With serve_stale verify cache asks first. What it gets may be no better than what it has: then
// it answers with that, whose cause is another one.
func TestAStaleFailureKeepsItsCauseWhateverItsVerificationGets(t *testing.T) {
	logs := server.Capture(t)
	for name, then := range map[string]dns.Handler{
		"the-same":  upstream.Rcode(servfail, true, ede(7, "expired")),
		"another":   upstream.Rcode(servfail, true, ede(9, "another one")),
		"bare":      upstream.Rcode(servfail, true),
		"refused":   upstream.Rcode(refused, true, ede(18, "not now")),
		"malformed": upstream.Rcode(dns.RcodeFormatError, true),
		"silent":    upstream.Silent(),
		"truncated": truncatedFailure(),
	} {
		for policy, option := range map[string]string{"verify": "verify", "recheck": "verify 0 30s 1m"} {
			t.Run(policy+" "+name, func(t *testing.T) {
				t.Parallel()
				up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"))})
				s := server.Start(t, here(".:0", levels, "cache 300 {\n servfail 1s\n serve_stale 1h "+option+"\n }", forward(up.Addr(), soon)))
				name := name + "." + policy + ".example.org"
				said := "7 from " + up.Addr() + ": expired"
				expect(t, ask(t, fullClient, "udp", s.UDP(), query(name)), "SERVFAIL", said)
				up.Handle(then)
				time.Sleep(1100 * time.Millisecond)
				for range 2 {
					m := query(name)
					expect(t, ask(t, fullClient, "udp", s.UDP(), m), "SERVFAIL", said+found)
					expectFields(t, failureOf(t, logs, m), line{"cached": "true", "cause": "upstream_ede", "ede": "7"})
				}
				if up.QueriesFor(name) < 2 {
					t.Error("nothing was verified")
				}
			})
		}
	}
}

// An rcode like FORMERR does not say that the name resolves, nor does an answer that cache does
// not keep, if it goes on to answer with the failure.
func TestAFailureOfAnotherKindIsNoRecovery(t *testing.T) {
	server.Capture(t)
	for _, rcode := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented} {
		for _, plugins := range []string{"", "cache {\n servfail 0s\n }", "cache {\n servfail 0s\n serve_stale 1h verify\n }"} {
			t.Run(dns.RcodeToString[rcode]+" "+plugins, func(t *testing.T) {
				up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
				s := server.Start(t, here(".:0", whyLevels, plugins, forward(up.Addr(), patiently)))
				for _, answer := range []int{servfail, rcode} {
					up.Handle(upstream.Rcode(answer, true))
					if r := ask(t, fullClient, "udp", s.UDP(), query("www.example.org")); r.Rcode != answer {
						t.Fatalf("the answer is %s, want %s", dns.RcodeToString[r.Rcode], dns.RcodeToString[answer])
					}
				}
				remembers(t, s.UDP(), "www.example.org", "TIME HOST upstream_servfail .* x1")
				up.Handle(upstream.Answer())
				ask(t, fullClient, "udp", s.UDP(), query("www.example.org"))
				remembers(t, s.UDP(), "www.example.org", "TIME HOST upstream_servfail .*, ok since TIME")
			})
		}
	}
}

// A stale answer is older than the failure that it is given for. To cache, a query with DO is
// another one.
func TestAStaleAnswerIsNoRecovery(t *testing.T) {
	server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: livingFor(1)})
	s := server.Start(t, here(".:0", whyLevels, "cache {\n success 100 1 1\n servfail 0s\n serve_stale 1h verify\n }", forward(up.Addr(), patiently)))
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("www.example.org")), "NOERROR")
	up.Handle(upstream.Rcode(servfail, true))
	time.Sleep(1100 * time.Millisecond)
	secure := query("www.example.org")
	secure.IsEdns0().SetDo()
	if r := ask(t, fullClient, "udp", s.UDP(), secure); r.Rcode != servfail {
		t.Fatalf("the answer is %s", dns.RcodeToString[r.Rcode])
	}
	expect(t, ask(t, fullClient, "udp", s.UDP(), query("www.example.org")), "NOERROR")
	if n := up.QueriesFor("www.example.org"); n != 3 {
		t.Fatalf("the upstream was asked %d times", n)
	}
	remembers(t, s.UDP(), "www.example.org", "TIME HOST upstream_servfail .* x1")
}
