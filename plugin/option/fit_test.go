package option

import (
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// bareLen is the length of a failure for example.org. with an OPT and nothing
// in it: header, question, OPT.
const bareLen = 12 + 13 + 4 + 11

func TestAttachFitsIntoTheLimit(t *testing.T) {
	long := strings.Repeat("x", 60)
	cut := func(n int) string { return long[:n-len(ellipsis)] + ellipsis }
	three := []Option{{22, long, Upstream}, {6, long, Upstream}, {0, long, Local}}
	all := bareLen + 3*(emptyOption+60)
	for name, tc := range map[string]struct {
		limit int
		want  []Option
	}{
		"all":                             {all, []Option{{Code: 22, Text: long}, {Code: 6, Text: long}, {Text: long}}},
		"last text shortened":             {all - 1, []Option{{Code: 22, Text: long}, {Code: 6, Text: long}, {Text: cut(59)}}},
		"last text at its shortest":       {all - 60 + shortest, []Option{{Code: 22, Text: long}, {Code: 6, Text: long}, {Text: cut(shortest)}}},
		"last text dropped, code 0 stays": {all - 60 + shortest - 1, []Option{{Code: 22, Text: long}, {Code: 6, Text: long}, {}}},
		"middle text shortened":           {all - 61, []Option{{Code: 22, Text: long}, {Code: 6, Text: cut(59)}, {}}},
		"no text":                         {bareLen + 3*emptyOption, []Option{{Code: 22}, {Code: 6}, {}}},
		"two options":                     {bareLen + 3*emptyOption - 1, []Option{{Code: 22}, {Code: 6}}},
		"one option":                      {bareLen + emptyOption, []Option{{Code: 22}}},
		"none":                            {bareLen + emptyOption - 1, nil},
		"limit 0":                         {0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, n := overTheWire(t, Attach(failure("example.org."), ednsQuery, tc.limit, three))
			sameOptions(t, codes(out), tc.want)
			if tc.want != nil && n > tc.limit {
				t.Errorf("%d octets, limit %d", n, tc.limit)
			}
			if out.Truncated {
				t.Error("TC is set")
			}
		})
	}
}

func TestAttachFitsArrangedOptionsUnderTheLongestNameInto512Octets(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Join([]string{label, label, label, label[:61]}, ".") + "."
	opts := Arrange([]Option{{22, strings.Repeat("x", 200), Upstream}, {6, "", Upstream}, {0, "", Local}})
	out, n := overTheWire(t, Attach(failure(longest), ednsQuery, 512, opts))
	sameOptions(t, codes(out), []Option{{Code: 22, Text: opts[0].Text}, {Code: 6}, {}})
	if n > 512 {
		t.Errorf("%d octets", n)
	}
}

func TestAttachLeavesRoomForWhatComesLater(t *testing.T) {
	text := []Option{{Code: 23, Text: strings.Repeat("x", 190)}}
	mac := strings.Repeat("00", 32)
	for name, tc := range map[string]struct {
		req   Request
		extra []dns.RR
		room  int
	}{
		"NSID":                      {Request{size: 512, bits: hasOPT | hasNSID}, nil, nsidRoom},
		"TSIG not yet signed":       {ednsQuery, []dns.RR{tsig("")}, dns.Len(tsig("")) + macRoom},
		"TSIG with the query's MAC": {ednsQuery, []dns.RR{tsig(mac)}, dns.Len(tsig(mac))},
	} {
		t.Run(name, func(t *testing.T) {
			reply := failure("example.org.")
			reply.Extra = tc.extra
			reply.Compress = true // must not count for the TSIG
			limit := bareLen + emptyOption + 190 + tc.room
			if got := codes(Attach(reply, tc.req, limit, text)); got[0].Text != text[0].Text {
				t.Errorf("text is shortened at the exact limit: %v", got)
			}
			if got := codes(Attach(reply, tc.req, limit-1, text)); got[0].Text == text[0].Text {
				t.Error("text is whole one octet below")
			}
		})
	}
}

