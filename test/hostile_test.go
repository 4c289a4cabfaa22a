package test_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/miekg/dns"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// options fails with SERVFAIL and EDNS options as raw as they are given.
func options(all ...dns.EDNS0) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, dns.RcodeServerFailure)
		r.SetEdns0(1232, false)
		r.IsEdns0().Option = all
		_ = w.WriteMsg(r)
	})
}

func edes(n int, text string) []dns.EDNS0 {
	all := make([]dns.EDNS0, n)
	for i := range all {
		all[i] = &dns.EDNS0_EDE{InfoCode: uint16(i), ExtraText: text}
	}
	return all
}

// hostileUpstreams are what an upstream can put into its OPT record. Those that
// make the message unreadable (RFC 8914 section 2: an INFO-CODE has two octets)
// are malformed for forward, the others a reason of the upstream's.
var hostileUpstreams = []struct {
	name    string
	handler dns.Handler
	cause   string
}{
	{"invalid UTF-8", upstream.RawEDE(6, []byte("a\xff\xfe\xc0\xaf\xed\xa0\x80z")), "upstream_ede"},
	{"NUL", upstream.RawEDE(6, []byte("a\x00b\x00")), "upstream_ede"},
	{"escape sequences", upstream.RawEDE(6, []byte("\x1b[2J\x1b]0;pwned\a\u009b31m\u0090q")), "upstream_ede"},
	{"new lines", upstream.RawEDE(6, []byte("a\r\n[INFO] plugin/ede: rcode=REFUSED cause=forged\u2028b\u2029c\u0085d\ve")), "upstream_ede"},
	{"bidirectional controls", upstream.RawEDE(6, []byte("\u202egro.elpmaxe\u2066x\u2069\u200f\u061c")), "upstream_ede"},
	{"what cannot be seen", upstream.RawEDE(6, []byte("a\u200b\ufeff\u2060\U000e0041\ufe0f\u00adz")), "upstream_ede"},
	{"quotes and equals signs", upstream.RawEDE(6, []byte(`" cause="forged" \" {"a":1}`)), "upstream_ede"},
	{"markup", upstream.RawEDE(6, []byte(`<script>alert(1)</script>`)), "upstream_ede"},
	{"a formula", upstream.RawEDE(6, []byte(`=cmd|' /C calc'!A0`)), "upstream_ede"},
	{"format verbs", upstream.RawEDE(6, []byte(`%s%d%!n(x){error}{upstream}`)), "upstream_ede"},
	{"64 kB", upstream.RawEDE(6, []byte(strings.Repeat("x", 60000))), "upstream_ede"},
	{"64 kB of combining marks", upstream.RawEDE(6, []byte(strings.Repeat("e\u0301", 20000))), "upstream_ede"},
	{"an unknown code", upstream.RawEDE(4711, []byte("unknown")), "upstream_ede"},
	{"a private code", upstream.RawEDE(65535, []byte("private")), "upstream_ede"},
	{"fifty EDEs", options(edes(50, "one of fifty")...), "upstream_ede"},
	{"fifty EDEs with long texts", options(edes(50, strings.Repeat("long ", 200))...), "upstream_ede"},
	{"fifty EDEs of one code", options(slices.Repeat([]dns.EDNS0{&dns.EDNS0_EDE{InfoCode: 6, ExtraText: "same"}}, 50)...), "upstream_ede"},
	{"EDE of 0 octets", upstream.RawOption(15, nil), "upstream_malformed"},
	{"EDE of 1 octet", upstream.RawOption(15, []byte{0}), "upstream_malformed"},
	{"EDE of 2 octets", upstream.RawOption(15, []byte{0, 6}), "upstream_ede"},
}

// byTCP is a forward over TCP, where a message of 64 kB passes.
func byTCP(to string) string {
	return "forward . " + to + " {\n force_tcp\n max_fails 0\n }"
}

// everywhere is a block in which a failure goes wherever one can go.
func everywhere(metrics string, plugins ...string) string {
	return here(".:0", append([]string{
		"metadata", `log . "{name} text {/ede/text} at {/ede/at}"`, "errors", "prometheus " + metrics,
		"ede {\n text full " + fullClient + "\n text none " + noneClient + "\n text brief\n log all\n page 127.0.0.1:0\n why\n }",
	}, plugins...)...)
}

