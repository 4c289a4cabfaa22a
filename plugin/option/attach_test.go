package option

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var (
	plainQuery = Request{}
	ednsQuery  = Request{size: 1232, bits: hasOPT | hasDO}
	two        = []Option{{22, "at delegation example.org.", Upstream}, {23, "no reply within 2 s", Local}}
)

func tsig(mac string) *dns.TSIG {
	return &dns.TSIG{
		Hdr:       dns.RR_Header{Name: "key.example.org.", Rrtype: dns.TypeTSIG, Class: dns.ClassANY},
		Algorithm: dns.HmacSHA256, MAC: mac, MACSize: uint16(len(mac) / 2),
	}
}

func sig0() *dns.SIG {
	return &dns.SIG{RRSIG: dns.RRSIG{
		Hdr:       dns.RR_Header{Name: ".", Rrtype: dns.TypeSIG, Class: dns.ClassANY},
		Algorithm: dns.ED25519, SignerName: "key.example.org.", Signature: "c2ln",
	}}
}

func address(name string) *dns.A {
	return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, 1}}
}

func types(extra []dns.RR) []uint16 {
	var got []uint16
	for _, rr := range extra {
		got = append(got, rr.Header().Rrtype)
	}
	return got
}

func TestAttachToQueryWithoutOPT(t *testing.T) {
	reply := failure("example.org.", ede(15, "by acl"))
	reply.Extra = append([]dns.RR{address("ns.example.org.")}, reply.Extra...)
	out := Attach(reply, plainQuery, 512, two)
	if got := types(out.Extra); !slices.Equal(got, []uint16{dns.TypeA}) {
		t.Errorf("additional section %v", got)
	}
	if len(reply.Extra) != 2 {
		t.Error("the OPT went out of the reply itself")
	}

	reply.Truncated = true
	if optOf(Attach(reply, plainQuery, 512, two)) != nil {
		t.Error("truncated reply keeps its OPT")
	}

	reply.Rcode = dns.RcodeBadCookie
	out = Attach(reply, plainQuery, 512, two)
	if _, err := out.Pack(); err != nil {
		t.Errorf("extended RCODE: %v", err)
	}
}

func TestAttachAddsAnOPT(t *testing.T) {
	reply := failure("example.org.")
	out, _ := overTheWire(t, Attach(reply, ednsQuery, 1232, two))
	opt := optOf(out)
	if opt == nil {
		t.Fatal("no OPT")
	}
	if opt.UDPSize() != 1232 || !opt.Do() || opt.Co() || opt.Version() != 0 || opt.Hdr.Name != "." {
		t.Errorf("OPT %v", opt)
	}
	sameOptions(t, codes(out), []Option{{Code: 22, Text: two[0].Text}, {Code: 23, Text: two[1].Text}})
	if out.Rcode != dns.RcodeServerFailure {
		t.Errorf("rcode %d", out.Rcode)
	}
	if len(reply.Extra) != 0 {
		t.Error("reply was changed")
	}
}

func TestAttachGivesItsOPTTheFlagsOfTheQuery(t *testing.T) {
	for _, req := range []Request{{bits: hasOPT}, {bits: hasOPT | hasDO}, {bits: hasOPT | hasCO}} {
		opt := optOf(Attach(failure("example.org."), req, 512, two))
		if opt.Do() != req.has(hasDO) || opt.Co() != req.has(hasCO) {
			t.Errorf("%+v: DO %v, CO %v", req, opt.Do(), opt.Co())
		}
	}
}

func TestAttachWithoutOptionsLeavesTheOPTToCoreDNS(t *testing.T) {
	if out := Attach(failure("example.org."), ednsQuery, 1232, nil); optOf(out) != nil {
		t.Error("has OPT")
	}
}

