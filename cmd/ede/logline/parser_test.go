package logline

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func newParser() *Parser {
	return &Parser{Location: time.UTC, Now: func() time.Time { return testNow }}
}

const queryLine = `[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout ede=23 lasts=transient owner=upstream at=forward upstream=192.0.2.53:53 server=dns://:53 protocol=udp client_ip=198.51.100.7 client_port=40112 qname=WWW.example.org. qtype=A qclass=IN id=4711 duration_seconds=2.001 cached=false sent=true text="no reply within 2s" error="i/o timeout" advice="ask it with \"dig\""`

const queryJSON = `{"time":"2026-11-20T14:02:11.5Z","level":"INFO","msg":"failure","plugin":"ede","rcode":"SERVFAIL","cause":"upstream_timeout","ede":[23, 13],"lasts":"transient","owner":"upstream","at":"forward","upstream":"192.0.2.53:53","client_ip":"2001:db8::7","client_port":40112,"qname":"www.example.org.","id":4711,"duration_seconds":2.001,"cached":true,"sent":"true","text":"no \"reply\""}`

func TestParseReadsEachKindOfLine(t *testing.T) {
	tests := map[string]struct {
		line   string
		kind   Kind
		count  uint64
		cached uint64
		fields map[Field]string
	}{
		"a line with blanks behind it": {"[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout at=forward qname=example.org. text=\"no reply\" \t \r", Query, 1, 0, map[Field]string{
			RCode: "SERVFAIL", Cause: "upstream_timeout", At: "forward", QName: "example.org.", Text: "no reply",
		}},
		"a query line": {queryLine, Query, 1, 0, map[Field]string{
			RCode: "SERVFAIL", Cause: "upstream_timeout", EDE: "23", Lasts: "transient", Owner: "upstream",
			At: "forward", Upstream: "192.0.2.53:53", Server: "dns://:53", ClientIP: "198.51.100.7",
			QName: "www.example.org.", QType: "A", Sent: "true", Text: "no reply within 2s",
			Error: "i/o timeout", Advice: `ask it with "dig"`,
		}},
		"a query line in JSON": {queryJSON, Query, 1, 1, map[Field]string{
			Cause: "upstream_timeout", EDE: "23, 13", ClientIP: "2001:db8::7", Text: `no "reply"`,
		}},
		"a query line in JSON whose keys a shipper sorted": {
			`{"cause":"hosts_miss","level":"INFO","msg":"x","plugin":"ede","rcode":"SERVFAIL","time":"2026-11-20T14:02:11Z"}`,
			Query, 1, 0, map[Field]string{Cause: "hosts_miss"},
		},
		"a summary": {
			`[INFO] plugin/ede: summary cause=upstream_timeout at=forward upstream=192.0.2.53:53 zone=Example.org. count=381 cached=290 names=213 window_seconds=10 top="www.example.org.:180 api.example.org.:40"`,
			Summary, 381, 290, map[Field]string{Zone: "example.org.", Top: "www.example.org.:180 api.example.org.:40"},
		},
		"a summary in JSON": {
			`{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"summary","plugin":"ede","cause":"upstream_timeout","count":381,"cached":290,"window_seconds":10}`,
			Summary, 381, 290, nil,
		},
		"a summary of what was dropped": {
			`[INFO] plugin/ede: summary sent=dropped at=rrl server=dns://:53 count=60 window_seconds=10 error="over the limit"`,
			Drops, 60, 0, map[Field]string{At: "rrl", Sent: "dropped", Error: "over the limit"},
		},
		"a summary of what was dropped in JSON": {
			`{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"summary","plugin":"ede","sent":"dropped","at":"rrl","count":60,"window_seconds":10}`,
			Drops, 60, 0, nil,
		},
		"a recovery": {
			`[INFO] plugin/ede: recovered cause=upstream_timeout upstream=192.0.2.53:53 zone=example.org. after_seconds=83 count=9120`,
			Recovered, 9120, 0, map[Field]string{After: "83"},
		},
		"a diagnosis": {
			`[INFO] plugin/ede: diagnosis cause=dnssec_signature_expired ede=7 owner=zone zone=example.org. qname=www.example.org. queries=9 text="RRSIG expired"`,
			Diagnosis, 0, 0, map[Field]string{Cause: "dnssec_signature_expired", Owner: "zone"},
		},
		"a diagnosis of what has passed": {
			`[INFO] plugin/ede: diagnosis result=resolves zone=example.org. qname=www.example.org. queries=3`,
			Diagnosis, 0, 0, map[Field]string{Result: "resolves", Zone: "example.org."},
		},
		"a diagnosis of what has passed, in JSON": {
			`{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"diagnosis","plugin":"ede","result":"resolves","zone":"example.org."}`,
			Diagnosis, 0, 0, map[Field]string{Result: "resolves", Zone: "example.org."},
		},
		"a reason that the upstream gave later": {
			`[INFO] plugin/ede: reason cause=upstream_ede ede=9 owner=zone zone=example.org. qname=www.example.org. queries=1 text="no key"`,
			Diagnosis, 0, 0, map[Field]string{Cause: "upstream_ede", Text: "no key"},
		},
		"an answer with a reason": {
			`[INFO] plugin/ede: answer ede=3,22 server=dns://:53 client_ip=198.51.100.7 client_port=40112 qname=WWW.example.org. qtype=A text="stale"`,
			Answer, 0, 0, map[Field]string{EDE: "3,22", QName: "www.example.org.", ClientIP: "198.51.100.7", Text: "stale"},
		},
		"an answer with a reason, in JSON": {
			`{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"answer","plugin":"ede","ede":[3],"qname":"www.example.org.","qtype":"A","text":"stale"}`,
			Answer, 0, 0, map[Field]string{EDE: "3", QName: "www.example.org."},
		},
		"an answer whose message a store has not kept": {
			`{"_time":"2026-11-20T14:02:11Z","ede":"[3]","plugin":"ede","qname":"www.example.org.","count":"0","cached":"false","cause":"","rcode":""}`,
			Answer, 0, 0, map[Field]string{EDE: "3", QName: "www.example.org."},
		},
		"a reason whose message a store has not kept": {
			`{"_time":"2026-11-20T14:02:11Z","ede":"[9]","cause":"upstream_ede","plugin":"ede","qname":"www.example.org.","queries":"1","rcode":""}`,
			Diagnosis, 0, 0, map[Field]string{Cause: "upstream_ede"},
		},
		"an answer in Docker's JSON": {
			`{"log":"[INFO] plugin/ede: answer ede=3 qname=www.example.org.\n","stream":"stdout","time":"2026-11-20T14:02:11Z"}`,
			Answer, 0, 0, map[Field]string{EDE: "3"},
		},
		"an IPv6 upstream": {
			`[INFO] plugin/ede: rcode=SERVFAIL cause=x upstream=[2001:db8::1]:53`, Query, 1, 0, map[Field]string{Upstream: "[2001:db8::1]:53"},
		},
		"a warning at start": {
			`[WARNING] plugin/ede: no forward in this block`, Notice, 0, 0, map[Field]string{Text: "no forward in this block"},
		},
		"a warning at start in JSON": {
			`{"time":"2026-11-20T14:02:11Z","level":"WARN","msg":"no forward in this block","plugin":"ede"}`,
			Notice, 0, 0, map[Field]string{Text: "no forward in this block"},
		},
		"a key of a later version": {
			`[INFO] plugin/ede: rcode=SERVFAIL cause=x colour="bl\u00fce" view=inside`, Query, 1, 0, nil,
		},
		"a line that ends in a carriage return": {
			"[INFO] plugin/ede: rcode=SERVFAIL cause=x\r", Query, 1, 0, map[Field]string{Cause: "x"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var r Record
			found, err := newParser().Parse([]byte(tc.line), &r)
			if !found || err != nil {
				t.Fatalf("Parse = %v, %v", found, err)
			}
			if r.Kind != tc.kind || r.Count != tc.count || r.CachedCount != tc.cached {
				t.Errorf("kind %v count %d cached %d, want %v %d %d", r.Kind, r.Count, r.CachedCount, tc.kind, tc.count, tc.cached)
			}
			for f, want := range tc.fields {
				if got := string(r.Get(f)); got != want {
					t.Errorf("field %d = %q, want %q", f, got, want)
				}
			}
		})
	}
}

