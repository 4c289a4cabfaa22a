package dnssec

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

var workTime = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func workRun(b *bed.Bed) *run {
	return newRun(context.Background(), &Validator{
		Exchange: b.Exchange(), Now: func() time.Time { return workTime }, Anchors: b.Anchor(),
	})
}

// names adds n names n0, n1... to a zone.
func names(n int) func(*bed.Zone) {
	lines := make([]string, n)
	for i := range n {
		lines[i] = fmt.Sprintf("n%d.%%s 300 IN TXT x", i)
	}
	return bed.Records(lines...)
}

// addresses adds an RRset of n records.
func addresses(n int) func(*bed.Zone) {
	lines := make([]string, n)
	for i := range n {
		lines[i] = fmt.Sprintf("many.%%s 300 IN A 192.0.%d.%d", i/256, i%256)
	}
	return bed.Records(lines...)
}

// A zone beyond a limit may hold all the same, so that it is never called bogus.
func TestAZoneBeyondALimitIsUndecidedAndNotBogus(t *testing.T) {
	for _, tc := range []struct {
		what          string
		within, above bed.Case
	}{
		{"keys of one tag", bed.Case{Before: bed.Collide(maxKeysPerTag - 1)}, bed.Case{Before: bed.Collide(maxKeysPerTag)}},
		{"keys of a zone", bed.Case{Before: bed.Keys(maxKeys - 2)}, bed.Case{Before: bed.Keys(maxKeys - 1)}},
		{"DS records", bed.Case{DS: bed.ManyDS(maxDS - 1)}, bed.Case{DS: bed.ManyDS(maxDS)}},
		{"records of an answer", bed.Case{Ask: "many", Before: addresses(maxRecords - 1)}, bed.Case{Ask: "many", Before: addresses(maxRecords)}},
		{"NSEC records", bed.Case{Ask: "zzz", Before: names(maxDenials), After: bed.Denials(maxDenials - 2)},
			bed.Case{Ask: "zzz", Before: names(maxDenials), After: bed.Denials(maxDenials)}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			tc.within.Name, tc.above.Name = "within", "above"
			b := bed.New(t, workTime, tc.within, tc.above)
			if f := workRun(b).question(tc.within.Question()); f.Status != Secure {
				t.Errorf("at the limit: %s %q", f.Status, f.Text)
			}
			if f := workRun(b).question(tc.above.Question()); f.Status != Undecided || len(f.Codes) > 0 {
				t.Errorf("above the limit: %s %q", f.Status, f.Text)
			}
		})
	}
}

// CVE-2023-50387: colliding keys times signatures times RRsets.
func TestKeysTimesSignaturesAreBounded(t *testing.T) {
	const sets = 200
	lines := make([]string, sets)
	for i := range lines {
		lines[i] = fmt.Sprintf("%%s 300 IN TYPE%d \\# 1 00", 65280+i)
	}
	c := bed.Case{Name: "trap", Type: dns.TypeANY,
		Before: func(z *bed.Zone) { bed.Records(lines...)(z); bed.Collide(30)(z) },
		After: func(z *bed.Zone) {
			for i := range lines {
				bed.Crowd(uint16(65280+i), maxSignatures-2)(z)
			}
		}}
	b := bed.New(t, workTime, c)
	r := workRun(b)
	f := r.question(c.Question())
	if r.checks > maxChecks+maxKeysPerTag || f.Status == Secure {
		t.Errorf("%d signatures checked, %s %q", r.checks, f.Status, f.Text)
	}
	for _, z := range r.zones {
		if z.name == "trap.edetest." && len(z.keys) != 32 {
			t.Errorf("%d keys", len(z.keys))
		}
	}
}

// CVE-2023-50868: a hash for each label, with the most iterations that are
// accepted, again and again.
func TestHashesAreBounded(t *testing.T) {
	c := bed.Case{Name: "deep", Ask: strings.TrimSuffix(strings.Repeat("a.", 110), "."), Before: bed.Hashed(maxIterations)}
	b := bed.New(t, workTime, c)
	r := workRun(b)
	f := r.question(c.Question())
	if r.hashes == 0 || r.hashes > maxHashes+maxIterations+1 || f.Status == Bogus {
		t.Errorf("%d hash rounds, %s %q", r.hashes, f.Status, f.Text)
	}
	// Whatever was spent, what is left is the bound.
	r = workRun(b)
	r.hashes = maxHashes
	if f := r.question(c.Question()); r.hashes > maxHashes+2*(maxIterations+1)*110 || f.Status != Undecided {
		t.Errorf("beyond the bound: %d, %s %q", r.hashes, f.Status, f.Text)
	}
}
