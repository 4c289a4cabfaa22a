package dnssec_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

func question(name string, typ uint16) dns.Question {
	return dns.Question{Name: name, Qtype: typ, Qclass: dns.ClassINET}
}

var www = question("www.valid.edetest.", dns.TypeA)

func TestTwoZonesOutOfTheirTimeSpeakAgainstTheClock(t *testing.T) {
	root := func(change func(*bed.Zone)) func(b *bed.Bed) { return func(b *bed.Bed) { change(b.Root) } }
	both := func(change func(*bed.Zone)) func(b *bed.Bed) {
		return func(b *bed.Bed) { change(b.Root); change(b.TLD) }
	}
	unsignedTLD := func(b *bed.Bed) { bed.Times(0, -40*day, -10*day)(b.Root); bed.Unsign(dns.TypeSOA)(b.TLD) }
	const none, clock, old = 0, 1, 2
	for _, test := range []struct {
		name   string
		change func(b *bed.Bed)
		says   int
		code   uint16
	}{
		{"all has expired", both(bed.Times(0, -40*day, -10*day)), clock, 0},
		{"nothing is valid yet", both(bed.Times(0, 10*day, 40*day)), clock, 0},
		{"all but the root's DNSKEY signature has expired", both(func(z *bed.Zone) {
			bed.Times(0, -40*day, -day)(z)
			bed.Times(dns.TypeDNSKEY, -40*day, day)(z)
		}), clock, 0},
		{"the root alone has expired, before the other zone was signed", root(bed.Times(0, -40*day, -10*day)), old, 0},
		{"all of the root but its DNSKEY signature has expired", root(func(z *bed.Zone) {
			bed.Times(0, -40*day, -10*day)(z)
			bed.Times(dns.TypeDNSKEY, -40*day, day)(z)
		}), old, 0},
		{"the root alone has expired, after the other zone was signed", root(bed.Times(0, -40*day, -time.Hour)), none, 0},
		{"the root alone is not valid yet", root(bed.Times(0, 10*day, 40*day)), none, 0},
		{"the root has expired, and no other zone is signed", unsignedTLD, none, 0},
		{"the root has expired, and the other zone is not valid yet", func(b *bed.Bed) { bed.Times(0, -40*day, -10*day)(b.Root); bed.Times(0, 10*day, 40*day)(b.TLD) }, none, 0},
		{"only the DS signature has expired", root(bed.Times(dns.TypeDS, -40*day, -day)), none, 7},
		{"the zone below has expired", func(b *bed.Bed) { bed.Times(0, -40*day, -day)(b.TLD) }, none, 7},
		{"the root's DNSKEY signature is corrupt", root(bed.Corrupt(dns.TypeDNSKEY)), none, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bed.New(t, now, bed.Case{Name: "valid"})
			test.change(b)
			f := validator(b).Validate(context.Background(), www)
			ok := f.Clock == (test.says == clock) && f.Old == (test.says == old) && len(f.Codes) == 0 && f.Status == dnssec.Undecided
			if test.code != 0 {
				ok = !f.Clock && !f.Old && f.Status == dnssec.Bogus && len(f.Codes) == 1 && f.Codes[0] == test.code
			}
			if !ok {
				report(t, f)
				t.Fail()
			}
		})
	}
}