func TestParseNamesWhatIsMalformed(t *testing.T) {
	const pre = "[INFO] plugin/ede: "
	tests := map[string]struct {
		line string
		want Malformed
	}{
		"cut inside a quoted value":         {pre + `rcode=SERVFAIL cause=x text="no rep`, BadQuoting},
		"cut inside an escape":              {pre + `rcode=SERVFAIL cause=x text="no \`, BadQuoting},
		"an escape Go does not have":        {pre + `rcode=SERVFAIL cause=x text="\q"`, BadQuoting},
		"a character that needs quotes":     {pre + `rcode=SERVFAIL cause=x upstream=a=b`, BadQuoting},
		"cut before the equals sign":        {pre + `rcode=SERVFAIL cause=x tex`, BadSyntax},
		"two spaces":                        {pre + `rcode=SERVFAIL  cause=x`, BadSyntax},
		"a letter behind a closing quote":   {pre + `rcode=SERVFAIL text="a"b cause=x`, BadSyntax},
		"no cause":                          {pre + `rcode=SERVFAIL`, Missing},
		"a summary without count":           {pre + `summary cause=x`, Missing},
		"a summary of drops without count":  {pre + `summary sent=dropped`, Missing},
		"an answer without a code":          {pre + `answer qname=www.example.org.`, Missing},
		"an answer in JSON without a code":  {`{"level":"INFO","msg":"answer","plugin":"ede","qname":"www.example.org."}`, Missing},
		"a summary of another sent":         {pre + `summary sent=off count=1`, Missing},
		"a key twice":                       {pre + `rcode=SERVFAIL cause=x cause=y`, Duplicate},
		"a count with a sign":               {pre + `summary cause=x count=-1`, BadNumber},
		"a count beyond all reason":         {pre + `summary cause=x count=1000000001`, BadNumber},
		"more cached than counted":          {pre + `summary cause=x count=1 cached=2`, BadValue},
		"a window of not a number":          {pre + `summary cause=x count=1 window_seconds=NaN`, BadNumber},
		"a cause with a slash":              {pre + `rcode=SERVFAIL cause=a/b`, BadValue},
		"a cause longer than a label":       {pre + `rcode=SERVFAIL cause=` + strings.Repeat("a", maxLabel+1), BadValue},
		"a name longer than a name":         {pre + `rcode=SERVFAIL cause=x qname=` + strings.Repeat("a", maxName+1), BadValue},
		"an INFO-CODE beyond 16 bits":       {pre + `rcode=SERVFAIL cause=x ede=65536`, BadValue},
		"cached that is no boolean":         {pre + `rcode=SERVFAIL cause=x cached=7`, BadValue},
		"JSON that is cut":                  {queryJSON[:200], BadJSON},
		"JSON with a second object behind":  {queryJSON + queryJSON, BadJSON},
		"JSON with a number of two zeroes":  {`{"level":"INFO","plugin":"ede","cause":"x","id":00}`, BadJSON},
		"JSON nested beyond any log record": {`{"plugin":"ede","x":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + `}`, BadJSON},
		"JSON without cause":                {`{"level":"INFO","msg":"x","plugin":"ede","rcode":"SERVFAIL"}`, Missing},
		"a cut line that Docker wrapped":    {`{"log":"[INFO] plugin/ede: rcode=SERVFAIL cause=x text=\"no`, BadJSON},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var r Record
			found, err := newParser().Parse([]byte(tc.line), &r)
			var got Malformed
			if !found || !errors.As(err, &got) || got != tc.want {
				t.Errorf("Parse = %v, %v; want %v", found, err, tc.want)
			}
		})
	}
}

