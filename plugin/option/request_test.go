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
		"NSID among other things": {queryWithOPT(512, false, ede(0, ""), nsid()), Request{size: 512, bits: hasOPT | hasNSID}},
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
