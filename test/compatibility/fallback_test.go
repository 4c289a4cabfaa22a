//go:build linux

package compatibility_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// A client has two servers: the first fails what it is asked, the second answers.
const firstAddress, secondAddress = "127.0.0.4", "127.0.0.5"

// failures are the columns of the table. A name begins with what becomes of it.
var failures = []struct {
	label   string
	rcode   int
	options []dns.EDNS0
}{
	{"bare", dns.RcodeServerFailure, nil},
	{"bogus", dns.RcodeServerFailure, []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus}}},
	{"unready", dns.RcodeServerFailure, []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeNotReady}}},
	{"refused", dns.RcodeRefused, nil},
	{"blocked", dns.RcodeRefused, []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeBlocked}}},
}

func failing(m *dns.Msg) *dns.Msg {
	for _, f := range failures {
		if strings.HasPrefix(dns.CanonicalName(m.Question[0].Name), f.label) {
			return reply(m, f.rcode, f.options...)
		}
	}
	return reply(m, dns.RcodeSuccess)
}

const secondsAnswer = "192.0.2.1"

func answering(m *dns.Msg) *dns.Msg {
	r := reply(m, dns.RcodeSuccess)
	if q := m.Question[0]; q.Qtype == dns.TypeA {
		rr, _ := dns.NewRR(q.Name + " 60 IN A " + secondsAnswer)
		r.Answer = []dns.RR{rr}
	}
	return r
}

// stub is a client with two servers.
type stub struct {
	name    string
	version func(t testing.TB) string
	// ask returns what the client prints or gets.
	ask func(t *testing.T, name string) string
	// atOnce says that it asks both servers, and that it depends on the moment how
	// often.
	atOnce bool
}

// reads runs a program that finds the two servers in /etc/resolv.conf.
func reads(options string, words ...string) func(t *testing.T, name string) string {
	return func(t *testing.T, name string) string {
		t.Helper()
		text := fmt.Sprintf("nameserver %s\nnameserver %s\noptions timeout:2 %s\n", firstAddress, secondAddress, options)
		if err := os.WriteFile("/etc/resolv.conf", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		said, _ := run(t, append(words, name)...)
		return said
	}
}

// patience is how long a stub may take. systemd-resolved leaves a query without
// an answer where 14 comes first.
const patience = 5 * time.Second

// hears asks a server on this host as a bare stub does.
func hears(t *testing.T, address, name string) string {
	t.Helper()
	r, err := server.Exchange(address, "udp", server.Message(name, dns.TypeA), patience)
	if err != nil {
		return err.Error()
	}
	return r.String()
}

func stubs(t *testing.T) []stub {
	t.Helper()
	dir := t.TempDir()
	built := func(name string, words ...string) string {
		program := filepath.Join(dir, name)
		for i, word := range words {
			words[i] = strings.Replace(word, "PROGRAM", program, 1)
		}
		if out, status := run(t, words...); status != 0 {
			t.Fatalf("%v: %s", words, out)
		}
		return program
	}
	musl := built("musl", "musl-gcc", "-static", "-w", "-o", "PROGRAM", "testdata/getaddrinfo.c")
	lookup := built("lookup", "go", "build", "-o", "PROGRAM", "testdata/lookup.go")
	v := versions
	return []stub{
		{"systemd-resolved", resolved.Version, func(t *testing.T, name string) string {
			resolved.Start(t, resolved.Config{Servers: []string{firstAddress, secondAddress}, DNSSEC: "no"})
			return hears(t, resolved.Stub, name)
		}, false},
		{"glibc, `options edns0 trust-ad`", v.glibc, reads("edns0 trust-ad", "getent", "--no-addrconfig", "ahostsv4"), false},
		{"musl (`getaddrinfo`)", v.musl, reads("", musl), true},
		{"Go's resolver", v.golang, reads("", lookup), false},
		{"Node (`dns.resolve4`)", v.node, reads("", "node", "testdata/resolve4.js"), false},
		{"dnsmasq `strict-order`", resolver.Dnsmasq.Version, func(t *testing.T, name string) string {
			r := resolver.Dnsmasq.With("strict-order\nserver=" + secondAddress)
			return hears(t, r.Start(t, resolver.Root{Forward: firstAddress + ":53"}), name)
		}, false},
		{"CoreDNS, *forward* with `policy sequential`", coreDNS, func(t *testing.T, name string) string {
			s := server.Start(t, fmt.Sprintf(".:0 {\nbind 127.0.0.1\nforward . %s %s {\npolicy sequential\n}\n}", firstAddress, secondAddress))
			return hears(t, s.UDP(), name)
		}, false},
		{"dig", v.dig, reads("", "dig"), false},
		{"kdig `+edns`", v.kdig, reads("", "kdig", "+edns"), false},
		{"host", v.host, reads("", "host", "-t", "A"), false},
		{"nslookup", v.nslookup, reads("", "nslookup", "-type=A"), false},
	}
}

// TestClientsGoOnToTheirNextServerAsDocumented has each client look up names that
// its first server fails, with an EDE and without.
func TestClientsGoOnToTheirNextServerAsDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	first := record(t, firstAddress, failing)
	record(t, secondAddress, answering)
	var rows []row
	for i, s := range stubs(t) {
		t.Run(s.name, func(t *testing.T) {
			cells := "|"
			for _, f := range failures {
				name := fmt.Sprintf("%s%d.example.org", f.label, i)
				var said string
				t.Run(f.label, func(t *testing.T) { said = s.ask(t, name) })
				end := "goes on"
				switch {
				case strings.Contains(said, "i/o timeout"):
					end = "gives no answer"
				case !strings.Contains(said, secondsAnswer):
					end = "ends"
				}
				asked := strconv.Itoa(len(first.asked(name)))
				if s.atOnce {
					asked = "asks both servers at the same time"
				}
				cells += fmt.Sprintf(" %s, %s |", asked, end)
			}
			rows = append(rows, row{s.name, s.version(t), cells})
		})
	}
	documented(t, "next", rows)
}
