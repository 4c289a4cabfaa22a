//go:build linux

package resolved_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/namespace"
	"github.com/seed-1b7246af/coredns-ede/test/resolved"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// init puts ede where cmd/coredns puts it, and the plugin of the test above it.
func init() {
	at := slices.Index(dnsserver.Directives, "dnstap") + 1
	dnsserver.Directives = slices.Insert(dnsserver.Directives, at, "tally", "ede")
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(namespace.Run(m))
}

// first is the server that systemd-resolved prefers, and what goes wrong there.
type first struct {
	name    string
	plugins string
	// final says that the failure ends the lookup where it has an EDE: the next
	// server is asked only if there is none.
	final bool
}

func firsts(t *testing.T) []first {
	says := func(code uint16) string {
		u := upstream.Start(t, upstream.Config{
			Handler: upstream.Rcode(dns.RcodeServerFailure, true, dns.EDNS0_EDE{InfoCode: code, ExtraText: "as seen there"}),
		})
		return forward(u.Addr())
	}
	closed := upstream.Closed(t)
	return []first{
		{"a dead upstream", forward(closed), true},
		{"a dead upstream behind cache", "cache\n" + forward(closed), true},
		{"an upstream that says 6 behind cache", "cache\n" + says(dns.ExtendedErrorCodeDNSBogus), true},
		{"an upstream that says 22 behind cache", "cache\n" + says(dns.ExtendedErrorCodeNoReachableAuthority), true},
		{"a zone that is not loaded", "secondary {\ntransfer from " + closed + "\n}", true},
		{"a refusal", "acl {\nblock\n}", false},
	}
}

func forward(to string) string { return "forward . " + to + " {\nmax_fails 0\n}" }

// patience is how long systemd-resolved may take. Where 14 comes first it answers
// never.
const patience = 10 * time.Second

// outcome is what became of a lookup: whether the second server's answer came,
// and how often the first was asked for the name.
type outcome struct {
	answered bool
	asked    int
}

func (o outcome) String() string {
	if o.answered {
		return fmt.Sprintf("the second server's answer, after %d queries to the first", o.asked)
	}
	return fmt.Sprintf("no answer, after %d queries to the first", o.asked)
}

// lookup asks systemd-resolved, whose first server has the plugins and whose
// second is healthy.
func (f first) lookup(t *testing.T, dnssec, ede string, second healthy) outcome {
	t.Helper()
	const address = "127.0.0.11"
	first, err := server.Try(fmt.Sprintf(".:53 {\nbind %s\ntally\n%s\n%s\n}", address, ede, f.plugins))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := first.Stop(); err != nil {
			t.Error(err)
		}
	}()
	defer resolved.Start(t, resolved.Config{Servers: []string{address, second.address}, DNSSEC: dnssec, Anchor: second.anchor})()
	before := asked(second.name)
	r, err := server.Exchange(resolved.Stub, "udp", server.Message(second.name, dns.TypeA), patience)
	o := outcome{answered: err == nil && r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0, asked: asked(second.name) - before}
	if o.asked == 0 {
		t.Errorf("%q: the first server was not asked at all", ede)
	}
	return o
}

// TestSystemdResolvedStillAsksItsNextServer has systemd-resolved look a name up
// that its first server fails. It takes any EDE on a SERVFAIL as final and asks
// nobody else, so the first server must fail it exactly as one without ede does.
// Where EDEs are attached to every query the test sees the difference.
func TestSystemdResolvedStillAsksItsNextServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	t.Logf("systemd-resolved %s", resolved.Version(t)) // or it is not here, and the test is skipped
	second := health(t)
	for _, f := range firsts(t) {
		for _, dnssec := range []string{"no", "allow-downgrade", "yes"} {
			t.Run(f.name+", DNSSEC="+dnssec, func(t *testing.T) {
				stock := f.lookup(t, dnssec, "", second)
				if !stock.answered {
					t.Fatalf("with stock CoreDNS: %v; this test has lost its point", stock)
				}
				if with := f.lookup(t, dnssec, "ede", second); with != stock {
					t.Errorf("with stock CoreDNS: %v; with ede: %v", stock, with)
				}
				always := f.lookup(t, dnssec, "ede {\nattach always\n}", second)
				if always.answered == f.final {
					t.Errorf("with attach always: %v", always)
				}
				// 14 as the first option makes it ask 24 times.
				if always.asked > stock.asked {
					t.Errorf("with stock CoreDNS: %v; with attach always: %v", stock, always)
				}
			})
		}
	}
}
