package dnssec_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

func TestQueriesAreBounded(t *testing.T) {
	b := bed.New(t, now)
	for limit := 1; limit < 12; limit++ {
		for _, c := range b.Cases() {
			v := validator(b)
			v.MaxQueries = limit
			f := v.Validate(context.Background(), c.Question())
			if f.Queries > limit {
				t.Fatalf("%s: %d queries, limit %d", c.Name, f.Queries, limit)
			}
			// Less evidence may mean no finding, but never another one.
			if len(f.Codes) > 0 {
				judge(t, c, f)
			}
		}
	}
}

func TestAliasChainsAreBounded(t *testing.T) {
	chain := func(n int) bed.Case {
		return bed.Case{Name: "chain", Ask: "c0", Before: func(z *bed.Zone) {
			for i := range n {
				z.Add(fmt.Sprintf("c%d.%s 300 IN CNAME c%d.%s", i, z.Name, i+1, z.Name))
			}
			z.Add(fmt.Sprintf("c%d.%s 300 IN A 192.0.2.9", n, z.Name))
		}}
	}
	loop := bed.Case{Name: "loop", Ask: "a", Before: bed.Records("a.%s 300 IN CNAME b.%s", "b.%s 300 IN CNAME a.%s")}
	for _, test := range []struct {
		name string
		c    bed.Case
		want dnssec.Status
	}{
		{"ten aliases", chain(10), dnssec.Secure},
		{"eleven aliases", chain(11), dnssec.Undecided},
		{"a loop", loop, dnssec.Undecided},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := bed.New(t, now, test.c)
			if f := validator(b).Validate(context.Background(), test.c.Question()); f.Status != test.want || len(f.Codes) > 0 {
				report(t, f)
				t.Fail()
			}
		})
	}
}

func TestSignaturesTriedAreBounded(t *testing.T) {
	for n, want := range map[int]dnssec.Status{15: dnssec.Secure, 16: dnssec.Undecided, 500: dnssec.Undecided} {
		c := bed.Case{Name: "crowd", After: bed.Crowd(dns.TypeA, n)}
		b := bed.New(t, now, c)
		if f := validator(b).Validate(context.Background(), c.Question()); f.Status != want {
			t.Errorf("%d bad signatures first: want %s", n, want)
			report(t, f)
		}
	}
}

func TestTextsStayShortForTheLongestNames(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 60)+".", 3)
	c := bed.Case{Name: "long", Ask: strings.TrimSuffix(long, "."), Before: bed.Records(long + "%s 300 IN A 192.0.2.9"),
		After: bed.Times(dns.TypeA, -40*day, -10*day)}
	b := bed.New(t, now, c)
	f := validator(b).Validate(context.Background(), c.Question())
	if len(f.Codes) != 1 || f.Codes[0] != 7 || len(f.Text) > 180 || !strings.Contains(f.Text, "long.edetest.") || !strings.Contains(f.Text, "expired") {
		report(t, f)
		t.Fail()
	}
}

func TestOddQuestionsAreUndecided(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	for _, q := range []dns.Question{
		{},
		{Name: "", Qtype: dns.TypeA, Qclass: dns.ClassINET},
		{Name: strings.Repeat("x.", 200), Qtype: dns.TypeA, Qclass: dns.ClassINET},
		{Name: "valid.edetest.", Qtype: dns.TypeA, Qclass: dns.ClassCHAOS},
		{Name: "valid.edetest.", Qtype: dns.TypeRRSIG, Qclass: dns.ClassINET},
	} {
		if f := validator(b).Validate(context.Background(), q); f.Status != dnssec.Undecided || f.Queries > 0 {
			t.Errorf("%v: %+v", q, f)
		}
	}
}

func TestCancelledContextEndsTheValidation(t *testing.T) {
	b := bed.New(t, now, bed.Case{Name: "valid"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f := validator(b).Validate(ctx, www); f.Status != dnssec.Undecided || f.Queries > 0 {
		report(t, f)
		t.Fail()
	}
}

func BenchmarkValidate(b *testing.B) {
	tree := bed.New(b, now, bed.Case{Name: "valid"})
	v := validator(tree)
	for b.Loop() {
		if f := v.Validate(context.Background(), www); f.Status != dnssec.Secure {
			b.Fatal(f.Text)
		}
	}
}

// FuzzValidate turns octets of the answers on their way. The zone asked about has
// no signature over its A set, so nothing that a changed octet can do may make it
// secure or insecure.
func FuzzValidate(f *testing.F) {
	tree := bed.New(f, now)
	f.Add(uint8(0), uint8(1), uint16(30), uint8(1), uint16(31), uint8(255))
	f.Add(uint8(1), uint8(2), uint16(3), uint8(3), uint16(90), uint8(7))
	f.Add(uint8(2), uint8(3), uint16(11), uint8(1), uint16(120), uint8(128))
	f.Fuzz(func(t *testing.T, pick, at uint8, off1 uint16, x1 uint8, off2 uint16, x2 uint8) {
		cases := tree.Cases()
		c := cases[int(pick)%len(cases)]
		v := validator(tree)
		next, n := v.Exchange, uint8(0)
		v.Exchange = func(ctx context.Context, q dns.Question) (*dns.Msg, error) {
			m, err := next(ctx, q)
			if err != nil {
				return nil, err
			}
			if n++; at != 0 && n%at != 0 {
				return m, nil
			}
			wire, err := m.Pack()
			if err != nil {
				return nil, err
			}
			wire[int(off1)%len(wire)] ^= x1
			wire[int(off2)%len(wire)] ^= x2
			changed := new(dns.Msg)
			return changed, changed.Unpack(wire)
		}
		found := v.Validate(context.Background(), c.Question())
		if found.Queries > 60 || len(found.Text) > 180 {
			t.Fatalf("%d queries, text %q", found.Queries, found.Text)
		}
		if (found.Status == dnssec.Bogus) != (len(found.Codes) > 0) && found.Status != dnssec.Insecure {
			t.Fatalf("%s with %v", found.Status, found.Codes)
		}
		if c.Name == "rrsig-no-a" && (found.Status == dnssec.Secure || found.Status == dnssec.Insecure) {
			t.Fatalf("forged: %+v", found)
		}
	})
}
