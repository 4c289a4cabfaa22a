package diagnose_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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
	synctest.Test(t, func(t *testing.T) {
		b := bed.New(t, now, bed.Case{Name: "valid"})
		bed.Times(0, -40*day, -10*day)(b.Root)
		f := engine(b).Diagnose(context.Background(), failing(question("www.valid.edetest."), failsAll(b)))
		if causeOf(f) != "dnssec_bogus" || f.Verdict.Owner != cause.Nobody || !strings.Contains(f.Text, "the root's signatures that it gives had expired before another zone's were made") || !strings.Contains(f.Verdict.Advice, "copy of the root") {
			t.Errorf("got %s by %s, %s", causeOf(f), f.Verdict.Owner, f.Text)
		}
	})
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
		{"a forwarder that drops OPT before a validator", false, true, "undecided"},
		{"a forwarder that drops OPT before a validator that is out of order", false, false, "undecided"},
		{"a forwarder that drops signatures before a validator", true, true, "undecided"},
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
			if causeOf(f) != tc.cause {
				t.Errorf("got %s, %s", causeOf(f), f.Text)
			}
		})
	}
}

// inside is an upstream that has its own unsigned data for a zone, and validates: it fails
// all names there with CD=0.
func inside(public, own *bed.Bed, zone string) diagnose.Resolver {
	outer, inner := public.Exchange(), own.Exchange()
	return diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		q := m.Question[0]
		switch ours := dns.IsSubDomain(zone, q.Name) && !(q.Qtype == dns.TypeDS && q.Name == zone); {
		case ours && !m.CheckingDisabled:
			return servfail(m)
		case ours:
			return inner(ctx, q)
		}
		return outer(ctx, q)
	}}
}

// A zone that is signed outside and unsigned here has lost its signatures, or is not the
// zone's own: only who gives the zone's data tells which.
func TestAnUnsignedAnswerBelowADSIsNotTheZonesUntilThatIsSeen(t *testing.T) {
	private := bed.Both(bed.Unsigned, bed.Records("intra.%s 300 IN A 10.0.0.5", "alias.%s 300 IN CNAME intra.%s", "block.%s 300 IN A 0.0.0.0"))
	own := bed.New(t, now, bed.Case{Name: "split", Before: private})
	public := bed.New(t, now, bed.Case{Name: "split", Before: bed.Records("intra.%s 300 IN A 192.0.2.7")})
	lost := bed.New(t, now, bed.Case{Name: "split", Before: bed.Unsigned, DS: func(z *bed.Zone) []dns.RR { return []dns.RR{z.DS()[0]} }})
	signed := diagnose.Resolver{Name: "192.0.2.54:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		return public.Exchange()(ctx, m.Question[0])
	}}
	twin := inside(public, own, "split.edetest.")
	twin.Name = "192.0.2.55:53"
	for _, tc := range []struct {
		name, ask string
		typ       uint16
		engine    func() *diagnose.Engine
		others    []diagnose.Resolver
		cause     string
		code      uint16
		owner     cause.Owner
		text      string
	}{
		{"a private address", "intra.", dns.TypeA, nil, nil, "upstream_own_zone", 0, cause.Upstream, "the upstream's answer is 10.0.0.5"},
		{"an alias for a private address", "alias.", dns.TypeA, nil, nil, "upstream_own_zone", 0, cause.Upstream, "the upstream's answer is 10.0.0.5"},
		{"a public address", "www.", dns.TypeA, nil, nil, "dnssec_dnskey_missing", 9, cause.Nobody, "or the upstream has its own data for it"},
		{"no such type", "www.", dns.TypeMX, nil, nil, "dnssec_dnskey_missing", 9, cause.Nobody, "or the upstream has its own data for it"},
		{"no such name", "nothing.", dns.TypeA, nil, nil, "dnssec_dnskey_missing", 9, cause.Nobody, "or the upstream has its own data for it"},
		{"a blocked name", "block.", dns.TypeA, nil, nil, "dnssec_dnskey_missing", 9, cause.Nobody, "or the upstream has its own data for it"},
		{"another upstream gives it signed", "www.", dns.TypeA, nil, []diagnose.Resolver{signed}, "dnssec_bogus", 6, cause.Nobody, "validates here comes from 192.0.2.54:53"},
		{"another upstream gives it unsigned too", "www.", dns.TypeA, nil, []diagnose.Resolver{twin}, "dnssec_dnskey_missing", 9, cause.Nobody, "or the upstream has its own data for it"},
		{"the zone's servers give it signed", "www.", dns.TypeA, func() *diagnose.Engine { return delegating(public) }, nil, "dnssec_bogus", 6, cause.Nobody, "validates here comes from the zones' own servers"},
		{"the zone's servers give no signatures either", "www.", dns.TypeA, func() *diagnose.Engine { return delegating(lost) }, nil, "dnssec_dnskey_missing", 9, cause.Zone, "has a DS at its parent but no DNSKEY"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, outer := engine(public), public
			if tc.engine != nil {
				e = tc.engine()
			}
			if tc.owner == cause.Zone {
				outer = lost
			}
			q := dns.Question{Name: tc.ask + "split.edetest.", Qtype: tc.typ, Qclass: dns.ClassINET}
			c := failing(q, inside(outer, own, "split.edetest."))
			c.Others = tc.others
			f := e.Diagnose(context.Background(), c)
			if causeOf(f) != tc.cause || f.Verdict.Codes()[0] != tc.code || f.Verdict.Owner != tc.owner || !strings.Contains(f.Text, tc.text) {
				t.Errorf("got %s %d by %s, %s", causeOf(f), f.Verdict.Codes()[0], f.Verdict.Owner, f.Text)
			}
			if tc.owner != cause.Zone && strings.HasPrefix(f.Verdict.Advice, "Tell the zone's owner") {
				t.Errorf("advice %s", f.Verdict.Advice)
			}
			if slices.ContainsFunc(f.Seen, func(s string) bool { return strings.Contains(s, "shows no sign of") }) {
				t.Errorf("ruled out are %q", f.Seen)
			}
			if f.Queries > diagnose.MaxQueries {
				t.Errorf("%d queries", f.Queries)
			}
		})
	}
}

