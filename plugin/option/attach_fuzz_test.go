package option

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func FuzzAttach(f *testing.F) {
	seed := func(m *dns.Msg, limit int, text string, edns, nsid, compress bool) {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, limit, uint16(23), text, uint16(0), "b", edns, nsid, compress)
	}
	signed := failure("example.org.")
	signed.Extra = []dns.RR{address("a.example.org."), tsig("")}
	truncated := failure("example.org.", ede(6, "cut"))
	truncated.Truncated = true
	seed(failure("example.org."), 512, "no reply", true, false, false)
	seed(failure("example.org.", ede(6, "bogus"), nsid()), 90, strings.Repeat("x", 300), true, true, true)
	seed(failure("example.org."), 512, "\x1b \n", true, false, false)
	seed(failure("example.org."), 90, `{"c":["mailto:a@example.org"]}`, true, false, false)
	seed(failure("example.org."), 512, `say "no" \\`, true, false, false)
	seed(signed, 200, strings.Repeat("é", 50), true, false, true)
	seed(truncated, 512, "no reply", true, false, false)
	seed(failure("example.org.", ede(15, "")), 512, "no reply", false, false, false)

	f.Fuzz(func(t *testing.T, b []byte, limit int, code1 uint16, text1 string, code2 uint16, text2 string, edns, nsid, compress bool) {
		reply := new(dns.Msg)
		if reply.Unpack(b) != nil {
			return
		}
		reply.Compress = compress
		// miekg/dns can unpack a TSIG that it packs into something else.
		wire, err := reply.Copy().Pack()
		if err != nil || new(dns.Msg).Unpack(wire) != nil {
			return
		}
		limit %= 1 << 17
		opts := Arrange([]Option{{Code: code1, Text: text1}, {Code: code2, Text: text2}})
		req := Request{size: 1232, bits: hasDO}
		if edns {
			req.bits |= hasOPT
			if nsid {
				req.bits |= hasNSID
			}
		}
		checkAttached(t, reply, req, limit, opts)
		checkLeft(t, reply, req)
	})
}

// checkLeft asserts that what leaves without options of ours is as it was but for
// what the rule takes out.
func checkLeft(t *testing.T, reply *dns.Msg, req Request) {
	t.Helper()
	before := reply.Copy()
	for _, rule := range []Rule{{}, {DropUpstream: true}, {WithoutText: true}} {
		out := rule.Leave(reply, req, true)
		if !reflect.DeepEqual(before, reply.Copy()) {
			t.Fatalf("reply was changed from\n%v\nto\n%v", before, reply)
		}
		if rule == (Rule{}) && req.HasOPT() && out != reply {
			t.Errorf("a copy leaves: %v", out)
		}
		if _, err := out.Copy().Pack(); err != nil {
			t.Errorf("%+v: %v", rule, err)
		}
		opts := optionsOf(out)
		if !req.HasOPT() && out.Rcode <= 0xF && optOf(out) != nil ||
			req.HasOPT() && rule.DropUpstream && slices.ContainsFunc(opts, isEDE) ||
			req.HasOPT() && rule.WithoutText && slices.ContainsFunc(opts, hasText) {
			t.Errorf("%+v leaves %v", rule, out)
		}
		others := slices.DeleteFunc(slices.Clone(opts), isEDE)
		if was := slices.DeleteFunc(slices.Clone(optionsOf(reply)), isEDE); req.HasOPT() && !slices.Equal(others, was) {
			t.Errorf("%+v leaves %v of %v", rule, others, was)
		}
	}
}

// checkAttached asserts what holds for any reply that can be packed.
func checkAttached(t *testing.T, reply *dns.Msg, req Request, limit int, opts []Option) {
	t.Helper()
	before := reply.Copy()
	out := Attach(reply, req, limit, opts)
	if after := reply.Copy(); !reflect.DeepEqual(before, after) {
		t.Errorf("reply was changed from\n%v\nto\n%v", before, after)
	}
	if out.MsgHdr != reply.MsgHdr || !reflect.DeepEqual(out.Question, reply.Question) ||
		!reflect.DeepEqual(out.Answer, reply.Answer) || !reflect.DeepEqual(out.Ns, reply.Ns) {
		t.Errorf("more than the OPT was changed:\n%v", out)
	}
	got, n := overTheWire(t, out)
	if !req.HasOPT() {
		if optOf(out) != nil && out.Rcode <= 0xF {
			t.Error("OPT to a query without")
		}
		return
	}
	if reply.Truncated {
		return
	}

	sent := codes(got)
	if len(sent) > len(opts) {
		t.Fatalf("%d options of %d", len(sent), len(opts))
	}
	for i, o := range sent {
		whole := strings.TrimSuffix(o.Text, ellipsis)
		if o.Code != opts[i].Code || !strings.HasPrefix(opts[i].Text, whole) {
			t.Errorf("option %d is %v, want %v", i, o, opts[i])
		}
	}
	for _, o := range sent {
		if strings.ContainsAny(o.Text, `"\`) && !Structured(o.Text) {
			t.Errorf("text %q goes out", o.Text)
		}
	}
	if read := Read(got); !slices.Equal(read, sent) {
		t.Errorf("read %v, sent %v", read, sent)
	}

	_, bare := overTheWire(t, Attach(reply, req, limit, nil))
	if len(sent) > 0 && n > limit || n > max(limit, bare) {
		t.Errorf("%d octets, %d without EDE, limit %d", n, bare, limit)
	}
	// Where stock CoreDNS sets no TC, there must be none for our sake.
	stock := Attach(reply, req, limit, nil)
	size := max(limit, dns.MinMsgSize)
	stock.Truncate(size)
	out.Truncate(size)
	if len(sent) > 0 && out.Truncated && !stock.Truncated {
		t.Errorf("truncated at %d octets", size)
	}
}