// The zone of a private anchor is one witness too. The root is another, if there is an
// anchor for it, and otherwise a zone that is not below the anchor.
func TestAPrivateAnchorAloneDoesNotSpeakAgainstTheClock(t *testing.T) {
	expired := bed.Times(0, -40*day, -10*day)
	for _, test := range []struct {
		name   string
		below  string // the zone of the anchor
		root   bool   // whether the root has an anchor too
		change func(b *bed.Bed)
		clock  bool
		status dnssec.Status
	}{
		{"the top-level domain is in its time", "valid.edetest.", false, func(*bed.Bed) {}, false, dnssec.Bogus},
		{"the top-level domain has expired too", "valid.edetest.", false, func(b *bed.Bed) { expired(b.TLD) }, true, dnssec.Undecided},
		{"no other zone is signed", "valid.edetest.", false, func(b *bed.Bed) { bed.Unsign(dns.TypeSOA)(b.TLD) }, false, dnssec.Undecided},
		{"the top-level domain is the anchor's own", "edetest.", false, func(b *bed.Bed) { expired(b.TLD) }, false, dnssec.Undecided},
		{"the root is in its time", "valid.edetest.", true, func(*bed.Bed) {}, false, dnssec.Bogus},
		{"the root and the top-level domain have expired too", "valid.edetest.", true, func(b *bed.Bed) { expired(b.Root); expired(b.TLD) }, true, dnssec.Undecided},
	} {
		t.Run(test.name, func(t *testing.T) {
			var key dns.RR
			b := bed.New(t, now, bed.Case{Name: "valid", After: func(z *bed.Zone) { expired(z); key = z.KSK().Published }})
			v := validator(b)
			if v.Anchors = []dns.RR{key}; test.below == "edetest." {
				v.Anchors = []dns.RR{b.TLD.KSK().Published}
			}
			if test.root {
				v.Anchors = append(v.Anchors, b.Anchor()...)
			}
			test.change(b)
			if f := v.Validate(context.Background(), www); f.Clock != test.clock || f.Status != test.status || f.Old {
				report(t, f)
				t.Fail()
			}
		})
	}
}

func TestWhatCannotBeHadIsUndecided(t *testing.T) {
	failing := errors.New("read udp: i/o timeout")
	type exchange = dnssec.Exchange
	for _, test := range []struct {
		name string
		wrap func(next exchange) exchange
		text string
	}{
		{"nothing is answered", func(exchange) exchange {
			return func(context.Context, dns.Question) (*dns.Msg, error) { return nil, failing }
		}, "no answer to . DNSKEY"},
		{"an exchange without answer and error", func(exchange) exchange {
			return func(context.Context, dns.Question) (*dns.Msg, error) { return nil, nil }
		}, "no answer to . DNSKEY"},
		{"everything is refused", func(exchange) exchange {
			return func(_ context.Context, q dns.Question) (*dns.Msg, error) {
				return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeRefused}}, nil
			}
		}, ". DNSKEY was answered REFUSED even with CD=1"},
		{"the budget is used up at once", func(exchange) exchange {
			return func(context.Context, dns.Question) (*dns.Msg, error) { return nil, dnssec.ErrBudget }
		}, "used up after 1 queries, before . DNSKEY"},
		{"the budget is used up on the way", func(next exchange) exchange {
			n := 0
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				if n++; n > 3 {
					return nil, dnssec.ErrBudget
				}
				return next(ctx, q)
			}
		}, "used up after 4 queries, before edetest. DS"},
		{"RRSIGs are stripped on the way", func(next exchange) exchange {
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				m, err := next(ctx, q)
				if err == nil {
					m.Answer, m.Ns = strip(m.Answer), strip(m.Ns)
				}
				return m, err
			}
		}, "gives no RRSIGs"},
		{"the DS of the zone is refused", func(next exchange) exchange {
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				if q.Qtype == dns.TypeDS && q.Name == "valid.edetest." {
					return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeRefused}}, nil
				}
				return next(ctx, q)
			}
		}, "valid.edetest. DS was answered REFUSED"},
		{"the answer itself is SERVFAIL", func(next exchange) exchange {
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				if q == www {
					return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeServerFailure}}, nil
				}
				return next(ctx, q)
			}
		}, "www.valid.edetest. A was answered SERVFAIL even with CD=1"},
		{"the answer is truncated", func(next exchange) exchange {
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				m, err := next(ctx, q)
				if err == nil && q == www {
					m.Truncated = true
				}
				return m, err
			}
		}, "came truncated"},
		{"the zone answers nothing at all", func(next exchange) exchange {
			return func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
				if strings.HasSuffix(q.Name, "valid.edetest.") && q.Qtype != dns.TypeDS {
					return nil, failing
				}
				return next(ctx, q)
			}
		}, "no answer to valid.edetest. DNSKEY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bed.New(t, now, bed.Case{Name: "valid"})
			v := validator(b)
			v.Exchange = test.wrap(v.Exchange)
			f := v.Validate(context.Background(), www)
			if f.Status != dnssec.Undecided || len(f.Codes) > 0 || f.Clock || !strings.Contains(f.Text, test.text) {
				t.Errorf("want undecided, %q", test.text)
				report(t, f)
			}
		})
	}
}

func strip(rrs []dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeRRSIG {
			kept = append(kept, rr)
		}
	}
	return kept
}

