package diagnose_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// validating is a resolver that fails q unless CD is set.
func validating(b *bed.Bed, name string, q dns.Question) diagnose.Resolver {
	exchange := b.Exchange()
	return diagnose.Resolver{Name: name, Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if m.Question[0] == q && !m.CheckingDisabled {
			return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
		}
		return exchange(ctx, m.Question[0])
	}}
}

// failing is the case of an upstream's bare SERVFAIL.
func failing(q dns.Question, r diagnose.Resolver) diagnose.Case {
	return diagnose.Case{Question: q, Failing: r, Verdict: cause.Classify(&evidence.Evidence{
		Rcode: dns.RcodeServerFailure, At: "forward", Upstream: r.Name, UpstreamAnswered: true, Question: q, Asked: q,
	})}
}

func engine(b *bed.Bed) *diagnose.Engine {
	return &diagnose.Engine{Anchors: b.Anchor(), Now: func() time.Time { return now }}
}

// foreign are the cases that another validator may judge in another way: it may
// know the algorithm or the digest, and find a fault.
var foreign = []string{
	"gost", "ds-gost-digest", "ds-private-algorithm",
	"unsupported-12-broken", "unsupported-17-broken", "unsupported-23-broken", "unsupported-253-broken", "unsupported-254-broken",
}

// Each zone with a fault is explained within the budget, and what is clean never
// called bogus, though the upstream fails it.
func TestEveryCaseIsDiagnosedWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bed.New(t, now, bed.All()...)
		e := engine(b)
		for _, c := range b.Cases() {
			q := c.Question()
			f := e.Diagnose(context.Background(), failing(q, validating(b, "192.0.2.53:53", q)))
			if f.Queries > diagnose.MaxQueries || len(f.Steps) == 0 {
				t.Errorf("%s: %d queries, %d steps", c.Name, f.Queries, len(f.Steps))
			}
			switch {
			case len(c.Expected) == 0 && f.Outcome == diagnose.Undecided:
				continue
			case len(c.Expected) == 0:
				t.Errorf("%s: %s, %s", c.Name, f.Outcome, f.Text)
			case slices.Contains(foreign, c.Name):
				if f.Outcome != diagnose.Undecided {
					t.Errorf("%s: %s, %s", c.Name, f.Outcome, f.Text)
				}
				continue
			case f.Outcome != diagnose.Explained || !slices.Contains(c.Expected, f.Verdict.Codes()[0]):
				t.Errorf("%s: %s, %s, want one of %v", c.Name, f.Outcome, f.Text, c.Expected)
				continue
			}
			for _, code := range f.Verdict.Codes() {
				if !slices.Contains(c.Expected, code) && !slices.Contains(c.AlsoTrue, code) {
					t.Errorf("%s: %d is not true", c.Name, code)
				}
			}
		}
	})
}

func TestAWrongClockIsThisServersFault(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	q := dns.Question{Name: "valid.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	for _, wrong := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour} {
		e := engine(b)
		e.Now = func() time.Time { return now.Add(wrong) }
		f := e.Diagnose(context.Background(), failing(q, validating(b, "192.0.2.53:53", q)))
		if f.Outcome != diagnose.Explained || f.Verdict.Cause.ID != "clock_wrong" || f.Verdict.Owner != cause.Us || f.Verdict.Codes()[0] != 0 {
			t.Errorf("by %v: %+v", wrong, f)
		}
	}
}

// The most that can be asked: a chain of aliases through many zones, the end of
// which nobody gives, and others to ask for the same.
func TestADiagnosisEndsWithItsQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cases []bed.Case
		for i := range 10 {
			cases = append(cases, bed.Case{Name: fmt.Sprintf("z%d", i), Before: bed.Records(fmt.Sprintf("a.%%s 300 IN CNAME a.z%d.edetest.", i+1))})
		}
		b := bed.New(t, now, cases...)
		q := dns.Question{Name: "a.z0.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
		var asked atomic.Int64
		exchange := b.Exchange()
		withholds := func(name string) diagnose.Resolver {
			return diagnose.Resolver{Name: name, Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				asked.Add(1)
				if !m.CheckingDisabled || strings.HasPrefix(m.Question[0].Name, "a.z9.") {
					return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
				}
				return exchange(ctx, m.Question[0])
			}}
		}
		c := failing(q, withholds("192.0.2.53:53"))
		for i := range 8 {
			c.Others = append(c.Others, withholds(fmt.Sprintf("192.0.2.%d:53", i+54)))
		}
		f := engine(b).Diagnose(context.Background(), c)
		if n := asked.Load(); n > diagnose.MaxQueries || n < diagnose.MaxQueries/2 || int(n) != f.Queries {
			t.Errorf("%d queries were sent and %d reported, of at most %d", n, f.Queries, diagnose.MaxQueries)
		}
	})
}

