package diagnose_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// failsAll is an upstream that answers only with CD=1.
func failsAll(b *bed.Bed) diagnose.Resolver {
	exchange := b.Exchange()
	return diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if !m.CheckingDisabled {
			return servfail(m)
		}
		return exchange(ctx, m.Question[0])
	}}
}

// An upstream with an old copy of the root is no sign of a wrong clock here.
func TestAnOldCopyOfTheRootIsTheUpstreams(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	bed.Times(0, -40*day, -10*day)(b.Root)
	f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), failsAll(b)))
	if causeOf(f) != "dnssec_bogus" || f.Verdict.Owner != cause.Nobody || !strings.Contains(f.Text, "the root's signatures that it gives had expired before another zone's were made") || !strings.Contains(f.Verdict.Advice, "copy of the root") {
		t.Errorf("got %s by %s, %s", causeOf(f), f.Verdict.Owner, f.Text)
	}
}

// Nothing is said of a root that no anchor is for.
func TestAPrivateAnchorSaysNothingOfTheRoot(t *testing.T) {
	expired := bed.Times(0, -40*day, -10*day)
	for _, wrong := range []bool{false, true} {
		var key dns.RR
		b := bed.New(t, now, bed.Case{Name: "corp", After: func(z *bed.Zone) { expired(z); key = z.KSK().Published }})
		want := "dnssec_signature_expired"
		if wrong {
			expired(b.TLD)
			want = "clock_wrong"
		}
		e, q := engine(b), question("www.corp.edetest.")
		e.Anchors = []dns.RR{key}
		f := e.Diagnose(context.Background(), failing(q, validating(b, "192.0.2.53:53", q)))
		if causeOf(f) != want || strings.Contains(f.Text, "root") || !strings.Contains(f.Text, "corp.edetest.") {
			t.Errorf("got %s, %s", causeOf(f), f.Text)
		}
	}
}

// Who passes no signatures on need not be one that validates and gets none.
func TestSignaturesAreStrippedOnlyIfTheUpstreamValidates(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	exchange := b.Exchange()
	for _, tc := range []struct {
		name       string
		edns, root bool // whether OPT is passed on, and whether the root is answered with CD=0
		cause      string
	}{
		{"a validator that gets no signatures", true, false, "dnssec_stripped"},
		{"a forwarder that drops OPT before a validator", false, true, "dnssec_bogus"},
		{"a forwarder that drops OPT before a validator that is out of order", false, false, "dnssec_bogus"},
		{"a forwarder that drops signatures before a validator", true, true, "dnssec_bogus"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				if !m.CheckingDisabled && !(tc.root && m.Question[0].Name == ".") {
					return servfail(m)
				}
				r, err := exchange(ctx, m.Question[0])
				if err != nil {
					return nil, err
				}
				r = r.Copy()
				unsigned := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG }
				r.Answer, r.Ns = slices.DeleteFunc(r.Answer, unsigned), slices.DeleteFunc(r.Ns, unsigned)
				if tc.edns {
					r.SetEdns0(1232, true)
				}
				return r, nil
			}}
			f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), up))
			if causeOf(f) != tc.cause || tc.cause == "dnssec_bogus" && f.Verdict.Owner != cause.Nobody {
				t.Errorf("got %s, %s", causeOf(f), f.Text)
			}
		})
	}
}
