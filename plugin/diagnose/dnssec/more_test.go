package dnssec_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
)

const day = 24 * time.Hour

func TestFurtherStatesOfAZone(t *testing.T) {
	b := bed.New(t, now, bed.All()...)
	v := validator(b)
	for _, c := range bed.Further() {
		t.Run(c.Name, func(t *testing.T) {
			f := v.Validate(context.Background(), c.Question())
			judge(t, c, f)
			if f.Queries > 40 {
				t.Errorf("%d queries", f.Queries)
			}
			if testing.Verbose() {
				report(t, f)
			}
		})
	}
}

func TestNoTwoCasesShareAZone(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range bed.All() {
		if seen[c.Name] {
			t.Errorf("%s stands twice", c.Name)
		}
		seen[c.Name] = true
	}
}

func TestSecureAndInsecureAreToldApart(t *testing.T) {
	b := bed.New(t, now, bed.All()...)
	v := validator(b)
	insecure := []string{"no-ds", "unsigned", "unsigned-nxdomain", "opt-out-unsigned-child", "opt-out-nxdomain",
		"unsigned-child", "unsigned-child-nsec3", "cname-to-unsigned", "cname-to-no-ds", "dname-to-unsigned",
		"island-broken", "island-unsigned-parent", "island-without-denial"}
	for _, c := range b.Cases() {
		if len(c.Expected) > 0 {
			continue
		}
		f := v.Validate(context.Background(), c.Question())
		want := "secure"
		if slices.Contains(insecure, c.Name) {
			want = "insecure"
		}
		if f.Status.String() != want {
			t.Errorf("%s: want %s", c.Name, want)
			report(t, f)
		}
	}
}