func TestADiagnosisEndsWithItsTime(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	q := dns.Question{Name: "valid.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(context.Context, *dns.Msg) (*dns.Msg, error) {
			<-release // as forward's transports, which look at their own time alone
			return nil, errors.New("i/o timeout")
		}}
		e := engine(b)
		e.Now = time.Now
		began := time.Now()
		f := e.Diagnose(context.Background(), failing(q, stuck))
		if took := time.Since(began); took != 10*time.Second || f.Outcome != diagnose.Undecided {
			t.Errorf("%v, %s", took, f.Outcome)
		}
		close(release)
	})
}

// A trust anchor judges the names of its zone, also where the public tree has no such zone.
func TestATrustAnchorJudgesAPrivateZone(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "target", After: bed.Times(dns.TypeA, -40*24*time.Hour, -10*24*time.Hour)})
	q := dns.Question{Name: "target.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	e := engine(b)
	e.Private, e.Anchors = []string{"edetest."}, append(e.Anchors, b.TLD.KSK().Published)
	f := e.Diagnose(context.Background(), failing(q, validating(b, "192.0.2.53:53", q)))
	if f.Outcome != diagnose.Explained || f.Verdict.Cause.ID != "dnssec_signature_expired" {
		t.Errorf("%s %s, %s", f.Outcome, causeOf(f), f.Text)
	}
}

// The advice names what the block does not have, and nothing that may not be asked.
func TestTheAdviceNamesWhatADiagnosisDidNotHave(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	fails := func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if m.Question[0].Name != "valid.edetest." {
			return b.Exchange()(ctx, m.Question[0])
		}
		return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
	}
	silent := func(context.Context, *dns.Msg) (*dns.Msg, error) { return nil, context.DeadlineExceeded }
	for name, tc := range map[string]struct {
		set  func(*diagnose.Engine)
		want string
	}{
		"neither": {func(*diagnose.Engine) {}, "name another resolver under compare, or let delegation query"},
		"compare": {func(e *diagnose.Engine) {
			e.Compare = []diagnose.Resolver{{Name: "198.51.100.53:53", Exchange: silent}}
		}, "let delegation query"},
		"a person":     {func(e *diagnose.Engine) { e.ByHand = true }, "the zone is at fault."},
		"private name": {func(e *diagnose.Engine) { e.Private = []string{"edetest."} }, "No other resolver and no public name server knows the name."},
	} {
		e := engine(b)
		tc.set(e)
		f := e.Diagnose(context.Background(), failing(question("valid.edetest."), diagnose.Resolver{Name: "192.0.2.53:53", Exchange: fails}))
		if f.Outcome != diagnose.Undecided || !strings.Contains(f.Verdict.Advice, tc.want) {
			t.Errorf("%s: %s, advice %q, want %q", name, f.Outcome, f.Verdict.Advice, tc.want)
		}
	}
}

// What the public tree does not have it does not judge.
func TestPrivateNamesAreNotJudged(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "target", After: bed.Times(dns.TypeA, -40*24*time.Hour, -10*24*time.Hour)})
	q := dns.Question{Name: "target.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	const special = "a special-use or locally served zone"
	for name, set := range map[string]func(*diagnose.Engine, *diagnose.Case){
		"a zone of the server block or the forward": func(_ *diagnose.Engine, c *diagnose.Case) { c.Private = []string{"edetest."} },
		special: func(e *diagnose.Engine, _ *diagnose.Case) { e.Private = []string{"target.edetest."} },
	} {
		e, c := engine(b), failing(q, validating(b, "192.0.2.53:53", q))
		told := false
		e.Compare = []diagnose.Resolver{{Name: "198.51.100.53:53", Exchange: func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
			told = true
			return new(dns.Msg).SetRcode(m, dns.RcodeNameError), nil
		}}}
		set(e, &c)
		f := e.Diagnose(context.Background(), c)
		switch {
		case name == special && f.Outcome == diagnose.Explained && f.Verdict.Cause.ID == "upstream_own_zone" && f.Verdict.Owner == cause.Upstream:
		case name == special, f.Outcome != diagnose.Undecided:
			t.Errorf("%s: %s, %s", name, f.Outcome, f.Text)
		}
		if told {
			t.Errorf("%s: a resolver to compare with is told the name", name)
		}
	}
}
