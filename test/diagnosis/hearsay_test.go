package diagnosis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// What an upstream says of a zone, without diagnosis: one word convicts nobody, and the
// same of unrelated zones, where nothing else is answered, is of the upstream itself.
func TestTheWordOfAnUpstreamIsHeldAgainstWhatElseItSays(t *testing.T) {
	const nobody, itself = " owner=unknown ", " owner=upstream "
	good := upstream.Answer()
	many := []string{"www.example.org.", "www.example.com.", "www.example.net.", "www.example.edu.", "www.example.info."}
	// owners are those of many: the last one convicts.
	owners := func(before, last string) []string { return []string{before, before, before, before, last} }
	for _, tc := range []struct {
		name  string
		code  uint16
		fails func(dns.ResponseWriter, *dns.Msg) bool
		asked []string
		// owners are those of the failures, "" of what is answered.
		owners []string
		text   string
	}{
		{"one zone", 22, asks("."), []string{"www.example.org.", "mail.example.org."}, []string{nobody, nobody}, ""},
		{"two broken zones on a quiet server", 22, asks("."), []string{"www.example.org.", "www.example.com."},
			[]string{nobody, nobody}, "it says the same about 2 unrelated zones\""},
		{"unrelated zones, and nothing else is answered", 22, asks("."), many, owners(nobody, itself), "it says the same about 5 unrelated zones, and answers nothing else meanwhile"},
		{"signatures of unrelated zones, and nothing else is answered", 9, asks("."), many, owners(nobody, itself), "it says the same about 5 unrelated zones, and answers nothing else meanwhile"},
		{"unrelated zones, and others are answered", 6, not(asks("example.net.")), []string{"www.example.org.", "www.example.net.", "www.example.com."},
			[]string{nobody, "", nobody}, "it says the same about 2 unrelated zones\""},
		{"the root, and unrelated zones", 23, asks("."), []string{".", many[0], many[1], many[2]}, []string{nobody, nobody, nobody, itself},
			"it says the same about 3 unrelated zones and about the root, and answers nothing else meanwhile"},
		{"the root alone", 23, asks("."), []string{".", many[0]}, []string{nobody, nobody}, ""},
		{"a top-level domain, and others are answered", 22, not(asks("example.net.")), []string{"org.", "www.example.net.", many[0], many[1], many[3]},
			[]string{nobody, "", nobody, nobody, nobody}, "it says the same about 3 unrelated zones and about org.\""},
		{"a name of a single label", 22, asks("."), []string{"db.", "www.db."}, []string{nobody, nobody}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			says := servfail(dns.EDNS0_EDE{InfoCode: tc.code, ExtraText: "so it is"})
			u := upstream.Start(t, upstream.Config{Handler: when(tc.fails, says, good)})
			logs := server.Capture(t)
			s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede\n forward . %s\n}", u.Addr()))
			line := ""
			for i, name := range tc.asked {
				reply := server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
				if tc.owners[i] == "" {
					continue
				}
				line = logs.WaitFor(t, "qname="+name+" ", patience)
				if tc.owners[i] == itself {
					// Nothing else has to be answered for ten seconds.
					for deadline := time.Now().Add(patience); !strings.Contains(texts(reply), "nothing else meanwhile") && time.Now().Before(deadline); {
						<-time.After(200 * time.Millisecond)
						reply = server.Ask(t, s.UDP(), name, dns.TypeA, server.EDNS())
					}
					line = logs.WaitForFunc(t, func(line string) bool {
						return strings.Contains(line, "qname="+name+" ") && strings.Contains(line, "nothing else meanwhile")
					}, patience)
				}
				if !strings.Contains(line, tc.owners[i]) {
					t.Errorf("%s: want%s: %s", name, tc.owners[i], line)
				}
				convicted := tc.owners[i] == itself
				named := strings.Contains(line, "tell the zone's owner") || strings.Contains(line, "+trace")
				// The first line of an incident has advice.
				if strings.Contains(line, " advice=") && named == convicted {
					t.Errorf("%s: the advice does not fit%s: %s", name, tc.owners[i], line)
				}
				if codes := codesOf(reply); len(codes) != 1 || codes[0] != tc.code {
					t.Errorf("%s: got %s", name, texts(reply))
				}
				if got := texts(reply); convicted && !strings.Contains(got, "it says the same about ") {
					t.Errorf("%s: the client is told %s", name, got)
				}
			}
			if !strings.Contains(line, tc.text) || tc.text == "" && strings.Contains(line, "it says the same") {
				t.Errorf("want %q: %s", tc.text, line)
			}
		})
	}
}

