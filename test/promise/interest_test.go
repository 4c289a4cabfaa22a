package promise_test

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestInterestIsShownByThreeThings(t *testing.T) {
	for _, tc := range []struct {
		name string
		want bool
	}{
		{"glibc edns0: OPT", false}, {"resolved: DO, algorithms", false}, {"BIND: DO, CD, COOKIE", false}, {"Firefox: subnet, padding", false},
		{"dig: OPT, AD, COOKIE", true}, {"NSID alone", true}, {"doggo --ede: EDE", true}, {"Chromium: padding, EDE", true},
	} {
		all, _ := queries(t, "www.example.org.")
		i := slices.IndexFunc(all, func(q query) bool { return q.name == tc.name })
		if i < 0 {
			t.Fatalf("no query %q", tc.name)
		}
		if got := (rule{}).attaches(all[i].m, dns.RcodeServerFailure); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
		if !(rule{}).attaches(all[i].m, dns.RcodeRefused) || !(rule{always: true}).attaches(all[i].m, dns.RcodeServerFailure) {
			t.Errorf("%s: nothing is attached to REFUSED, or to a network where it always is", tc.name)
		}
	}
}

func TestTheRuleSeesWhatDiffers(t *testing.T) {
	plain := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	plain.SetEdns0(1232, false)
	q := query{m: plain}
	answer := func(rcode int, edes ...uint16) []byte {
		r := new(dns.Msg).SetRcode(plain, rcode)
		r.SetEdns0(1232, false)
		for _, code := range edes {
			r.IsEdns0().Option = append(r.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: code})
		}
		wire, err := r.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return wire
	}
	for _, tc := range []struct {
		name       string
		got, stock []byte
		want       bool
	}{
		{"the same", answer(2), answer(2), true},
		{"an EDE without interest", answer(2, 6), answer(2), false},
		{"an upstream's EDE stays", answer(2, 6), answer(2, 6), true},
		{"an upstream's EDE is lost", answer(2), answer(2, 6), false},
		{"an EDE on REFUSED", answer(5, 18), answer(5), true},
		{"an EDE on a success", answer(0, 3), answer(0), false},
		{"another rcode", answer(5), answer(2), false},
	} {
		if got := (rule{}).same(q, tc.got, tc.stock, false); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	two := [][]byte{answer(0), answer(2)}
	if wrong := (rule{}).judge(q, (rule{}).expect(q, two, two), two[1:], false); wrong != "" {
		t.Errorf("of two answers the one with the returned rcode: %s", wrong)
	}
	if (rule{}).judge(q, (rule{}).expect(q, two, two), two[:1], false) == "" || (rule{}).judge(q, (rule{}).expect(q, two, two), two, false) == "" {
		t.Error("the empty NOERROR, or both, may leave")
	}
	if (rule{}).judge(q, (rule{}).expect(q, nil, nil), two[1:], false) == "" {
		t.Error("a drop may be answered")
	}
}