func TestSignedReplyStaysWithinTheLimit(t *testing.T) {
	const secret = "c2VjcmV0"
	reply := failure("key.example.org.")
	reply.Compress = true
	reply.SetTsig("key.example.org.", dns.HmacSHA512, 300, 0)
	opts := []Option{{Code: 23, Text: strings.Repeat("x", 1000)}}
	signed, _, err := dns.TsigGenerate(Attach(reply, ednsQuery, 512, opts), secret, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if len(signed) != 512 {
		t.Errorf("%d octets, want the 512 filled", len(signed))
	}
	if err := dns.TsigVerify(signed, secret, "", false); err != nil {
		t.Errorf("verify: %v", err)
	}
}

func TestAttachFitsCompressedReplies(t *testing.T) {
	reply := failure("www.example.org.")
	for range 10 {
		reply.Ns = append(reply.Ns, &dns.NS{Hdr: dns.RR_Header{Name: "www.example.org.", Rrtype: dns.TypeNS, Class: dns.ClassINET}, Ns: "ns.www.example.org."})
	}
	_, plain := overTheWire(t, reply)
	if got := codes(Attach(reply, ednsQuery, plain, two)); got != nil {
		t.Errorf("uncompressed: %v", got)
	}
	reply.Compress = true
	out := Attach(reply, ednsQuery, plain, two)
	if got := codes(out); len(got) != 2 {
		t.Errorf("compressed: %v", got)
	}
	if _, n := overTheWire(t, out); n > plain {
		t.Errorf("%d octets, limit %d", n, plain)
	}
}

// Records behind the OPT start before octet 16383 without EDE and after it with
// one: then a compression pointer is no longer possible to the first of them.
func TestAttachHoldsTheLimitWhereCompressionEnds(t *testing.T) {
	reply := failure("example.org.", ede(0, ""))
	opt := optOf(reply)
	opt.Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: 65001, Data: make([]byte, 16250)}}
	for range 40 {
		reply.Extra = append(reply.Extra, address(strings.Repeat("a", 60)+".example.net."))
	}
	reply.Compress = true
	_, bare := overTheWire(t, reply)
	fits := 0
	for limit := bare; limit < bare+3000; limit += 50 {
		out := Attach(reply, ednsQuery, limit, []Option{{Code: 23, Text: strings.Repeat("x", MaxText)}})
		if len(codes(out)) > 0 {
			fits++
		}
		if _, n := overTheWire(t, out); n > limit {
			t.Errorf("%d octets, limit %d", n, limit)
		}
	}
	if fits == 0 || fits == 60 {
		t.Errorf("fits %d of 60 times: the case is not hit", fits)
	}
}

func TestAttachOfTooMuch(t *testing.T) {
	fifty := make([]Option, 50)
	for i := range fifty {
		fifty[i] = Option{Code: uint16(i), Text: strings.Repeat("x", 65000)}
	}
	for _, limit := range []int{512, 1232, 65535, 1 << 20} {
		out, n := overTheWire(t, Attach(failure("example.org."), ednsQuery, limit, fifty))
		if n > min(limit, dns.MaxMsgSize) {
			t.Errorf("%d octets, limit %d", n, limit)
		}
		if got := len(codes(out)); got != 50 {
			t.Errorf("limit %d: %d options", limit, got)
		}
	}
	if len(fifty[49].Text) != 65000 {
		t.Error("argument was changed")
	}
}

// CoreDNS takes records off before it takes EDEs off (Msg.Truncate): nothing
// may be left for it to do.
func TestCoreDNSWriterSendsWhatWasAttached(t *testing.T) {
	for _, size := range []uint16{512, 1232} {
		q := queryWithOPT(size, true, ede(0, ""), nsid())
		reply := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		for range 8 {
			reply.Extra = append(reply.Extra, address("a.example.net."))
		}
		out := Attach(reply, RequestOf(q), int(size), []Option{{Code: 23, Text: strings.Repeat("x", 1000)}})
		want := codes(out)

		w := &sent{}
		if err := request.NewScrubWriter(q, w).WriteMsg(out); err != nil {
			t.Fatal(err)
		}
		got, n := overTheWire(t, w.msg)
		if n > int(size) || got.Truncated || len(got.Extra) != 9 {
			t.Errorf("size %d: %d octets, TC %v, %d records", size, n, got.Truncated, len(got.Extra))
		}
		sameOptions(t, codes(got), want)
		if len(want) != 1 || want[0].Text == "" {
			t.Errorf("size %d: attached %v", size, want)
		}
	}
}

type sent struct {
	test.ResponseWriter
	msg *dns.Msg
}

func (s *sent) WriteMsg(m *dns.Msg) error {
	s.msg = m
	return nil
}
