package record

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// parseLine reads a text line back: the opposite of appendText, and no more.
func parseLine(line string) (map[string]string, error) {
	values := make(map[string]string)
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("no value in %q", line)
		}
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", rest, err)
			}
			value, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, err
			}
			values[key], line = value, strings.TrimPrefix(rest[len(quoted):], " ")
			continue
		}
		values[key], line, _ = strings.Cut(rest, " ")
	}
	return values, nil
}

// checkLine reports what is wrong with the line of a failure with the hostile
// value s everywhere.
func checkLine(s string) error {
	q := dns.Question{Name: s, Qtype: dns.TypeA, Qclass: dns.ClassINET}
	v := *refused
	v.Own, v.Upstream, v.At, v.Statements = s, s, s, nil
	f := &Failure{Verdict: &v, Rcode: dns.RcodeServerFailure, Server: s, View: s, Protocol: s, Question: q, Asked: dns.Question{Name: s + "x", Qtype: dns.TypeA}, Error: s, Sent: SentYes}
	fs := fieldsOf(nil, f, ClientFull)
	line := string(appendText(nil, fs))
	if !utf8.ValidString(line) {
		return fmt.Errorf("invalid UTF-8: %q", line)
	}
	for _, r := range line {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%U goes to the log: %q", r, line)
		}
	}
	values, err := parseLine(line)
	if err != nil {
		return err
	}
	present := 0
	for _, key := range []string{"at", "upstream", "server", "view", "protocol", "qname", "text", "error"} {
		if s == "" && key != "qname" {
			continue
		}
		if got, ok := values[key]; ok && got != s {
			return fmt.Errorf("%s=%q, want %q", key, got, s)
		} else if ok {
			present++
		}
	}
	if s != "" && present != 8 {
		return fmt.Errorf("%d of 8 values are there: %q", present, line)
	}

	object := jsonOf(fs)
	if strings.Count(string(object), "\n") != 1 {
		return fmt.Errorf("JSON on several lines: %q", object)
	}
	var parsed struct {
		Error string   `json:"error"`
		EDE   []uint16 `json:"ede"`
		ID    *uint16  `json:"id"`
	}
	if err := json.Unmarshal(object, &parsed); err != nil {
		return fmt.Errorf("%q: %w", object, err)
	}
	if want := strings.ToValidUTF8(s, ""); utf8.ValidString(s) && parsed.Error != want || parsed.ID == nil {
		return fmt.Errorf("JSON error %q, want %q", parsed.Error, s)
	}
	return nil
}