func TestAttachKeepsTheRestOfAnOPT(t *testing.T) {
	cookie := &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "00112233445566778899aabbccddeeff"}
	reply := failure("example.org.", ede(6, "theirs"), cookie, ede(0, ""), &dns.EDNS0_LOCAL{Code: dns.EDNS0EDE, Data: []byte{0, 1}})
	opt := optOf(reply)
	opt.SetUDPSize(4096)
	opt.SetVersion(1)
	opt.SetZ(5)
	reply.Extra = []dns.RR{address("a.example.org."), opt, address("b.example.org.")}
	before := reply.Copy()

	out := Attach(reply, Request{size: 1232, bits: hasOPT}, 1232, two)
	if got := types(out.Extra); !slices.Equal(got, []uint16{dns.TypeA, dns.TypeOPT, dns.TypeA}) {
		t.Fatalf("additional section %v", got)
	}
	own := optOf(out)
	if own == opt {
		t.Fatal("OPT is shared with the reply")
	}
	if own.Hdr != opt.Hdr {
		t.Errorf("header %v, want %v", own.Hdr, opt.Hdr)
	}
	if len(own.Option) != 3 || own.Option[0].String() != cookie.String() || own.Option[0] == dns.EDNS0(cookie) {
		t.Errorf("options %v", own.Option)
	}
	sameOptions(t, codes(out), []Option{{Code: 22, Text: two[0].Text}, {Code: 23, Text: two[1].Text}})
	if out.Extra[0] != reply.Extra[0] || out.Extra[2] != reply.Extra[2] {
		t.Error("address records were copied")
	}
	if reply.String() != before.String() {
		t.Errorf("reply was changed:\n%v", reply)
	}
	// What is done to the copy afterwards must not show in the reply either.
	own.SetUDPSize(512)
	out.Extra[0] = nil
	if reply.String() != before.String() {
		t.Error("additional section is shared")
	}
}

func TestAttachWithNoOptionsTakesTheOldOnesOff(t *testing.T) {
	out := Attach(failure("example.org.", ede(6, "theirs")), ednsQuery, 1232, nil)
	if optOf(out) == nil || codes(out) != nil {
		t.Errorf("got %v", out)
	}
}

func TestAttachLeavesOneOPTOfSeveral(t *testing.T) {
	reply := failure("example.org.", ede(6, "theirs"))
	reply.Extra = append(reply.Extra, dns.Copy(reply.Extra[0]), address("a.example.org."))
	out := Attach(reply, ednsQuery, 1232, two[:1])
	if got := types(out.Extra); !slices.Equal(got, []uint16{dns.TypeOPT, dns.TypeA}) {
		t.Errorf("additional section %v", got)
	}
	sameOptions(t, codes(out), []Option{{Code: 22, Text: two[0].Text}})
}

func TestAttachAddsNothingToATruncatedReply(t *testing.T) {
	reply := failure("example.org.")
	for range 2 {
		reply.Truncated = true
		out := Attach(reply, ednsQuery, 1232, two)
		if out.String() != reply.String() {
			t.Errorf("got %v", out)
		}
		if out == reply || optOf(reply) != nil && optOf(out) == optOf(reply) {
			t.Error("not a copy")
		}
		reply.SetEdns0(1232, false)
	}
}

func TestAttachReplacesWhatATruncatedReplySays(t *testing.T) {
	reply := failure("example.org.", ede(6, "theirs\x1b[31m"))
	reply.Truncated = true
	out := Attach(reply, ednsQuery, 1232, two)
	sameOptions(t, codes(out), []Option{{Code: 22, Text: two[0].Text}, {Code: 23, Text: two[1].Text}})
	if !out.Truncated {
		t.Error("TC is lost")
	}
}

