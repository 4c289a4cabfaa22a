package logline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		queryLine, queryJSON,
		`[INFO] plugin/ede: summary cause=x count=381 cached=290 window_seconds=1e1 top="a.:1 b\\ c.:2"`,
		`{"log":"[INFO] plugin/ede: rcode=SERVFAIL cause=x text=\"\\x1b\"\n","time":"2026-11-20T14:02:11Z"}`,
		"Nov 20 14:02:11 ns1 coredns[123]: [INFO] plugin/ede: recovered cause=x after_seconds=83 count=9120",
		`{"plugin":"ede","level":"INFO","cause":"\ud83d\ude00","rcode":"A","ede":[23,13],"x":{"y":[1,null,-0.5e+3]}}`,
		`[INFO] plugin/ede: answer ede=3,22 server=dns://:53 client_ip=198.51.100.7 qname=www.example.org. qtype=A text="stale \x1b"`,
		`{"plugin":"ede","level":"INFO","msg":"answer","ede":[3],"qname":"www.example.org."}`,
		`[INFO] plugin/ede: reason cause=upstream_ede ede=9 zone=example.org. queries=1 text="no key"`,
		`<34>1 2003-10-11T22:14:15.003Z host su - ID47 [a b="]"] [INFO] plugin/ede: rcode=SERVFAIL cause=x`,
		`{"labels":{"plugin":"ede"},"line":"{\"plugin\":\"ede\",\"rcode\":\"A\",\"cause\":\"x\"}","timestamp":"2026-11-20T14:02:11Z"}`,
		`{"fields":{"@timestamp":["2026-11-20T14:02:11Z"],"message":["summary"],"plugin":["ede"],"cause":["x"],"ede":["7","22"],"count":[3]}}`,
		`{"_msg":"failure","_time":"1795960931500","plugin":"ede","rcode":"A","cause":"x","ede":"[7,22]","cached":"0","hostname":"\u001b"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var r Record
		found, err := newParser().Parse(line, &r)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if !found || err != nil {
			return
		}
		for f := range numFields {
			val := r.Get(f)
			if len(val) > rules[f].max && f != Text {
				t.Errorf("field %d has %d bytes", f, len(val))
			}
			for _, c := range string(val) {
				if !strconv.IsPrint(c) && c != '\uFFFD' {
					t.Errorf("field %d holds %U", f, c)
				}
			}
		}
		if r.Count > maxCount || r.CachedCount > maxCount {
			t.Errorf("count %d, cached %d", r.Count, r.CachedCount)
		}
		for range r.TopNames {
		}
		r.Codes(nil)
	})
}

// FuzzParseIsTheSameAfterOtherLines holds a parser to what one reads that has read no line before.
func FuzzParseIsTheSameAfterOtherLines(f *testing.F) {
	const text, object = "[INFO] plugin/ede: ", `{"plugin":"ede","level":"INFO",`
	for _, seed := range [][2]string{
		{queryLine, queryLine}, {queryJSON, queryJSON}, {queryLine, queryJSON},
		{text + "rcode=A cause=x at=y cached=true", text + "rcode=A cause=x at=yz cause=x "},
		{text + `rcode=A text="a b" cause=x`, text + `rcode=A text="a b" text="a b" cause=x`},
		{text + `rcode=A cause=x text="\x20b" at=y`, text + `rcode=A cause=x text="\x20b" at="y"`},
		{text + "summary cause=x zone=A.example. count=1", text + "summary cause=x zone=A.example. count=1"},
		{object + `"cause":"u","cause":null,"rcode":"A"}`, object + `"cause":null,"rcode":"A","cause":"u"}`},
		{object + `"rcode":"A","cause":"x","ede":7,"at":"y"}`, object + `"rcode":"A","cause":"x","ede":72,"at":"y"}`},
		{object + `"rcode":"A","cause":"x","ede":["7"],"at":["y"]}`, object + `"rcode":"A","cause":"x","ede":["7"],"at":["y"] , "at":"y"}`},
		{`{"cause":"x","rcode":"A","plugin":"ede"}`, `{"cause":"x","rcode":"A",{"cause":"x","plugin":"ede"}`},
		{`{"plugin":"ede","rcode":"A","cause":"x"}`, `{"plugin":"forward","rcode":"A","cause":"x"}`},
		{object + `"rcode":"A","cause":"x","cached":true}`, object + `"rcode":"A","cause":"x","cached":truer}`},
		{`{"log":"[INFO] plugin/ede: rcode=A cause=x at=y\n","time":"2026-11-20T14:02:11Z"}`, text + "rcode=A cause=x at=y text=z"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, before, line []byte) {
		p := newParser()
		var got, want Record
		for range 2 {
			p.Parse(before, &got)
		}
		for range 2 {
			found, err := p.Parse(line, &got)
			wantFound, wantErr := newParser().Parse(line, &want)
			if found != wantFound || err != wantErr {
				t.Fatalf("%v, %v after other lines; %v, %v without", found, err, wantFound, wantErr)
			}
			if !found || err != nil {
				return
			}
			if g, w := shownRecord(&got), shownRecord(&want); g != w {
				t.Fatalf("after other lines\n%s\nwithout\n%s", g, w)
			}
		}
	})
}

func shownRecord(r *Record) string {
	all := fmt.Sprintln(r.Kind, r.Time, r.Count, r.CachedCount, r.WindowSeconds, r.AfterSeconds, r.Alike, r.seen)
	for f := range numFields {
		all += fmt.Sprintf("%s=%q\n", keys[f], r.Get(f))
	}
	return all
}

// FuzzScannerAgainstEncodingJSON holds the scanner to what the standard
// library takes for JSON.
func FuzzScannerAgainstEncodingJSON(f *testing.F) {
	for _, seed := range []string{queryJSON, `{}`, `{"a":"\u00e9\ud800x\/","b":[[],{"c":-1e5}],"d":true}`, `{"a":01}`, `{"a":1,}`, ` { "a" : null } `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := scanner{p: newParser(), b: b}
		got := map[string]string{}
		for {
			m, ok, err := s.next()
			if err != nil {
				if json.Valid(b) && len(b) > 0 && bytes.TrimLeft(b, " \t\r\n")[0] == '{' && bytes.Count(b, []byte{'['})+bytes.Count(b, []byte{'{'}) <= maxDepth {
					t.Fatalf("refused: %q", b)
				}
				return
			}
			if !ok {
				break
			}
			if m.kind == '"' {
				// As the standard library reads it: U+FFFD for each octet that is not
				// UTF-8.
				got[string([]rune(string(m.key)))] = string(m.text)
			}
		}
		if !json.Valid(b) {
			t.Fatalf("accepted %q", b)
		}
		var want map[string]any
		numbers := json.NewDecoder(bytes.NewReader(b))
		numbers.UseNumber() // 1e700 is JSON, whatever a float64 holds
		if err := numbers.Decode(&want); err != nil {
			t.Fatalf("accepted %q: %v", b, err)
		}
		for key, val := range got {
			if w, ok := want[key].(string); ok && bytes.Equal(bytes.ToValidUTF8([]byte(val), nil), []byte(val)) && w != val {
				t.Errorf("%q: got %q, want %q", key, val, w)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	foreign := `[INFO] 198.51.100.7:40112 - 4711 "A IN www.example.org. udp 41 false 1232" NOERROR qr,rd,ra 106 0.0012s`
	for name, line := range map[string]string{"text": queryLine, "JSON": queryJSON, "foreign": foreign} {
		b.Run(name, func(b *testing.B) {
			p, raw := newParser(), []byte(line)
			var r Record
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				p.Reset()
				p.Parse(raw, &r)
			}
		})
	}
}
