package dnssec_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/dnssec"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func validator(b *bed.Bed) *dnssec.Validator {
	return &dnssec.Validator{
		Exchange: b.Exchange(),
		Now:      func() time.Time { return now },
		Anchors:  b.Anchor(),
	}
}

// report shows the trace of a finding that a test did not expect.
func report(t *testing.T, f dnssec.Finding) {
	t.Helper()
	t.Logf("%s %v %q at %s, %d queries", f.Status, f.Codes, f.Text, f.Zone, f.Queries)
	for _, s := range f.Steps {
		t.Logf("  %s ok=%v %s", s.Zone, s.OK, s.What)
	}
}

// judge holds a finding against what a case allows: an expected code first, then
// only true ones, and none where nothing is wrong.
func judge(t *testing.T, c bed.Case, f dnssec.Finding) {
	t.Helper()
	ok := true
	switch {
	case c.Undecided:
		ok = f.Status == dnssec.Undecided && len(f.Codes) == 0
	case len(c.Expected) == 0:
		ok = f.Status == dnssec.Secure || f.Status == dnssec.Insecure
	case len(f.Codes) == 0 || !slices.Contains(c.Expected, f.Codes[0]):
		ok = false
	case c.FailRcode == dns.RcodeServerFailure:
		ok = f.Status == dnssec.Bogus
	default:
		ok = f.Status == dnssec.Insecure
	}
	for _, code := range f.Codes {
		ok = ok && (slices.Contains(c.Expected, code) || slices.Contains(c.AlsoTrue, code))
	}
	if len(f.Text) > 180 {
		t.Errorf("the text has %d octets", len(f.Text))
	}
	if !ok {
		t.Errorf("want one of %v (also true %v)", c.Expected, c.AlsoTrue)
		report(t, f)
	}
}

func TestEveryCaseGetsItsMostSpecificCode(t *testing.T) {
	b := bed.New(t, now)
	v := validator(b)
	for _, c := range b.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			f := v.Validate(context.Background(), c.Question())
			judge(t, c, f)
			if f.Queries > 20 {
				t.Errorf("%d queries", f.Queries)
			}
			if testing.Verbose() {
				report(t, f)
			}
		})
	}
}