func TestParseLeavesForeignLinesAlone(t *testing.T) {
	tests := map[string]string{
		"an empty line":                          "",
		"a line of the log plugin":               `[INFO] 198.51.100.7:40112 - 4711 "A IN www.example.org. udp 41 false 1232" SERVFAIL qr,rd 41 2.0s`,
		"a name that says it is an ede line":     `[INFO] 198.51.100.7:1 - 1 "A IN [INFO]\ plugin/ede:\ rcode=SERVFAIL. udp" NXDOMAIN`,
		"an error that quotes an ede line":       `[ERROR] plugin/errors: 2 x. A: [INFO] plugin/ede: rcode=SERVFAIL cause=x`,
		"a name that says it is JSON":            `[INFO] 198.51.100.7:1 - 1 "A IN {\"plugin\":\"ede\",\"cause\":\"x\"}. udp" NXDOMAIN`,
		"an ede line with no level":              `plugin/ede: rcode=SERVFAIL cause=x`,
		"an ede line with its level behind":      `plugin/ede: rcode=SERVFAIL cause=x [INFO] text`,
		"JSON of another plugin":                 `{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"q","plugin":"log","qname":"\"ede\"","cause":"x"}`,
		"JSON whose message holds an ede line":   `{"time":"2026-11-20T14:02:11Z","level":"ERROR","msg":"[INFO] plugin/ede: rcode=SERVFAIL cause=x","plugin":"errors"}`,
		"a line in four wrappings":               `{"a":{"b":{"c":{"d":{"log":"[INFO] plugin/ede: rcode=SERVFAIL cause=x"}}}}}`,
		"a message of another plugin in a store": `{"_msg":"[INFO] plugin/ede: rcode=SERVFAIL cause=x","_time":"2026-11-20T14:02:11Z","level":"ERROR","plugin":"errors"}`,
		"another plugin's line, Docker wrapping": `{"log":"[ERROR] plugin/errors: \"ede\" plugin/ede: x\n","stream":"stdout","time":"2026-11-20T14:02:11Z"}`,
	}
	for name, line := range tests {
		t.Run(name, func(t *testing.T) {
			var r Record
			if found, err := newParser().Parse([]byte(line), &r); found {
				t.Errorf("taken for ede's: kind %v, error %v", r.Kind, err)
			}
		})
	}
}

