package option

import (
	"testing"

	"github.com/miekg/dns"
)

func queryWithOPT(size uint16, do bool, options ...dns.EDNS0) *dns.Msg {
	q := new(dns.Msg).SetQuestion("example.org.", dns.TypeA)
	q.SetEdns0(size, do)
	q.IsEdns0().Option = options
	return q
}

func nsid() dns.EDNS0 { return &dns.EDNS0_NSID{Code: dns.EDNS0NSID} }

func TestRequestOf(t *testing.T) {
	compact := queryWithOPT(1232, true)
	compact.IsEdns0().SetCo()
	for name, tc := range map[string]struct {
		query *dns.Msg
		want  Request
	}{
		"no message":              {nil, Request{}},
		"without OPT":             {new(dns.Msg).SetQuestion("example.org.", dns.TypeA), Request{}},
		"OPT":                     {queryWithOPT(1232, false), Request{size: 1232, bits: hasOPT}},
		"DO":                      {queryWithOPT(4096, true), Request{size: 4096, bits: hasOPT | hasDO}},
		"DO and CO":               {compact, Request{size: 1232, bits: hasOPT | hasDO | hasCO}},
		"NSID among other things": {queryWithOPT(512, false, ede(0, ""), nsid()), Request{size: 512, bits: hasOPT | hasNSID | hasEDE}},
		"EDE behind NSID":         {queryWithOPT(512, false, nsid(), ede(0, "")), Request{size: 512, bits: hasOPT | hasNSID | hasEDE}},
		"AD":                      {withAD(queryWithOPT(1232, false)), Request{size: 1232, bits: hasOPT | hasAD}},
		"AD without OPT":          {withAD(new(dns.Msg).SetQuestion("example.org.", dns.TypeA)), Request{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := RequestOf(tc.query)
			if got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
			if got.HasOPT() != (tc.want.bits&hasOPT != 0) {
				t.Errorf("HasOPT() = %v", got.HasOPT())
			}
		})
	}
}

func withAD(q *dns.Msg) *dns.Msg {
	q.AuthenticatedData = true
	return q
}

// What proxies add for a stub that reads no EDE is no interest of the stub.
func TestInterestIsADAnEDEOptionOrNSIDAndNothingElse(t *testing.T) {
	withCD := queryWithOPT(1232, true)
	withCD.CheckingDisabled = true
	for name, tc := range map[string]struct {
		query *dns.Msg
		want  bool
	}{
		"no OPT":         {new(dns.Msg).SetQuestion("example.org.", dns.TypeA), false},
		"AD without OPT": {withAD(new(dns.Msg).SetQuestion("example.org.", dns.TypeA)), false},
		"OPT":            {queryWithOPT(1232, false), false},
		"DO":             {queryWithOPT(1232, true), false},
		"DO and CD":      {withCD, false},
		"COOKIE":         {queryWithOPT(1232, false, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"}), false},
		"ECS":            {queryWithOPT(1232, false, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, Address: []byte{192, 0, 2, 0}}), false},
		"padding":        {queryWithOPT(1232, false, &dns.EDNS0_PADDING{Padding: make([]byte, 8)}), false},
		"DAU":            {queryWithOPT(1232, true, &dns.EDNS0_DAU{Code: dns.EDNS0DAU, AlgCode: []uint8{8, 13}}), false},
		"private option": {queryWithOPT(1232, false, &dns.EDNS0_LOCAL{Code: 65073, Data: []byte{1}}), false},
		"AD":             {withAD(queryWithOPT(1232, false)), true},
		"EDE":            {queryWithOPT(1232, false, ede(0, "")), true},
		"NSID":           {queryWithOPT(1232, false, nsid()), true},
	} {
		t.Run(name, func(t *testing.T) {
			received, _ := overTheWire(t, tc.query)
			if got := RequestOf(received); got.Interested() != tc.want || got.AsksForEDE() != (name == "EDE") {
				t.Errorf("interested: %v, asks for EDE: %v", got.Interested(), got.AsksForEDE())
			}
		})
	}
}

func TestRequestOutlivesChangesToTheQuery(t *testing.T) {
	q := queryWithOPT(1232, true, nsid())
	req := RequestOf(q)
	q.IsEdns0().SetDo(false)
	q.Extra = nil
	if want := (Request{size: 1232, bits: hasOPT | hasDO | hasNSID}); req != want {
		t.Errorf("%+v, want %+v", req, want)
	}
}

func TestRequestOfAllocatesNothing(t *testing.T) {
	q := queryWithOPT(1232, true, ede(0, ""), nsid())
	if n := testing.AllocsPerRun(100, func() { RequestOf(q) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRequestOf(b *testing.B) {
	q := queryWithOPT(1232, true, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"})
	b.ReportAllocs()
	for b.Loop() {
		RequestOf(q)
	}
}
