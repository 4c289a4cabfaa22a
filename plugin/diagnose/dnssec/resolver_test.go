package dnssec_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
)

// ask tries over UDP as a stub resolver does, three times, and over TCP when the
// answer is truncated.
func ask(ctx context.Context, address string, q dns.Question, cd bool) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.Id, m.RecursionDesired, m.CheckingDisabled = dns.Id(), true, cd
	m.Question = []dns.Question{q}
	m.SetEdns0(1232, true)
	var reply *dns.Msg
	err := errors.New("not asked")
	for range 8 { // a resolver tries a silent server for long
		if reply, _, err = (&dns.Client{Timeout: 5 * time.Second}).ExchangeContext(ctx, m, address); err == nil {
			break
		}
	}
	if err == nil && reply.Truncated {
		reply, _, err = (&dns.Client{Net: "tcp", Timeout: 5 * time.Second}).ExchangeContext(ctx, m, address)
	}
	return reply, err
}

// TestBehindARealResolver asks through BIND and Unbound, which decide themselves
// what they say with CD=1: what they leave out must not become a false code.
func TestBehindARealResolver(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	for _, r := range []struct {
		resolver.Resolver
		except []string
	}{
		{resolver.BIND, nil},
		// Unbound stops asking a server that is silent, for all names: then
		// nothing shows that it is only the DNSKEY.
		{resolver.Unbound, []string{"dnskey-timeout"}},
	} {
		t.Run(r.Name, func(t *testing.T) {
			b := bed.New(t, time.Now())
			b.Listen(t, 53)
			address := r.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
			for _, c := range b.Cases() {
				if slices.Contains(r.except, c.Name) {
					continue
				}
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					// First as a client that does not know yet: what the
					// resolver remembers of that shapes its CD=1 answers.
					failing, err := ask(context.Background(), address, c.Question(), false)
					v := &dnssec.Validator{Anchors: b.Anchor(), Exchange: func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
						return ask(ctx, address, q, true)
					}}
					f := v.Validate(context.Background(), c.Question())
					judge(t, c, f)
					if err != nil {
						t.Fatal(err)
					}
					if f.Status == dnssec.Secure && failing.Rcode == dns.RcodeServerFailure {
						t.Errorf("%s says SERVFAIL, the chain validates", r.Name)
					}
					if f.Status == dnssec.Bogus && failing.Rcode != dns.RcodeServerFailure {
						t.Logf("%s accepts it: %s", r.Name, dns.RcodeToString[failing.Rcode])
					}
					if t.Failed() {
						report(t, f)
					}
				})
			}
		})
	}
}