func TestParseFindsTheTimeThatEachSinkWrites(t *testing.T) {
	const msg = "[INFO] plugin/ede: rcode=SERVFAIL cause=x"
	at := time.Date(2026, 11, 20, 14, 2, 11, 0, time.UTC)
	tests := map[string]struct {
		line string
		want time.Time
	}{
		"none in CoreDNS's own text":      {msg, time.Time{}},
		"kubectl logs --timestamps":       {"2026-11-20T14:02:11.250000000Z " + msg, at.Add(250 * time.Millisecond)},
		"kubectl logs --prefix":           {"[pod/coredns-5d78c9869d-7xk2p/coredns] 2026-11-20T14:02:11Z " + msg, at},
		"a CRI file":                      {"2026-11-20T15:02:11+01:00 stdout F " + msg, at},
		"docker compose":                  {"coredns-1  | 2026-11-20T14:02:11Z " + msg, at},
		"journalctl":                      {"Nov 20 14:02:11 ns1 coredns[123]: " + msg, at},
		"journalctl on a one-digit day":   {"Nov  5 14:02:11 ns1 coredns[123]: " + msg, at.AddDate(0, 0, -15)},
		"journalctl, last year":           {"Dec 24 14:02:11 ns1 coredns[123]: " + msg, time.Date(2025, 12, 24, 14, 2, 11, 0, time.UTC)},
		"journalctl -o short-precise":     {"Nov 20 14:02:11.500000 ns1 coredns[123]: " + msg, at.Add(500 * time.Millisecond)},
		"journalctl -o short-iso":         {"2026-11-20T15:02:11+0100 ns1 coredns[123]: " + msg, at},
		"journalctl -o json":              {`{"__REALTIME_TIMESTAMP":"1795183331000000","MESSAGE":"` + msg + `"}`, time.UnixMicro(1795183331000000)},
		"Go's log package":                {"2026/11/20 14:02:11 " + msg, at},
		"Docker's JSON file":              {`{"log":"` + msg + `\n","stream":"stdout","time":"2026-11-20T14:02:11Z"}`, at},
		"CoreDNS's JSON":                  {strings.Replace(queryJSON, ".5Z", "Z", 1), at},
		"CoreDNS's JSON in Docker's JSON": {`{"log":` + strconv.Quote(queryJSON+"\n") + `,"stream":"stdout","time":"2026-11-20T14:02:12Z"}`, at.Add(500 * time.Millisecond)},
		"CoreDNS's JSON under kubectl":    {"2026-11-20T14:02:13Z " + strings.Replace(queryJSON, ".5Z", "Z", 1), at},
		"a time in the far future":        {"9999-11-20T14:02:11Z " + msg, time.Time{}},
		"a time before DNS had EDE":       {"1970-01-01T00:00:00Z " + msg, time.Time{}},
		"a host name that looks like May": {"May be it is not a time: " + msg, time.Time{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var r Record
			if found, err := newParser().Parse([]byte(tc.line), &r); !found || err != nil {
				t.Fatalf("Parse = %v, %v", found, err)
			}
			if !r.Time.Equal(tc.want) {
				t.Errorf("time %v, want %v", r.Time, tc.want)
			}
		})
	}
}