func TestDNSKEYThatFailsOnceIsNotTheZonesFault(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	v := validator(b)
	next, failed := v.Exchange, false
	v.Exchange = func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
		if q.Qtype == dns.TypeDNSKEY && q.Name == "valid.edetest." && !failed {
			failed = true
			return nil, errors.New("lost")
		}
		return next(ctx, q)
	}
	if f := v.Validate(context.Background(), www); f.Status != dnssec.Secure || !failed {
		report(t, f)
		t.Fail()
	}
}

func TestNamesThatThePublicTreeDoesNotJudge(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"}, bed.Case{Name: "rrsig-exp-a", After: bed.Times(dns.TypeA, -40*day, -10*day)})
	key := b.TLD.KSK().Published
	for _, test := range []struct {
		name     string
		negative []string
		anchors  []dns.RR
		ask      string
		want     dnssec.Status
		queries  bool
	}{
		{"a negative anchor at the name", []string{"Rrsig-Exp-A.edetest"}, b.Anchor(), "rrsig-exp-a.edetest.", dnssec.Insecure, false},
		{"a negative anchor above the name", []string{"edetest."}, b.Anchor(), "rrsig-exp-a.edetest.", dnssec.Insecure, false},
		{"a negative anchor next to the name", []string{"exp-a.edetest."}, b.Anchor(), "rrsig-exp-a.edetest.", dnssec.Bogus, true},
		{"an anchor at the negative anchor wins", []string{"edetest."}, []dns.RR{key}, "rrsig-exp-a.edetest.", dnssec.Bogus, true},
		{"an anchor below the root, valid", nil, []dns.RR{key}, "valid.edetest.", dnssec.Secure, true},
		{"a negative anchor below the anchor wins", []string{"valid.edetest."}, []dns.RR{key}, "valid.edetest.", dnssec.Insecure, false},
		{"no anchor above the name", nil, []dns.RR{key}, "example.org.", dnssec.Insecure, false},
		{"anchors of another root", nil, dnssec.RootAnchors(), "valid.edetest.", dnssec.Undecided, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := validator(b)
			v.NegativeAnchors, v.Anchors = test.negative, test.anchors
			f := v.Validate(context.Background(), question(test.ask, dns.TypeA))
			if f.Status != test.want || (f.Queries > 0) != test.queries || f.Status != dnssec.Bogus && len(f.Codes) > 0 {
				report(t, f)
				t.Fail()
			}
		})
	}
}

func TestCompactDenialOfExistence(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "compact", After: bed.CompactDenial})
	for _, name := range []string{"nothing.compact.edetest.", "a.b.nothing.compact.edetest."} {
		if f := validator(b).Validate(context.Background(), question(name, dns.TypeA)); f.Status != dnssec.Secure {
			report(t, f)
			t.Fail()
		}
	}
}

func TestTextsSayWhatIsAtFault(t *testing.T) {
	b := bed.New(t, now)
	stamp := now.Add(-10 * day).Format(time.RFC3339)
	for name, want := range map[string][]string{
		"rrsig-exp-a":    {"RRSIG of rrsig-exp-a.edetest. A by key ", " expired " + stamp},
		"ds-bad-tag":     {"DS ", " of ds-bad-tag.edetest. matches none of its DNSKEYs (key tags "},
		"rrsig-no-a":     {"no RRSIG covers rrsig-no-a.edetest. A"},
		"dnskey-timeout": {"dnskey-timeout.edetest. has a DS but its DNSKEY cannot be fetched"},
		"nsec3-missing":  {"no NSEC or NSEC3 record of nsec3-missing.edetest. to prove that"},
		"nsec3-iter-200": {"200 iterations"},
	} {
		for _, c := range b.Cases() {
			if c.Name != name {
				continue
			}
			f := validator(b).Validate(context.Background(), c.Question())
			for _, part := range want {
				if !strings.Contains(f.Text, part) {
					t.Errorf("%s: %q lacks %q", name, f.Text, part)
				}
			}
			if name == "rrsig-exp-a" && (f.Expiration != now.Add(-10*day) || f.Inception != now.Add(-40*day) ||
				f.Algorithm != dns.ECDSAP256SHA256 || f.Zone != "rrsig-exp-a.edetest." || f.Type != dns.TypeA) {
				t.Errorf("the finding is %+v", f)
			}
		}
	}
}
