package option

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestSourceNamesItsMetricLabel(t *testing.T) {
	for s, want := range map[Source]string{
		Local: "local", Upstream: "upstream", Memory: "memory", Diagnosis: "diagnosis", Diagnosis + 1: "unknown", 255: "unknown",
	} {
		if got := s.String(); got != want {
			t.Errorf("Source(%d).String() = %q, want %q", s, got, want)
		}
	}
}

func TestCodeHasNameAndLabel(t *testing.T) {
	for _, tc := range []struct {
		code        uint16
		name, label string
	}{
		{0, "Other Error", "0"},
		{9, "DNSKEY Missing", "9"},
		{23, "Network Error", "23"},
		{30, "Invalid Query Type", "30"},
		{33, "Negative Trust Anchor", "33"},
		{35, "Blocked by Upstream DNS Server", "35"},
		{36, "Unassigned", "unassigned"},
		{49151, "Unassigned", "unassigned"},
		{49152, "Private Use", "private"},
		{65535, "Private Use", "private"},
	} {
		if got := Name(tc.code); got != tc.name {
			t.Errorf("Name(%d) = %q, want %q", tc.code, got, tc.name)
		}
		if got := Label(tc.code); got != tc.label {
			t.Errorf("Label(%d) = %q, want %q", tc.code, got, tc.label)
		}
	}
}

func TestNamesDifferFromTheLibraryOnlyWhereTheRegistryDoes(t *testing.T) {
	differ := map[uint16]bool{0: true}
	for code, theirs := range dns.ExtendedErrorCodeToString {
		if ours := Name(code); !strings.EqualFold(ours, theirs) && !differ[code] {
			t.Errorf("code %d: %q here, %q in miekg/dns", code, ours, theirs)
		}
	}
}

func TestLabelsAreAClosedSet(t *testing.T) {
	labels := map[string]bool{}
	for code := range 1 << 16 {
		labels[Label(uint16(code))] = true
	}
	if want := len(purposes) + 2; len(labels) != want {
		t.Errorf("%d labels, want %d", len(labels), want)
	}
}

// failure returns a SERVFAIL reply to a question for name, with the options of
// an OPT if there are any arguments after it.
func failure(name string, options ...dns.EDNS0) *dns.Msg {
	q := new(dns.Msg).SetQuestion(name, dns.TypeA)
	m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	if options != nil {
		m.SetEdns0(1232, true)
		m.IsEdns0().Option = options
	}
	return m
}

func ede(code uint16, text string) dns.EDNS0 { return &dns.EDNS0_EDE{InfoCode: code, ExtraText: text} }

func sameOptions(t testing.TB, got, want []Option) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// overTheWire returns m as its receiver sees it, and its length in octets.
func overTheWire(t testing.TB, m *dns.Msg) (*dns.Msg, int) {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatalf("pack: %v", err)
	}
	got := new(dns.Msg)
	if err := got.Unpack(b); err != nil {
		t.Fatalf("unpack: %v", err)
	}
	return got, len(b)
}

// codes writes the EDEs of m as they stand in it, for comparison.
func codes(m *dns.Msg) []Option {
	var opts []Option
	opt := optOf(m)
	if opt == nil {
		return nil
	}
	for _, o := range opt.Option {
		if e, ok := o.(*dns.EDNS0_EDE); ok {
			opts = append(opts, Option{Code: e.InfoCode, Text: e.ExtraText})
		}
	}
	return opts
}
