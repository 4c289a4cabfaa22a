package option

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestRead(t *testing.T) {
	fifty := make([]dns.EDNS0, 50)
	for i := range fifty {
		fifty[i] = ede(uint16(i), "text")
	}
	for name, tc := range map[string]struct {
		options []dns.EDNS0
		want    []Option
	}{
		"reply without OPT":       {nil, nil},
		"OPT without EDE":         {[]dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "aa"}}, nil},
		"codes and texts in turn": {[]dns.EDNS0{ede(22, ""), ede(6, "bogus")}, []Option{{Code: 22}, {Code: 6, Text: "bogus"}}},
		"EDE among other options": {[]dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"}, ede(9, "x")}, []Option{{Code: 9, Text: "x"}}},
		"first of equal codes":    {[]dns.EDNS0{ede(7, "one"), ede(7, "two")}, []Option{{Code: 7, Text: "one"}}},
		"text of a later one when the first has none": {
			[]dns.EDNS0{ede(7, "\x00"), ede(6, "b"), ede(7, "two"), ede(7, "three")}, []Option{{Code: 7, Text: "two"}, {Code: 6, Text: "b"}}},
		"unknown and private codes are kept": {
			[]dns.EDNS0{ede(4711, ""), ede(65535, "ours")}, []Option{{Code: 4711}, {Code: 65535, Text: "ours"}}},
		"hostile text is made harmless": {
			[]dns.EDNS0{ede(0, "a\x1b[2J\r\nrcode=NOERROR \u202eb\x00")}, []Option{{Text: "a[2J rcode=NOERROR b"}}},
		"text is cut to MaxText": {
			[]dns.EDNS0{ede(0, strings.Repeat("a", 60000))}, []Option{{Text: strings.Repeat("a", MaxText-len(ellipsis)) + ellipsis}}},
		"a JSON object stays as it is": {
			[]dns.EDNS0{ede(17, "{\"c\": [\"mailto:a@example.org\"],  \"j\":\"\\u0000\"}\x00")}, []Option{{Code: 17, Text: "{\"c\": [\"mailto:a@example.org\"],  \"j\":\"\\u0000\"}"}}},
		"what only begins like one does not": {
			[]dns.EDNS0{ede(17, "{\"c\":  1"), ede(15, "{\"c\":\x00 1}")}, []Option{{Code: 17, Text: "{\"c\": 1"}, {Code: 15, Text: "{\"c\": 1}"}}},
		"eight of fifty": {fifty, []Option{
			{0, "text", Local}, {1, "text", Local}, {2, "text", Local}, {3, "text", Local},
			{4, "text", Local}, {5, "text", Local}, {6, "text", Local}, {7, "text", Local}}},
		"exactly eight": {fifty[10:18], []Option{
			{10, "text", Local}, {11, "text", Local}, {12, "text", Local}, {13, "text", Local},
			{14, "text", Local}, {15, "text", Local}, {16, "text", Local}, {17, "text", Local}}},
		"a text after the eighth code still fills the first": {
			append(append([]dns.EDNS0{ede(99, "")}, fifty...), ede(99, "late")), []Option{
				{99, "late", Local}, {0, "text", Local}, {1, "text", Local}, {2, "text", Local},
				{3, "text", Local}, {4, "text", Local}, {5, "text", Local}, {6, "text", Local}}},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := overTheWire(t, failure("example.org.", tc.options...))
			sameOptions(t, Read(m), tc.want)
		})
	}
}

func TestReadOfNothing(t *testing.T) {
	if got := Read(nil); got != nil {
		t.Errorf("no message: %v", got)
	}
	if got := Read(&dns.Msg{Extra: []dns.RR{nil}}); got != nil {
		t.Errorf("nil record: %v", got)
	}
}

// withShortEDE packs a SERVFAIL whose EDE has n octets.
func withShortEDE(t testing.TB, n int) []byte {
	t.Helper()
	b, err := failure("example.org.", &dns.EDNS0_LOCAL{Code: 65001, Data: make([]byte, n)}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint16(b[len(b)-n-4:], dns.EDNS0EDE)
	return b
}

// Not our doing, but README and classification rest on it: such an upstream
// shows as one that sends garbage.
func TestShortEDEMakesTheWholeMessageUnreadable(t *testing.T) {
	for n, want := range map[int]error{0: dns.ErrBuf, 1: dns.ErrBuf, 2: nil} {
		if err := new(dns.Msg).Unpack(withShortEDE(t, n)); !errors.Is(err, want) {
			t.Errorf("EDE of %d octets: error %v, want %v", n, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, m := range []*dns.Msg{
		failure("example.org."),
		failure("example.org.", ede(22, "no reply\x00"), ede(22, ""), ede(65535, "\u202e\xff")),
		failure("example.org.", ede(17, `{"c":["mailto:a@example.org"],"j":"\\u202e"}`)),
		failure(".", &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, Address: []byte{192, 0, 2, 0}}, ede(0, "")),
	} {
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(withShortEDE(f, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := new(dns.Msg)
		if m.Unpack(b) != nil {
			return
		}
		opts := Read(m)
		if len(opts) > maxRead {
			t.Errorf("%d options", len(opts))
		}
		seen := map[uint16]bool{}
		for _, o := range opts {
			if seen[o.Code] {
				t.Errorf("code %d twice", o.Code)
			}
			seen[o.Code] = true
			if o.Text != Sanitize(o.Text, MaxText) && !Structured(o.Text) {
				t.Errorf("text %q is not sanitized", o.Text)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	m := failure("www.example.org.", ede(22, "at delegation example.org."), ede(23, "192.0.2.53:53 timed out for www.example.org. A"))
	b.ReportAllocs()
	for b.Loop() {
		Read(m)
	}
}