func TestAttachPutsTheSignatureLast(t *testing.T) {
	for name, tc := range map[string]struct {
		extra []dns.RR
		want  []uint16
	}{
		"no record":          {nil, []uint16{dns.TypeOPT}},
		"TSIG":               {[]dns.RR{address("a."), tsig("")}, []uint16{dns.TypeA, dns.TypeOPT, dns.TypeTSIG}},
		"SIG(0)":             {[]dns.RR{sig0()}, []uint16{dns.TypeOPT, dns.TypeSIG}},
		"SIG over some type": {[]dns.RR{&dns.SIG{RRSIG: dns.RRSIG{Hdr: dns.RR_Header{Rrtype: dns.TypeSIG}, TypeCovered: dns.TypeA}}}, []uint16{dns.TypeSIG, dns.TypeOPT}},
	} {
		t.Run(name, func(t *testing.T) {
			reply := failure("example.org.")
			reply.Extra = tc.extra
			if got := types(Attach(reply, ednsQuery, 1232, two).Extra); !slices.Equal(got, tc.want) {
				t.Errorf("additional section %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAttachSendsNoHostileText(t *testing.T) {
	out := Attach(failure("example.org."), ednsQuery, 1232, []Option{{Code: 0, Text: "a\x1b[0m\r\n\u202eb\xff\x00"}})
	sameOptions(t, codes(out), []Option{{Text: "a[0m b\ufffd"}})
}

func BenchmarkAttach(b *testing.B) {
	for name, reply := range map[string]*dns.Msg{
		"reply without OPT": failure("www.example.org."),
		"reply with OPT":    failure("www.example.org.", ede(6, "theirs")),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Attach(reply, ednsQuery, 1232, two)
			}
		})
	}
}

// acl's own refusal has just the option that it is to have; nothing is copied.
func TestAttachReturnsAReplyThatHasTheOptionsAsItIs(t *testing.T) {
	own := []Option{{Code: 15, Text: "by acl"}}
	reply := failure("example.org.", ede(15, "by acl"))
	if out := Attach(reply, ednsQuery, 512, own); out != reply {
		t.Error("a copy")
	}
	for name, c := range map[string]struct {
		change func(*dns.Msg, *Request)
		opts   []Option
		limit  int
	}{
		"another text":      {opts: []Option{{Code: 15, Text: "by ACL"}}},
		"another code":      {opts: []Option{{Code: 18, Text: "by acl"}}},
		"one more":          {opts: append(slices.Clone(own), Option{Code: 18})},
		"none":              {opts: nil},
		"no room":           {opts: own, limit: 30},
		"a query for NSID":  {opts: own, change: func(_ *dns.Msg, r *Request) { r.bits |= hasNSID }},
		"no OPT in a query": {opts: own, change: func(_ *dns.Msg, r *Request) { *r = plainQuery }},
		"a record":          {opts: own, change: func(m *dns.Msg, _ *Request) { m.Answer = []dns.RR{address("example.org.")} }},
		"with an address":   {opts: own, change: func(m *dns.Msg, _ *Request) { m.Extra = append(m.Extra, address("example.org.")) }},
		"two OPT":           {opts: own, change: func(m *dns.Msg, _ *Request) { m.Extra = append(m.Extra, m.Extra[0]) }},
		"truncated":         {opts: own, change: func(m *dns.Msg, _ *Request) { m.Truncated = true }},
	} {
		m, req, limit := failure("example.org.", ede(15, "by acl")), ednsQuery, 512
		if c.change != nil {
			c.change(m, &req)
		}
		if c.limit > 0 {
			limit = c.limit
		}
		if out := Attach(m, req, limit, c.opts); out == m {
			t.Errorf("%s: the reply itself", name)
		}
	}
	hostile := failure("example.org.", ede(15, "by\x1b[2Jacl"))
	if out := Attach(hostile, ednsQuery, 512, []Option{{Code: 15, Text: "by\x1b[2Jacl"}}); out == hostile {
		t.Error("a hostile text is left as it is")
	}
}

// What is said to be the most octets of a message is never too little.
func TestAMessageIsNotLongerThanIsSaid(t *testing.T) {
	for _, name := range []string{".", "example.org.", `a\.b.example.org.`, `\000\255.example.org.`, strings.Repeat("a.", 127), ""} {
		for _, edns := range []bool{false, true} {
			m := new(dns.Msg).SetQuestion(name, dns.TypeA)
			if edns {
				m.SetEdns0(1232, true)
			}
			if most, ok := atMost(m); !ok || most < m.Len() {
				t.Errorf("%q: at most %d octets, has %d", name, most, m.Len())
			}
		}
	}
}

// An answer is what Attach makes of a bare one.
func TestAnswerIsABareReplyWithOptions(t *testing.T) {
	query := new(dns.Msg).SetQuestion("rewritten.example.net.", dns.TypeA)
	query.CheckingDisabled = true
	asked := dns.Question{Name: "www.example.org.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}
	bare := new(dns.Msg).SetRcode(query, dns.RcodeRefused)
	bare.Question = []dns.Question{asked}
	for _, req := range []Request{plainQuery, ednsQuery} {
		for _, limit := range []int{45, 60, 512} {
			for _, opts := range [][]Option{nil, two} {
				got := Answer(query, asked, dns.RcodeRefused, req, limit, opts)
				want := Attach(bare, req, limit, opts)
				if got.String() != want.String() {
					t.Errorf("limit %d, %v:\n%s\nwant\n%s", limit, opts, got, want)
				}
			}
		}
	}
	if query.Question[0].Name != "rewritten.example.net." {
		t.Error("the query was changed")
	}
	if n := testing.AllocsPerRun(100, func() { Answer(query, asked, dns.RcodeRefused, ednsQuery, 512, two) }); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}
