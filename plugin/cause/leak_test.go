package cause

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Words of brief texts that are also names of plugins, and what they mean there.
var innocent = map[string]string{
	"any":      "the English word",
	"dnssec":   "the protocol",
	"on":       "the English word",
	"transfer": "a zone transfer (RFC 5936)",
	"tsig":     "the signature that the client lacks (RFC 8945)",
	"tls":      "the protocol",
	"ready":    "the English word",
}

var word = regexp.MustCompile(`[a-z0-9_]+`)

// marked is evidence that carries a mark wherever something of this server, or of
// a stranger, can stand.
func marked() *ev.Evidence {
	q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	asked := dns.Question{Name: "rewritten-mark.example.net.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}
	return &ev.Evidence{
		Rcode: dns.RcodeServerFailure, Question: q, Asked: asked, At: "plugin-mark", Path: []string{"path-mark"},
		Failure:  ev.Failure{Kind: ev.Other, Err: errors.New("error-mark /etc/file-mark 203.0.113.9"), Detail: "detail-mark 203.0.113.9", Peer: "203.0.113.9:53"},
		Upstream: "203.0.113.1:53", UpstreamElapsed: 2 * time.Second,
		Upstreams: []ev.Upstream{{Addr: "203.0.113.1:53", Asked: true}, {Addr: "[2001:db8::53]:53", Down: true}, {Addr: "https://host-mark"}},
		Zone:      ev.Zone{Name: "example.org.", State: ev.ZoneLoaded},
		Panic:     "panic-mark at 203.0.113.9",
	}
}

// A client with brief or none is told no address, plugin, error, path, or name
// of this server, whatever the cause.
func TestBriefTextsTellNothingOfThisServer(t *testing.T) {
	// One that does not read like a port.
	found := time.Date(2026, 11, 20, 14, 2, 11, 0, time.UTC)
	for _, c := range All() {
		for kind := ev.NoError; kind <= ev.Other; kind++ {
			e := marked()
			e.Failure.Kind = kind
			v := newVerdict(c, e)
			verdicts := []*Verdict{v, v.FromMemory(found), v.Again(found)}
			if c.Rank == Found {
				verdicts = append(verdicts, Diagnosed(newVerdict(upstreamServfail, e), c.ID, nil, strings.NewReplacer("{zone}", "example.org.", "{rcode}", "SERVFAIL").Replace(c.Brief), "", "example.org."))
			}
			for _, v := range verdicts {
				for _, words := range []Words{NoWords, BriefWords} {
					for _, keep := range []bool{true, false} {
						checkTellsNothing(t, c, v.Options(words, keep, false))
					}
				}
			}
		}
	}
}

func checkTellsNothing(t *testing.T, c *Cause, opts []option.Option) {
	t.Helper()
	for _, o := range opts {
		for _, secret := range []string{"mark", "203.0.113.", "2001:db8", ":53", "://", "/etc", "{", "example.net"} {
			if strings.Contains(o.Text, secret) {
				t.Errorf("%s tells %q: %q", c.ID, secret, o.Text)
			}
		}
		for _, w := range word.FindAllString(strings.ToLower(o.Text), -1) {
			if slices.Contains(dnsserver.Directives, w) && innocent[w] == "" {
				t.Errorf("%s names the plugin %s: %q", c.ID, w, o.Text)
			}
		}
	}
}
