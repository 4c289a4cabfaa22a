package test_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// Whoever sends queries with the address of somebody else makes the server send
// its answers there. How much more that is than without ede, over UDP, to a client
// that may read brief texts:
func TestASpoofedQueryGainsLittleByEDE(t *testing.T) {
	server.Capture(t)
	verbose := upstream.Start(t, upstream.Config{Handler: upstream.RawEDE(6, []byte(strings.Repeat("long ", 100)))})
	many := upstream.Start(t, upstream.Config{Handler: options(edes(50, strings.Repeat("long ", 100))...)})
	silent := upstream.Start(t, upstream.Config{Handler: upstream.Silent()})
	plain := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true)})
	for _, tc := range []struct {
		what, plugins string
		// most is the largest growth in octets.
		most int
	}{
		{"blocked by acl", "acl {\n block\n }\nwhoami", 6},
		{"refused by a template", "template ANY ANY {\n rcode REFUSED\n }", 6 + 38},
		{"refused by a template with ederror", "template ANY ANY {\n rcode REFUSED\n ederror 20 \"not served here\"\n }", 0},
		{"an upstream that is closed", forward(upstream.Closed(t), patiently), 6 + 40},
		{"an upstream that is silent", forward(silent.Addr(), soon), 6 + 45},
		{"an upstream's failure without a reason", forward(plain.Addr()), 6 + 60},
		{"an upstream's failure from cache", steady + "\n" + forward(plain.Addr()), 6 + 60 + 26},
		{"an upstream's long reason", forward(verbose.Addr()), 6 + 200},
		{"an upstream's long reason from cache", steady + "\n" + forward(verbose.Addr()), 6 + 200},
		{"refused by a plugin without a reason", "fault returned REFUSED", 6 + 52},
		{"an upstream's fifty reasons", byTCP(many.Addr()), 3*6 + 200},
	} {
		t.Run(tc.what, func(t *testing.T) {
			with := server.Start(t, here(".:0", levels, tc.plugins))
			without := server.Start(t, here(".:0", tc.plugins))
			var octets [2]int
			// Whoever wants more octets sends what gets them.
			m := query("a.example")
			m.AuthenticatedData = true
			// The second answer is from cache where there is one.
			for range 2 {
				for i, s := range []*server.Server{with, without} {
					all := packets(t, briefClient, "udp", s.UDP(), m)
					if len(all) == 0 {
						t.Fatal("no answer")
					}
					octets[i] = 0
					for _, packet := range all {
						octets[i] += len(packet)
					}
				}
			}
			sent, _ := pack(t, m)
			t.Logf("%d octets to a query of %d, without ede %d", octets[0], len(sent), octets[1])
			// What the upstream said reaches the client without ede, too, if
			// nothing takes it out on the way.
			if grown := octets[0] - octets[1]; grown > tc.most || octets[0] > len(sent)+3*6+200 {
				t.Errorf("%d octets more, at most %d are pinned", grown, tc.most)
			}
		})
	}
}

// A structured text goes whole to who asks for EDE. From cache, where it would
// be lost, that is the most that ede can add.
func TestAStructuredReasonIsTheMostThatASpoofedQueryGains(t *testing.T) {
	server.Capture(t)
	object := `{"j":"` + strings.Repeat("x", option.MaxStructured-8) + `"}`
	up := upstream.Start(t, upstream.Config{Handler: options(&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeFiltered, ExtraText: object})})
	s := server.Start(t, here(".:0", levels, steady, forward(up.Addr())))
	m := query("structured.example", server.BufferSize(1232), server.EDNS(&dns.EDNS0_EDE{}))
	// The second answer is from cache.
	for range 2 {
		all := packets(t, briefClient, "udp", s.UDP(), m)
		if len(all) != 1 {
			t.Fatalf("%d answers", len(all))
		}
		sent, _ := pack(t, m)
		if grown, want := len(all[0])-len(sent), option.MaxStructured; grown != want {
			t.Errorf("%d octets more, want %d", grown, want)
		}
	}
}