func TestNoValueBreaksALine(t *testing.T) {
	for b := range 256 {
		if err := checkLine("a" + string([]byte{byte(b)}) + "z"); err != nil {
			t.Errorf("octet %#x: %v", b, err)
		}
	}
	for _, s := range hostile {
		if err := checkLine(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// hostile are values that break naive lines, terminals, and readers.
var hostile = []string{
	"", " ", "=", `"`, `\`, `\"`, `a b="c`, "a\nrcode=NOERROR", "\r\n", "\x00", "\x1b[2J", "\u2028", "\u2029", "\u0085",
	"\u202egro.elpmaxe", "\u2066x\u2069", "\u200b", "\ufeff", "\U000e0041", "\xff\xfe", "\xed\xa0\x80", "\xc0\xaf",
	"example.org.\\000", "\U0001f600", "ünïcödé", "true", "4711", strings.Repeat("x", 1<<16),
}

func FuzzLine(f *testing.F) {
	for _, s := range hostile[:len(hostile)-1] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := checkLine(s); err != nil {
			t.Error(err)
		}
	})
}

func TestAbsentFieldsAreLeftOutAndTheOrderIsFixed(t *testing.T) {
	q := dns.Question{Name: "www.example.org.", Qtype: 65280, Qclass: dns.ClassCHAOS}
	f := &Failure{Verdict: refused, Rcode: dns.RcodeServerFailure, Server: "tls://:853", Protocol: "tls", Question: q, Asked: q, Duration: 1234567 * time.Nanosecond, ID: 4711}
	want := `rcode=SERVFAIL cause=upstream_unreachable ede=23 lasts=transient owner=upstream at=forward upstream=192.0.2.53:53 server=tls://:853 protocol=tls qname=www.example.org. qtype=TYPE65280 qclass=CH id=4711 duration_seconds=0.001 cached=false text="192.0.2.53:53 refused the connection"`
	if got := string(appendText(nil, fieldsOf(nil, f, ClientFull))); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	f.Asked.Name = "www.example.net."
	if got := string(appendText(nil, fieldsOf(nil, f, ClientFull))); !strings.Contains(got, ` qclass=CH asked="www.example.net. TYPE65280" id=4711 `) {
		t.Error(got)
	}
}

func TestSecondsHaveThreeDecimalsAtMost(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "s=0", 1820 * time.Millisecond: "s=1.82", 4013499 * time.Microsecond: "s=4.013", time.Hour + 999*time.Millisecond: "s=3600.999",
	} {
		var fs fields
		fs.seconds("s", d)
		if got := string(appendText(nil, fs)); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestAClientIsRecordedInTheFormAskedFor(t *testing.T) {
	for _, c := range []struct {
		client             string
		full, prefix, none string
	}{
		{"198.51.100.7:40112", "198.51.100.7 40112", "198.51.100.0/24 0", " 0"},
		{"[::ffff:198.51.100.7]:40112", "198.51.100.7 40112", "198.51.100.0/24 0", " 0"},
		{"[2001:db8:1:2ff:3:4:5:6]:40112", "2001:db8:1:2ff:3:4:5:6 40112", "2001:db8:1:200::/56 0", " 0"},
		{"[fe80::1%eth0]:40112", "fe80::1%eth0 40112", "fe80::/56 0", " 0"},
	} {
		for form, want := range []string{c.full, c.prefix, c.none} {
			addr, port := ClientForm(form).of(netip.MustParseAddrPort(c.client))
			if got := fmt.Sprint(addr, " ", port); got != want {
				t.Errorf("%s in form %d is %q, want %q", c.client, form, got, want)
			}
			if got := ClientForm(form).Address(netip.MustParseAddrPort(c.client)); got != addr {
				t.Errorf("Address gives %q, want %q", got, addr)
			}
		}
	}
	if addr, port := ClientFull.of(netip.AddrPort{}); addr != "" || port != 0 {
		t.Errorf("a client that is not known is %q", addr)
	}
}

func TestASummaryListsItsTopNames(t *testing.T) {
	s := incident.Summary{
		Incident: incident.Incident{ID: incident.ID{Cause: "upstream_timeout", Zone: "example.org."}},
		Window:   381, WindowCached: 290, Names: 213,
	}
	for i := range 8 {
		s.Top = append(s.Top, incident.NameCount{Name: fmt.Sprintf("n%d.example.org.", i), Count: uint64(180 - i), Over: uint64(i)})
	}
	want := `cause=upstream_timeout zone=example.org. count=381 cached_count=290 names=213 window_seconds=10 ` +
		`top="n0.example.org.:180 n1.example.org.:178 n2.example.org.:176 n3.example.org.:174 n4.example.org.:172"`
	if got := string(appendText(nil, summaryFields(s, 10*time.Second))); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func BenchmarkLine(b *testing.B) {
	q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	f := &Failure{Verdict: refused, Rcode: dns.RcodeServerFailure, Server: "dns://:53", Protocol: "udp", Question: q, Asked: q, Error: "read udp 192.0.2.1->192.0.2.53:53: i/o timeout", Sent: SentYes}
	var p pen
	b.ReportAllocs()
	for b.Loop() {
		p.fields = fieldsOf(p.fields[:0], f, ClientFull)
		p.line = appendText(p.line[:0], p.fields)
	}
}