// That a zone proves that there is no such child decides for every type of answer from
// there; an unsigned denial alone may be a filter's.
func TestAChildThatTheZoneDeniesIsTheUpstreams(t *testing.T) {
	public := bed.New(t, now, bed.Case{Name: "valid"})
	own := bed.New(t, now, bed.Case{Name: "valid", Before: bed.Unsigned, Children: func(b *bed.Bed, z *bed.Zone) {
		child := b.Zone("corp." + z.Name)
		child.Unsigned = true
		child.Add("intra.corp."+z.Name+" 300 IN CNAME www.example.net.", "ten.corp."+z.Name+" 300 IN A 10.0.0.5")
		child.Sign()
	}})
	filter := func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
		if q := m.Question[0]; q.Qtype == dns.TypeDS || !strings.HasPrefix(q.Name, "blocked.") {
			return public.Exchange()(ctx, q)
		}
		if !m.CheckingDisabled {
			return servfail(m)
		}
		return new(dns.Msg).SetRcode(m, dns.RcodeNameError), nil
	}
	for _, tc := range []struct {
		name  string
		typ   uint16
		cause string
	}{
		{"www.corp.valid.edetest.", dns.TypeA, "upstream_own_zone"},
		{"ten.corp.valid.edetest.", dns.TypeA, "upstream_own_zone"},
		{"intra.corp.valid.edetest.", dns.TypeA, "upstream_own_zone"},
		{"www.corp.valid.edetest.", dns.TypeTXT, "upstream_own_zone"},
		{"www.corp.valid.edetest.", dns.TypeMX, "upstream_own_zone"},
		{"nothing.corp.valid.edetest.", dns.TypeA, "upstream_own_zone"},
		{"blocked.corp.valid.edetest.", dns.TypeA, "dnssec_nsec_missing"},
	} {
		t.Run(tc.name+dns.Type(tc.typ).String(), func(t *testing.T) {
			up := inside(public, own, "corp.valid.edetest.")
			if strings.HasPrefix(tc.name, "blocked.") {
				up.Exchange = filter
			}
			f := engine(public).Diagnose(context.Background(), failing(dns.Question{Name: tc.name, Qtype: tc.typ, Qclass: dns.ClassINET}, up))
			if causeOf(f) != tc.cause || f.Verdict.Owner == cause.Zone {
				t.Errorf("got %s, %s", causeOf(f), f.Text)
			}
		})
	}
}

// An upstream that gives its reason is no witness against the zone either.
func TestTheUpstreamsReasonForAnUnsignedAnswerBlamesNoZone(t *testing.T) {
	own := bed.New(t, now, bed.Case{Name: "split", Before: bed.Unsigned})
	public := bed.New(t, now, bed.Case{Name: "split"})
	for _, code := range []uint16{dns.ExtendedErrorCodeDNSKEYMissing, dns.ExtendedErrorCodeRRSIGsMissing} {
		for _, e := range []*diagnose.Engine{engine(public), delegating(public)} {
			up := inside(public, own, "split.edetest.")
			bare := up.Exchange
			up.Exchange = func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				r, err := bare(ctx, m)
				if err == nil && r.Rcode == dns.RcodeServerFailure {
					r.SetEdns0(1232, true)
					r.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_EDE{InfoCode: code}}
				}
				return r, err
			}
			f := e.Diagnose(context.Background(), failing(question("www.split.edetest."), up))
			if f.Verdict.Owner == cause.Zone || strings.HasPrefix(f.Verdict.Advice, "Tell the zone's owner") {
				t.Errorf("said %d: got %s by %s, %s", code, causeOf(f), f.Verdict.Owner, f.Text)
			}
			if signed := strings.Contains(f.Text, "comes from the zones' own servers"); signed != (e.Delegation != nil) {
				t.Errorf("said %d: got %s, %s", code, causeOf(f), f.Text)
			}
		}
	}
}
