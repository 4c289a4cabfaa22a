package diagnose_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

const day = 24 * time.Hour

// withholding is a resolver that keeps what it does not find good to itself: the
// questions of fails are failed with CD=0, those of hides with CD=1 too.
func withholding(b *bed.Bed, fails, hides func(q dns.Question) bool) diagnose.Resolver {
	exchange := b.Exchange()
	return diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		q := m.Question[0]
		if hides(q) || !m.CheckingDisabled && fails(q) {
			return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
		}
		return exchange(ctx, q)
	}}
}

func named(label string) func(dns.Question) bool {
	return func(q dns.Question) bool { return strings.HasPrefix(q.Name, label+".") }
}

func never(dns.Question) bool { return false }

func question(name string) dns.Question {
	return dns.Question{Name: name, Qtype: dns.TypeA, Qclass: dns.ClassINET}
}

// What the upstream keeps to itself is seen at the apex of its zone, if the zone's
// denials are broken as such, and the upstream rejects them there too.
func TestTheApexOfAZoneSpeaksForAnAnswerThatIsWithheld(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "unproven", After: bed.Drop(dns.TypeNSEC)}, bed.Case{Name: "expired", After: bed.Times(dns.TypeNSEC, -40*day, -10*day)},
		bed.Case{Name: "valid"})
	always := func(dns.Question) bool { return true }
	for _, tc := range []struct {
		name, zone string
		fails      func(dns.Question) bool
		code       uint16 // 0 where nothing may be said
	}{
		{"no denial of the zone is proven", "unproven.edetest.", always, 12},
		{"the denials of the zone have expired", "expired.edetest.", always, 7},
		{"the upstream does not mind the apex", "unproven.edetest.", never, 0},
		{"the apex is in order", "valid.edetest.", always, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := engine(b).Diagnose(context.Background(), failing(question("hidden."+tc.zone), withholding(b, tc.fails, named("hidden"))))
			switch {
			case tc.code == 0 && f.Outcome != diagnose.Undecided:
				t.Errorf("%s, %s", f.Outcome, f.Text)
			case tc.code == 0:
			case f.Outcome != diagnose.Explained || f.Verdict.Codes()[0] != tc.code || f.Cut || !strings.Contains(f.Text, "the answer is withheld; at the apex of its zone: "):
				t.Errorf("%s, %s, cut %v, want %d", f.Outcome, f.Text, f.Cut, tc.code)
			}
		})
	}
}

// An upstream that fails for what an alias leads to may give the alias.
func TestAnAliasWhoseAnswerIsWithheldIsFollowed(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "target", After: bed.Times(dns.TypeA, -40*day, -10*day)},
		bed.Case{Name: "of", Before: bed.Records("alias.%s 300 IN CNAME target.edetest.")})
	hides := func(q dns.Question) bool { return named("alias")(q) && q.Qtype == dns.TypeA }
	f := engine(b).Diagnose(context.Background(), failing(question("alias.of.edetest."), withholding(b, named("target"), hides)))
	if f.Outcome != diagnose.Explained || f.Verdict.Codes()[0] != 7 || f.Zone != "target.edetest." {
		t.Errorf("%s, %s of %s", f.Outcome, f.Text, f.Zone)
	}
}

// delegating is an engine that asks the bed's servers in memory.
func delegating(b *bed.Bed) *diagnose.Engine {
	e := engine(b)
	e.Delegation = &delegation.Prober{Direct: b.Direct(700 * time.Millisecond), Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.53.0/24")}}
	return e
}

// With CD=1 a resolver may answer out of what it has, and that may be in order.
func TestWhatTheUpstreamRejectsIsSoughtAtTheServersIfItGivesSomethingElse(t *testing.T) {
	var good []*dns.RRSIG
	b := bed.New(t, now, bed.Case{Name: "target", After: func(z *bed.Zone) {
		good = z.Sigs[z.Name][dns.TypeA]
		bed.Times(dns.TypeA, -40*day, -10*day)(z)
	}})
	q := question("target.edetest.")
	exchange := b.Exchange()
	other := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if m.Question[0] != q {
			return exchange(ctx, m.Question[0])
		}
		reply := new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
		if m.CheckingDisabled {
			a, err := exchange(ctx, q)
			if err != nil {
				return nil, err
			}
			reply.Rcode = dns.RcodeSuccess
			reply.Answer = []dns.RR{a.Answer[0], good[0]}
		}
		return reply, nil
	}}
	if f := engine(b).Diagnose(context.Background(), failing(q, other)); f.Outcome != diagnose.Undecided {
		t.Errorf("what validates here was called bogus: %s", f.Text)
	}
	if f := delegating(b).Diagnose(context.Background(), failing(q, other)); f.Outcome != diagnose.Explained || f.Verdict.Codes()[0] != 7 {
		t.Errorf("with the zone's servers: %s, %s", f.Outcome, f.Text)
	}
}

// An answer may be held for two seconds. Within them a zone whose servers do not
// answer has to be told, though the upstream tries it for longer.
func TestSilentServersAreToldWhileAnAnswerMayBeHeld(t *testing.T) {
	const held = 2 * time.Second
	silent := func(z *bed.Zone) { z.Reply = func(dns.Question, *dns.Msg) *dns.Msg { return nil } }
	b := bed.New(t, now, bed.Case{Name: "silent", Before: bed.At("127.0.53.9"), After: silent},
		bed.Case{Name: "unsigned", Before: bed.Both(bed.Unsigned, bed.At("127.0.53.9")), After: silent},
		bed.Case{Name: "keyless", Before: bed.At("127.0.53.8"), After: bed.Silent(dns.TypeDNSKEY)})
	for _, tc := range []struct {
		name, zone string
		busy       func(dns.Question) bool
		timedOut   bool
	}{
		{"the upstream has not answered", "silent.edetest.", func(q dns.Question) bool { return dns.IsSubDomain("silent.edetest.", q.Name) }, true},
		{"the upstream has not answered for an unsigned zone", "unsigned.edetest.", func(q dns.Question) bool { return dns.IsSubDomain("unsigned.edetest.", q.Name) }, true},
		{"the upstream has failed, and tries again when asked", "silent.edetest.", func(q dns.Question) bool { return dns.IsSubDomain("silent.edetest.", q.Name) }, false},
		{"the upstream fails at once", "keyless.edetest.", never, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exchange := b.Exchange()
				upstream := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
					q := m.Question[0]
					if tc.busy(q) {
						time.Sleep(5 * time.Second) // as forward's transports, which look at their own time alone
						return nil, errors.New("i/o timeout")
					}
					if dns.IsSubDomain(tc.zone, q.Name) && q.Qtype != dns.TypeDS {
						return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
					}
					return exchange(ctx, q)
				}}
				c := failing(question("www."+tc.zone), upstream)
				c.TimedOut = tc.timedOut
				began := time.Now()
				f := delegating(b).Diagnose(context.Background(), c)
				if took := time.Since(began); took >= held {
					t.Errorf("after %v", took)
				}
				if f.Outcome != diagnose.Explained || f.Verdict.Codes()[0] != 22 || f.Queries > diagnose.MaxQueries {
					t.Errorf("%s, %s, %d queries", f.Outcome, f.Text, f.Queries)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}