func TestParsedValuesAreFitForATerminal(t *testing.T) {
	const hostile = "\x1b]0;owned\a \u202egro.elpmaxe \u200b\r\n\xff é 中"
	const want = `\x1b]0;owned\a \u202egro.elpmaxe \u200b\r\n\xff é 中`
	js, _ := jsonQuote(hostile)
	lines := map[string]string{
		"text with the escapes of strconv.Quote": "[INFO] plugin/ede: rcode=SERVFAIL cause=x text=" + strconv.Quote(hostile),
		"text with the bytes as they are":        "[INFO] plugin/ede: rcode=SERVFAIL cause=x text=\"" + hostile + "\"",
		"JSON":                                   `{"level":"INFO","plugin":"ede","rcode":"SERVFAIL","cause":"x","text":` + js + `}`,
	}
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			var r Record
			if found, err := newParser().Parse([]byte(line), &r); !found || err != nil {
				t.Fatalf("Parse = %v, %v", found, err)
			}
			if got := string(r.Get(Text)); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// jsonQuote keeps a broken byte, which encoding/json would replace.
func jsonQuote(s string) (string, error) {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`, nil
}

func TestTopNamesKeepsNamesWithSpacesAndColonsWhole(t *testing.T) {
	r := Record{}
	r.put(Top, []byte(`a\ b.example.org.:12 c:d.example.org.:3 broken e.example.org.:1`))
	var got []string
	for name, n := range r.TopNames {
		got = append(got, fmt.Sprintf("%s=%d", name, n))
	}
	if want := `[a\ b.example.org.=12 c:d.example.org.=3]`; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	p := newParser()
	var r Record
	for _, line := range []string{queryLine, queryJSON, "2026-11-20T14:02:11Z " + queryLine} {
		b := []byte(line)
		p.Parse(b, &r)
		if n := testing.AllocsPerRun(100, func() { p.Reset(); p.Parse(b, &r) }); n > 0 {
			t.Errorf("%v allocations for %.40s...", n, line)
		}
	}
}
