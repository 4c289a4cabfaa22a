package cause

import (
	"errors"
	"testing"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// The largest growth of an answer over UDP, in octets of EDE options, where a
// spoofed client is told no more than brief: a refusal by this server's own
// policy costs one bare option (its code 0 has a short text), anything else one
// text. A name of 255 octets in the evidence must not change that.
const (
	mostOfPolicy = 6
	mostOfZero   = 6 + 56
	mostOfText   = 6 + 96
)

func TestAnAnswerOverUDPGrowsByNoMoreThanIsPinned(t *testing.T) {
	long := "a2345678901234567890123456789012345678901234567890123456789012.b2345678901234567890123456789012345678901234567890123456789012.c2345678901234567890123456789012345678901234567890123456789012.d234567890123456789012345678901234567890123456789012345678.org."
	query := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	query.SetEdns0(1232, false)
	for _, c := range All() {
		e := &ev.Evidence{
			Rcode: dns.RcodeRefused, At: "forward", UpstreamElapsed: 99 * time.Second,
			Question: dns.Question{Name: long, Qtype: dns.TypeA, Qclass: dns.ClassINET},
			Failure:  ev.Failure{Kind: ev.Other, Err: errors.New(long), Detail: long},
			Upstream: "[2001:db8::53]:53",
			Zone:     ev.Zone{Name: "example.org.", State: ev.ZoneLoaded},
		}
		e.Asked = e.Question
		opts := newVerdict(c, e).Options(BriefWords, true, true)
		growth := 0
		for _, o := range opts {
			growth += 6 + len(o.Text)
		}
		most := mostOfText
		switch {
		case c.Policy && c.Code == 0:
			most = mostOfZero
		case c.Policy:
			most = mostOfPolicy
		}
		if growth > most {
			t.Errorf("%s adds %d octets, at most %d are pinned: %v", c.ID, growth, most, opts)
		}
		reply := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
		out := option.Attach(reply, option.RequestOf(query), 512, opts)
		// CoreDNS adds an OPT record of eleven octets in any case.
		if have := out.Len() - reply.Len() - 11; have > most {
			t.Errorf("%s: %d octets on the wire", c.ID, have)
		}
	}
}
