package logline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The files of testdata/stores hold the same five lines as a store gives them
// back. VictoriaLogs wrote its file; the others have the shape that their
// manuals show: logcli -o jsonl, FORMAT JSONEachRow of a table whose columns
// have defaults, and hits of a search one a line, as a collector that parses and
// one that does not have stored them, and with "fields".
func TestALineReadsTheSameFromEveryStore(t *testing.T) {
	files, err := filepath.Glob("testdata/stores/*.jsonl")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	at := time.Date(2026, 11, 29, 14, 2, 11, 0, time.UTC)
	want := []struct {
		kind          Kind
		at            time.Time
		count, cached uint64
		window, after float64
		codes         []uint16
		fields        map[Field]string
	}{
		{Query, at.Add(time.Second / 2), 1, 1, 0, 0, []uint16{23, 13}, map[Field]string{
			Cause: "upstream_timeout", RCode: "SERVFAIL", QName: "www.example.org.", Text: `no "reply"`, Zone: "example.org.", Instance: "edge-1", ClientIP: "198.51.100.7",
		}},
		{Summary, at.Add(time.Second), 381, 290, 10, 0, nil, map[Field]string{Zone: "example.org.", Instance: "edge-1", Top: "www.example.org.:180 api.example.org.:40"}},
		{Recovered, at.Add(2 * time.Second), 9120, 0, 0, 83, nil, map[Field]string{Upstream: "192.0.2.53:53", Instance: "edge-1"}},
		{Diagnosis, at.Add(3 * time.Second), 0, 0, 0, 0, []uint16{7}, map[Field]string{Cause: "dnssec_signature_expired", Owner: "zone", Instance: "edge-2"}},
		{Notice, at.Add(3 * time.Second), 0, 0, 0, 0, nil, map[Field]string{Text: "plugin/ede: names are left without an answer"}},
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		if len(lines) != len(want) {
			t.Fatalf("%s has %d lines", file, len(lines))
		}
		for i, w := range want {
			t.Run(filepath.Base(file)+" "+w.kind.String(), func(t *testing.T) {
				p := &Parser{Location: time.UTC, Now: func() time.Time { return at.Add(time.Hour) }}
				var r Record
				if found, err := p.Parse(lines[i], &r); !found || err != nil {
					t.Fatalf("found %v, %v", found, err)
				}
				if r.Kind != w.kind || r.Count != w.count || r.CachedCount != w.cached || r.WindowSeconds != w.window || r.AfterSeconds != w.after {
					t.Errorf("%+v", r)
				}
				if r.Kind != Notice && !r.Time.Equal(w.at) {
					t.Errorf("at %v, want %v", r.Time, w.at)
				}
				if got := r.Codes(nil); string(u16(got)) != string(u16(w.codes)) {
					t.Errorf("codes %v, want %v", got, w.codes)
				}
				for f, val := range w.fields {
					if got := string(r.Get(f)); got != val {
						t.Errorf("field %d is %q, want %q", f, got, val)
					}
				}
			})
		}
	}
}

func u16(codes []uint16) (b []byte) {
	for _, c := range codes {
		b = append(b, byte(c>>8), byte(c))
	}
	return b
}

// RFC 5424 section 6.5 has these headers as examples, but for the message.
func TestSyslogHeadersAreReadOver(t *testing.T) {
	const text = `[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout ede=23 qname=www.example.org.`
	at := time.Date(2003, 10, 11, 22, 14, 15, 3_000_000, time.UTC)
	for name, c := range map[string]struct {
		line   string
		at     time.Time
		source string
	}{
		"no structured data":      {"<34>1 2003-10-11T22:14:15.003Z host.example.com su - ID47 - " + text, at, "host.example.com"},
		"a byte order mark":       {"<34>1 2003-10-11T22:14:15.003Z host.example.com coredns 8710 - - \xef\xbb\xbf" + text, at, "host.example.com"},
		"structured data":         {`<165>1 2003-10-11T22:14:15.003Z host.example.com app - ID47 [x@32473 iut="3" a="]\"["][y@32473 class="high"] ` + text, at, "host.example.com"},
		"JSON":                    {`<165>1 2003-10-11T22:14:15.003Z host.example.com app - ID47 [x@32473 iut="3"] ` + queryJSON, time.Date(2026, 11, 20, 14, 2, 11, 500_000_000, time.UTC), "host.example.com"},
		"nothing known":           {"<34>1 - - - - - - " + text, time.Time{}, ""},
		"an octet count":          {"153 <34>1 2003-10-11T22:14:15.003Z host.example.com su - ID47 - " + text, at, "host.example.com"},
		"the priority of RFC3164": {"<34>Oct 11 22:14:15 mymachine coredns[9]: " + text, time.Date(2026, 10, 11, 22, 14, 15, 0, time.UTC), "mymachine"},
	} {
		t.Run(name, func(t *testing.T) {
			var r Record
			if found, err := newParser().Parse([]byte(c.line), &r); !found || err != nil {
				t.Fatalf("found %v, %v", found, err)
			}
			if !r.Time.Equal(c.at) || string(r.Get(Instance)) != c.source || string(r.Get(Cause)) != "upstream_timeout" {
				t.Errorf("at %v from %q: %q", r.Time, r.Get(Instance), r.Get(Cause))
			}
		})
	}
	for _, broken := range []string{
		"<34>1 2003-10-11T22:14:15.003Z host su - ID47 [unclosed " + text,
		"<34>1 2003-10-11T22:14:15.003Z",
		"<x>1 2003-10-11T22:14:15.003Z host su - ID47 -",
		"<", "<1", "<>", "<1>", "<1>1 ", "<1>1 a b c d e", "<1>1 a b c d e ", "1 <",
	} {
		var r Record
		newParser().Parse([]byte(broken), &r)
	}
}

func TestTheSinkNamesTheInstanceWhereTheLineDoesNot(t *testing.T) {
	const text = `[INFO] plugin/ede: rcode=SERVFAIL cause=upstream_timeout qname=www.example.org.`
	for line, want := range map[string]string{
		"[pod/coredns-5d78c/coredns] 2026-11-20T14:02:11Z " + text:     "coredns-5d78c",
		"2026-11-20T14:02:11+0100 edge-7 coredns[9]: " + text:          "edge-7",
		"Nov  2 14:02:11 edge-7 coredns[9]: " + text:                   "edge-7",
		"coredns-1  | " + text:                                         "coredns-1",
		"2026-11-20T14:02:11Z stdout F " + text:                        "",
		"2026-11-20T14:02:11.1Z " + text:                               "",
		"2026/11/20 14:02:11 " + text:                                  "",
		text:                                                           "",
		"Nov  2 14:02:11 edge-7 coredns[9]: " + text + " instance=own": "own",
		`{"MESSAGE":"` + text + `","_HOSTNAME":"edge-7"}`:              "edge-7",
		`{"_msg":"` + text + `","kubernetes.pod_name":"coredns-x"}`:    "coredns-x",
		"[pod/coredns-5d78c/coredns] " + queryJSON:                     "coredns-5d78c",
		"[pod/" + strings.Repeat("x", 300) + "/coredns] " + text:       "",
	} {
		var r Record
		if found, err := newParser().Parse([]byte(line), &r); !found || err != nil {
			t.Errorf("%s: found %v, %v", line, found, err)
		}
		if got := string(r.Get(Instance)); got != want {
			t.Errorf("%s: from %q, want %q", line, got, want)
		}
	}
}
