package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostileLog is a log whose every value was chosen by somebody who hopes that
// an operator looks at a report of it.
func hostileLog(value string) string {
	var b strings.Builder
	for _, quoted := range []string{strconv.Quote(value), `"` + strings.NewReplacer("\n", "", "\r", "", `"`, "", `\`, "").Replace(value) + `"`} {
		for _, kind := range []string{"", "summary ", "recovered ", "diagnosis ", "reason ", "answer "} {
			b.WriteString("[INFO] plugin/ede: " + kind + "rcode=SERVFAIL")
			for _, key := range []string{"cause", "lasts", "owner", "at", "upstream", "zone", "client_ip", "qname", "qtype", "sent", "text", "error", "advice", "top"} {
				b.WriteString(" " + key + "=" + quoted)
			}
			b.WriteString(" ede=6 count=3 cached=false\n")
		}
	}
	object, _ := json.Marshal(map[string]any{"plugin": "ede", "level": "INFO", "rcode": "SERVFAIL", "cause": value, "qname": value,
		"upstream": value, "client_ip": value, "owner": value, "lasts": value, "text": value, "advice": value, "zone": value, "sent": value})
	return b.String() + string(object) + "\n"
}

// packed reports whether a log is read as gzip or one JSON document, which is an
// error where it does not end as such.
func packed(log string) bool {
	return strings.HasPrefix(log, "\x1f\x8b") || strings.HasPrefix(strings.TrimLeft(log, " \t\r\n"), "[") || strings.HasPrefix(strings.TrimLeft(log, " \t\r\n"), "{")
}

// checkReport asserts of a log what has to hold for any. One that cannot be read has
// an error, and no report or one of what came before.
func checkReport(t *testing.T, log string) {
	t.Helper()
	write := func(format Format) string {
		var out bytes.Buffer
		c := testConfig(&out)
		c.Stdin, c.Format, c.Top = strings.NewReader(log), format, 10
		if err := Run(context.Background(), c); err != nil && !packed(log) {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, r := range write(Text) {
		if r != '\n' && !strconv.IsPrint(r) {
			t.Errorf("%U goes to the terminal", r)
		}
	}
	if text := write(JSON); text != "" && !json.Valid([]byte(text)) || !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\u202e\u2028\u200b") {
		t.Errorf("JSON: %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(write(CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			// What a spreadsheet would calculate, and what it would skip before it.
			if first, size := utf8.DecodeRuneInString(cell); size > 0 && strings.ContainsRune("=+-@＝＋－＠\t\r\n", first) {
				t.Errorf("cell %q is a formula", cell)
			}
			for _, r := range cell {
				if !strconv.IsPrint(r) {
					t.Errorf("%U in cell %q", r, cell)
				}
			}
		}
	}
}

var hostile = []string{
	"\x1b[2J\x1b]0;pwned\a", "\u202egro.elpmaxe", "\u200b\ufeff", "\xff\xfe\xc0\xaf", "\u009b31m", "\u2028\u2029\u0085", "a\nb\r\nc\x00",
	"=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "\r=1+1", " =1+1", "\uff1d1+1", "\"quoted\",and;separated", strings.Repeat("x", 70000),
	"%s%n%!d(MISSING)", "<script>alert(1)</script>",
}

func TestAHostileLogHarmsNeitherTerminalNorSpreadsheet(t *testing.T) {
	for _, value := range hostile {
		checkReport(t, hostileLog(value))
	}
	var every strings.Builder
	for b := range 256 {
		every.WriteString(hostileLog("a" + string([]byte{byte(b)}) + "z"))
		every.WriteString(hostileLog(string([]byte{byte(b)}) + "1"))
	}
	checkReport(t, every.String())
}

// FuzzReport reads outside bytes as a log.
func FuzzReport(f *testing.F) {
	for _, value := range hostile {
		// The instrumented run of a log of megabytes is taken for a hang.
		if len(value) < 1000 {
			f.Add(hostileLog(value))
		}
	}
	f.Fuzz(checkReport)
}