// With diagnosis: what an upstream cannot reach is of the zone once it reaches a name
// next to it that is in no cache.
func TestWhatAnUpstreamCannotReachIsOfTheZoneOnlyIfItReachesOthers(t *testing.T) {
	says := servfail(dns.EDNS0_EDE{InfoCode: 22, ExtraText: "so it is"})
	for name, tc := range map[string]struct {
		handler      dns.Handler
		owner, cause string
	}{
		"it answers others":                    {when(asks("example.org."), says, nxdomain()), "zone", "upstream_ede"},
		"it has the root alone, in its cache":  {when(asks(".", dns.TypeDNSKEY), upstream.Answer(), says), "unknown", "upstream_ede"},
		"it fails the root too":                {says, "upstream", "upstream_resolves_nothing"},
		"it does not reply to what is made up": {when(asks("example.org."), says, when(asks(".", dns.TypeDNSKEY), upstream.Answer(), upstream.Silent())), "unknown", "upstream_ede"},
	} {
		t.Run(name, func(t *testing.T) {
			u := upstream.Start(t, upstream.Config{Handler: tc.handler})
			logs := server.Capture(t)
			s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n diagnose\n }\n forward . %s\n}", u.Addr()))
			server.Ask(t, s.UDP(), example, dns.TypeA, server.EDNS())
			found := logs.WaitFor(t, "qname="+example+" qtype=A queries=", patience)
			if !strings.Contains(found, " owner="+tc.owner+" ") || !strings.Contains(found, "cause="+tc.cause+" ") || strings.Contains(found, "With diagnose") {
				t.Errorf("want owner=%s cause=%s: %s", tc.owner, tc.cause, found)
			}
			// The next answer says so.
			m := server.Message(example, dns.TypeA, server.EDNS())
			server.Query(t, s.UDP(), "udp", m)
			next := logs.WaitFor(t, fmt.Sprintf(" id=%d ", m.Id), patience)
			if !strings.Contains(next, " owner="+tc.owner+" ") {
				t.Errorf("want owner=%s: %s", tc.owner, next)
			}
		})
	}
}

// What was seen of an upstream that answers nothing is in the words of the next name as
// well, which is not diagnosed.
func TestWhatIsSeenOfASilentUpstreamReachesTheNextName(t *testing.T) {
	u := upstream.Start(t, upstream.Config{Handler: upstream.Silent()})
	logs := server.Capture(t)
	s := server.Start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede {\n diagnose\n }\n forward . %s\n}", u.Addr()))
	const seen = "the upstream does not answer for the root in time either, over UDP and TCP (found "
	server.Query(t, s.UDP(), "udp", server.Message(example, dns.TypeA, server.EDNS()))
	if line := logs.WaitFor(t, "plugin/ede: diagnosis ", patience); strings.Contains(line, "owner=zone") || !strings.Contains(line, "cause=upstream_timeout") {
		t.Errorf("a silent upstream convicts: %s", line)
	}
	reply := server.Query(t, s.UDP(), "udp", server.Message("www.example.net.", dns.TypeA, server.EDNS()))
	if got := texts(reply); !strings.HasPrefix(got, "23 ") || !strings.Contains(got, seen) {
		t.Errorf("the client is told %s", got)
	}
	line := logs.WaitFor(t, "qname=www.example.net. ", patience)
	if !strings.Contains(line, "cause=upstream_timeout") || !strings.Contains(line, seen) {
		t.Errorf("the line lacks what was seen: %s", line)
	}
}
