//go:build linux

package compatibility_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// recorderAddress is where the queries of clients are captured.
const recorderAddress = "127.0.0.3"

// asker is a program that asks the recorder for a name.
type asker struct {
	client  string
	version func(t testing.TB) string
	ask     func(t *testing.T, name string)
}

// askers are the clients that ask a server themselves, and programs that ask it
// because a stub without EDNS asked them.
func askers(t *testing.T) []asker {
	var all []asker
	for _, w := range ways(t) {
		if w.transport == "UDP" && !w.onlyIPv4 {
			all = append(all, asker{w.client, w.version, func(t *testing.T, name string) { w.ask(t, recorderAddress, name) }})
		}
	}
	for _, dnssec := range []string{"no", "allow-downgrade", "yes"} {
		all = append(all, asker{"systemd-resolved, `DNSSEC=" + dnssec + "`", resolved.Version, func(t *testing.T, name string) {
			resolved.Start(t, resolved.Config{Servers: []string{recorderAddress}, DNSSEC: dnssec})
			server.Ask(t, resolved.Stub, name, dns.TypeA)
		}})
	}
	root := resolver.Root{Forward: recorderAddress + ":53", Hints: ". 3600 IN NS a.\na. 3600 IN A " + recorderAddress + "\n"}
	proxy := func(name string, r resolver.Resolver, root resolver.Root) asker {
		return asker{name, r.Version, func(t *testing.T, name string) { server.Ask(t, r.Start(t, root), name, dns.TypeA) }}
	}
	another := func(name, plugins string, options ...server.Option) asker {
		return asker{name, coreDNS, func(t *testing.T, name string) {
			s := server.Start(t, fmt.Sprintf(".:0 {\nbind 127.0.0.1\n%s\nforward . %s\n}", plugins, recorderAddress))
			server.Ask(t, s.UDP(), name, dns.TypeA, options...)
		}}
	}
	// It would not believe what the recorder says of the root, and validates for a
	// server of one domain only where that has an anchor.
	const digest = "20326,8,2,E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
	dnsmasqValidates := resolver.Dnsmasq.With("server=/example.org/" + recorderAddress + "\ndnssec\ndnssec-check-unsigned=no\n" +
		"trust-anchor=.," + digest + "\ntrust-anchor=example.org," + digest)
	return append(all,
		proxy("dnsmasq", resolver.Dnsmasq, root),
		proxy("dnsmasq `--dnssec`", dnsmasqValidates, resolver.Root{}),
		proxy("dnsdist", resolver.Dnsdist, root),
		proxy("Unbound", resolver.Unbound, root),
		proxy("BIND", resolver.BIND.With("  forward only; forwarders { "+recorderAddress+"; };"), root),
		proxy("PowerDNS Recursor", resolver.PowerDNS.With("forward-zones-recurse=.="+recorderAddress), root),
		proxy("Knot Resolver", resolver.Knot.With("policy.add(policy.all(policy.STUB('"+recorderAddress+"')))"), root),
		another("CoreDNS", ""),
		another("CoreDNS, a stub with EDNS", "", server.EDNS(), server.Uninterested()),
		another("CoreDNS with *cache*", "cache"),
		another("CoreDNS with *cache*, a stub with EDNS", "cache", server.EDNS(), server.Uninterested()),
	)
}

// TestTheQueriesOfClientsAreAsDocumented captures what each client sends to a
// server that fails everything, and asks the same of ede: whether a SERVFAIL gets
// an EDE goes by what the query shows.
func TestTheQueriesOfClientsAreAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	capture := record(t, recorderAddress, func(m *dns.Msg) *dns.Msg {
		if dns.IsSubDomain("example.org.", dns.CanonicalName(m.Question[0].Name)) {
			return reply(m, dns.RcodeServerFailure)
		}
		// Proxies are asked for the root's servers until they answer.
		r := reply(m, dns.RcodeSuccess)
		r.Answer = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 60}, Ns: "a."}}
		return r
	})
	explaining := server.Start(t, ".:0 {\nbind 127.0.0.1\nede\nforward . 127.0.0.9\n}").UDP()
	var rows []row
	for i, a := range askers(t) {
		t.Run(a.client, func(t *testing.T) {
			name := fmt.Sprintf("q%d.example.org", i)
			a.ask(t, name)
			queries := capture.asked(name)
			if len(queries) == 0 {
				t.Fatal("nothing is captured")
			}
			var shapes, attached []string
			for _, m := range queries {
				text, interest := shape(m)
				if slices.Contains(shapes, text) {
					continue
				}
				shapes = append(shapes, text)
				has := len(server.ExtendedErrors(replay(t, explaining, m))) > 0
				if has != (interest && m.IsEdns0() != nil) {
					t.Errorf("a query with %s: an EDE is attached: %t", text, has)
				}
				if answer := map[bool]string{true: "yes", false: "no"}[has]; !slices.Contains(attached, answer) {
					attached = append(attached, answer)
				}
			}
			rows = append(rows, row{a.client, a.version(t), fmt.Sprintf("| %s | %s |",
				strings.Join(shapes, ", then "), strings.Join(attached, ", then "))})
		})
	}
	documented(t, "queries", rows)
}

// replay asks a server as a client asked the recorder.
func replay(t *testing.T, address string, captured *dns.Msg) *dns.Msg {
	t.Helper()
	m := captured.Copy()
	m.Id = server.NextID()
	return server.Query(t, address, "udp", m)
}