// checkAnswer asserts what has to hold of any answer to a client that offers
// size octets.
func checkAnswer(t *testing.T, packet []byte, size int) {
	t.Helper()
	if len(packet) > size {
		t.Errorf("%d octets to a client that takes %d", len(packet), size)
	}
	octets := 0
	all := server.ExtendedErrors(parse(t, packet))
	for i, e := range all {
		octets += len(e.ExtraText)
		if e.ExtraText != option.Sanitize(e.ExtraText, option.MaxText) || !utf8.ValidString(e.ExtraText) {
			t.Errorf("EXTRA-TEXT %q", e.ExtraText)
		}
		for _, other := range all[:i] {
			if other.InfoCode == e.InfoCode {
				t.Errorf("code %d stands twice", e.InfoCode)
			}
		}
	}
	if len(all) > option.MaxOptions || octets > option.MaxText {
		t.Errorf("%d options with %d octets of text", len(all), octets)
	}
}

// checkLines asserts that nothing in the log can act on a terminal.
func checkLines(t *testing.T, logs *server.Logs) {
	t.Helper()
	for _, text := range logs.Lines() {
		for _, r := range text {
			if !strconv.IsPrint(r) || r == utf8.RuneError && !strings.Contains(text, "\ufffd") {
				t.Errorf("%U is logged in %q", r, text)
			}
		}
		if !utf8.ValidString(text) {
			t.Errorf("not UTF-8: %q", text)
		}
	}
}

// checkMetrics asserts that the labels of ede's series come from closed sets.
func checkMetrics(t *testing.T, metrics string) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scrape(t, metrics)))
	if err != nil {
		t.Fatal(err)
	}
	for name, family := range families {
		if !strings.HasPrefix(name, "coredns_ede_") {
			continue
		}
		for _, m := range family.Metric {
			for _, l := range m.Label {
				value := l.GetValue()
				for _, bad := range []string{"pwned", "forged", "hostile", "\x1b", "\n", "<"} {
					if strings.Contains(value, bad) {
						t.Errorf("%s has %s=%q", name, l.GetName(), value)
					}
				}
				if n, err := strconv.Atoi(value); l.GetName() == "info_code" && value != "private" && value != "unassigned" && (err != nil || n > 35) {
					t.Errorf("info_code %q", value)
				}
			}
		}
	}
}

func TestWhatAHostileUpstreamSaysHarmsNobody(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{})
	metrics := upstream.Closed(t)
	s := server.Start(t, everywhere(metrics, byTCP(up.Addr())))
	url := pageOf(t, logs)
	for i, h := range hostileUpstreams {
		t.Run(h.name, func(t *testing.T) {
			up.Handle(h.handler)
			name := fmt.Sprintf("u%d.hostile.example.org", i)
			for _, client := range []string{briefClient, fullClient, noneClient} {
				for _, size := range []int{512, 1232} {
					m := query(name, server.BufferSize(uint16(size)))
					all := packets(t, client, "udp", s.UDP(), m)
					if len(all) != 1 {
						t.Fatalf("%d answers", len(all))
					}
					checkAnswer(t, all[0], size)
					l := failureOf(t, logs, m)
					expectFields(t, l, line{"cause": h.cause, "qname": name + ".", "at": "forward"})
				}
			}
			for _, text := range textsOf(t, ask(t, fullClient, "udp", s.UDP(), why(name))) {
				if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
					t.Errorf("why says %q", text)
				}
			}
		})
	}
	checkLines(t, logs)
	checkMetrics(t, metrics)
	for _, path := range []string{"", "incidents.json", "?hold"} {
		body := visit(t, url+path)
		if !utf8.ValidString(body) || strings.ContainsAny(body, "\x00\x1b\u202e\u2066\u200b\u2028") || strings.Contains(body, "<script") {
			t.Errorf("the page /%s has what can act", path)
		}
	}
}

func TestWhatAHostileUpstreamSaysIsValidJSON(t *testing.T) {
	logs := server.CaptureJSON(t)
	up := upstream.Start(t, upstream.Config{})
	s := server.Start(t, here(".:0", "metadata", `log . "{name} text {/ede/text}"`, "errors", levels, byTCP(up.Addr())))
	for i, h := range hostileUpstreams {
		up.Handle(h.handler)
		name := fmt.Sprintf("j%d.hostile.example.org.", i)
		ask(t, briefClient, "udp", s.UDP(), query(name))
		logs.WaitForFunc(t, func(text string) bool {
			return strings.Contains(text, `"plugin":"ede"`) && strings.Contains(text, `"`+name+`"`)
		}, patience)
	}
	checkLines(t, logs)
	for _, text := range logs.Lines() {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		if object["cause"] == "forged" {
			t.Errorf("forged: %s", text)
		}
	}
}

