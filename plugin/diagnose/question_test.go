package diagnose_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/delegation"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

// Servers that have the zone and fail one question do not explain why another name fails.
func TestWhatAZonesServersFailAloneIsNoFaultOfTheWholeZone(t *testing.T) {
	for name, whole := range map[string]bool{"one type": false, "everything": true} {
		t.Run(name, func(t *testing.T) {
			b := bed.New(t, now, bed.Case{Name: "part", Before: bed.Both(bed.Unsigned, bed.At("127.0.53.9"))})
			exchange, direct := b.Exchange(), b.Direct(700*time.Millisecond)
			fails := func(q dns.Question) bool { return whole || q.Qtype == dns.TypeA }
			up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
				if q := m.Question[0]; dns.IsSubDomain("part.edetest.", q.Name) && q.Qtype != dns.TypeDS && fails(q) {
					return servfail(m)
				}
				return exchange(ctx, m.Question[0])
			}}
			e := engine(b)
			e.Delegation = &delegation.Prober{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.53.0/24")}, Direct: func(ctx context.Context, at netip.AddrPort, m *dns.Msg) (*dns.Msg, error) {
				if at.Addr().String() == "127.0.53.9" && fails(m.Question[0]) {
					return new(dns.Msg).SetRcode(m, dns.RcodeServerFailure), nil
				}
				return direct(ctx, at, m)
			}}
			f := e.Diagnose(context.Background(), failing(question("www.part.edetest."), up))
			if causeOf(f) != "lame_delegation" || f.Verdict.Owner != cause.Zone || f.Cut != whole {
				t.Errorf("got %s, cut %v: %s; %v", causeOf(f), f.Cut, f.Text, f.Steps)
			}
			if strings.Contains(f.Text, "have the zone") == whole || strings.Contains(f.Verdict.Advice, "this question alone") == whole {
				t.Errorf("got %s; %s", f.Text, f.Verdict.Advice)
			}
		})
	}
}

// A large answer that is lost over TCP says nothing of TCP as such.
func TestTCPThatAnswersOtherQuestionsIsNotCalledClosed(t *testing.T) {
	for name, all := range map[string]bool{"this answer is lost": false, "all are lost": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
					large := m.Question[0].Name != "."
					switch {
					case tcp && (large || all):
						return nil
					case large:
						r := answering(m, tcp)
						r.Truncated = true
						return r
					}
					return answering(m, tcp)
				})
				f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), timedOut(question("big.example.org."), up))
				if want := map[bool]string{true: "path_tcp_closed", false: "undecided"}[all]; causeOf(f) != want {
					t.Errorf("got %s, %s", causeOf(f), f.Text)
				}
				if strings.Contains(f.Text, "another question is answered over TCP") == all {
					t.Errorf("got %s", f.Text)
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

// Who refuses a type refuses no name.
func TestATypeThatIsRefusedIsToldFromTheName(t *testing.T) {
	up := new(counter).plain(func(m *dns.Msg, tcp bool) *dns.Msg {
		if m.Question[0].Qtype == dns.TypeANY {
			return rcode(m, dns.RcodeRefused)
		}
		return answering(m, tcp)
	})
	q := question("www.example.org.")
	q.Qtype = dns.TypeANY
	f := (&diagnose.Engine{Now: time.Now}).Diagnose(context.Background(), failing(q, up))
	if causeOf(f) != "only_one_type_fails" || !strings.Contains(f.Text, "refuses the type ANY, and answers the type A") {
		t.Errorf("got %s, %s", causeOf(f), f.Text)
	}
}

// A specific reason of the upstream's for a private name is about its own zone.
func TestAPrivateNameThatTheUpstreamRejectsIsItsOwn(t *testing.T) {
	for _, code := range []uint16{9, 10, 12} {
		b := bed.New(t, now, bed.Case{Name: "valid"})
		exchange := b.Exchange()
		up := diagnose.Resolver{Name: "192.0.2.53:53", Exchange: func(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
			switch q := m.Question[0]; {
			case !dns.IsSubDomain("corp.internal.", q.Name):
				return exchange(ctx, q)
			case m.CheckingDisabled:
				r := answering(m, false)
				a, _ := dns.NewRR(q.Name + " 60 IN A 10.1.1.1")
				r.Answer = append(r.Answer, a)
				return r, nil
			}
			r, _ := servfail(m)
			r.SetEdns0(1232, false)
			r.IsEdns0().Option = append(r.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code})
			return r, nil
		}}
		e := engine(b)
		e.Private = []string{"internal."}
		f := e.Diagnose(context.Background(), failing(question("db.corp.internal."), up))
		if causeOf(f) != "upstream_own_zone" || slices.Contains(f.Verdict.Codes(), code) {
			t.Errorf("%d %s: got %s, %s", code, option.Name(code), causeOf(f), f.Text)
		}
	}
}