// everyOctet is names whose labels hold all 256 octets together, in the one
// presentation that miekg/dns gives them.
func everyOctet(t *testing.T) []string {
	t.Helper()
	var all []string
	for first := 0; first < 256; first += 32 {
		var b strings.Builder
		for octet := first; octet < first+32; octet++ {
			fmt.Fprintf(&b, "\\%03d", octet)
		}
		m := query(b.String() + ".octets.example.org.")
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parse(t, wire).Question[0].Name)
	}
	return all
}

// lineWithID returns the line of the query m, by its id.
func lineWithID(t *testing.T, logs *server.Logs, m *dns.Msg) line {
	t.Helper()
	text := logs.WaitForFunc(t, func(text string) bool {
		return strings.HasPrefix(text, prefix+"rcode=") && strings.Contains(text, fmt.Sprintf(" id=%d ", m.Id))
	}, patience)
	_, l, err := parseLine(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Where the chain ends below acl, its error has the query's name where the name of
// a plugin belongs: what a client chose is quoted in an error of ours.
func TestNamesOfEveryOctetHarmNobody(t *testing.T) {
	for _, format := range []string{"text", "JSON"} {
		t.Run(format, func(t *testing.T) {
			logs := server.Capture
			if format == "JSON" {
				logs = server.CaptureJSON
			}
			lines := logs(t)
			up := upstream.Closed(t)
			forwarding := server.Start(t, here(".:0", "metadata", `log . "{name} text {/ede/text} at {/ede/at}"`, "errors", levels, forward(up, patiently)))
			ending := server.Start(t, here(".:0", "metadata", `log . "{name} text {/ede/text} at {/ede/at}"`, "errors", levels, "acl {\n allow\n }"))
			for _, name := range everyOctet(t) {
				for _, s := range []*server.Server{forwarding, ending} {
					for _, client := range []string{briefClient, fullClient} {
						m := query(name)
						all := packets(t, client, "udp", s.UDP(), m)
						if len(all) != 1 {
							t.Fatalf("%d answers", len(all))
						}
						checkAnswer(t, all[0], 1232)
						if format == "text" {
							expectFields(t, lineWithID(t, lines, m), line{"rcode": "SERVFAIL", "qname": name, "at": "…"})
							continue
						}
						object := lines.WaitForFunc(t, func(text string) bool {
							return strings.Contains(text, fmt.Sprintf(`"id":%d,`, m.Id)) && strings.Contains(text, `"plugin":"ede"`)
						}, patience)
						var l struct{ QName string }
						if err := json.Unmarshal([]byte(object), &l); err != nil || l.QName != m.Question[0].Name {
							t.Errorf("%v: %q, want %q", err, l.QName, m.Question[0].Name)
						}
					}
				}
			}
			checkLines(t, lines)
		})
	}
}

// An upstream may send any of 65536 codes, and a client any name and type: none of
// that makes time series.
func TestSeriesDoNotGrowWithWhatStrangersChoose(t *testing.T) {
	server.Capture(t)
	var sent atomic.Uint32
	up := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		upstream.Rcode(servfail, true, ede(uint16(sent.Load()), "hostile")).ServeDNS(w, m)
	})})
	metrics := upstream.Closed(t)
	s := server.Start(t, everywhere(metrics, forward(up.Addr())))
	series := func() (n int) {
		for line := range strings.Lines(scrape(t, metrics)) {
			if strings.HasPrefix(line, "coredns_ede_") && strings.Contains(line, fmt.Sprintf("%q", "dns://127.0.0.1:0")) {
				n++
			}
		}
		return n
	}
	ask(t, briefClient, "udp", s.UDP(), query("first.hostile.example.org"))
	before := series()
	for i := range 120 {
		sent.Store(uint32(i))
		if i > 40 {
			sent.Store(uint32(i * 541))
		}
		m := server.Message(fmt.Sprintf("n%d.hostile%d.example", i, i), uint16(i), server.EDNS())
		if m.Question[0].Qtype == dns.TypeAXFR || m.Question[0].Qtype == dns.TypeIXFR {
			continue
		}
		packets(t, briefClient, "udp", s.UDP(), m)
	}
	// The codes that are assigned, private and unassigned, and as many causes.
	if grown := series() - before; grown > 36+2+4 {
		t.Errorf("%d more series", grown)
	}
	checkMetrics(t, metrics)
}
