package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

func TestCommandReadsItsFlags(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string // in the output, or in the error
		fail bool
	}{
		"a file":                     {[]string{"testdata/kubectl.log"}, "384 failures", false},
		"standard input":             {nil, "384 failures", false},
		"a dash":                     {[]string{"-"}, "384 failures", false},
		"JSON":                       {[]string{"--json"}, `"failures": 384`, false},
		"CSV":                        {[]string{"--csv"}, "total,,,384", false},
		"a time":                     {[]string{"--since", "2026-11-20T14:00:00Z"}, "2 failures", false},
		"a zone and a cause":         {[]string{"--zone", "example.net", "--cause", "upstream_servfail"}, "1 failure ", false},
		"a client":                   {[]string{"--client", "2001:db8::/32"}, "2 failures", false},
		"JSON and CSV":               {[]string{"--json", "--csv"}, "none of the others can be", true},
		"a time of no form":          {[]string{"--until", "soon"}, "soon", true},
		"a client that is a name":    {[]string{"--client", "localhost"}, "neither an address", true},
		"a table of no size":         {[]string{"-n", "0"}, "between", true},
		"a file that is not there":   {[]string{"testdata/none.log"}, "no such file", true},
		"a flag that does not exist": {[]string{"--colour"}, "unknown flag", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := os.Open("testdata/kubectl.log")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			var out bytes.Buffer
			cmd := Command(testKnowledge)
			cmd.SetArgs(append([]string{}, tc.args...))
			cmd.SetIn(in)
			cmd.SetOut(&out)
			cmd.SetErr(&bytes.Buffer{})
			err = cmd.ExecuteContext(t.Context())
			got := out.String()
			if err != nil {
				got = err.Error()
			}
			if (err != nil) != tc.fail || !strings.Contains(got, tc.want) {
				t.Errorf("error %v, output:\n%s", err, out.String())
			}
		})
	}
}

func TestJSONIsReadBackAsTheSameReport(t *testing.T) {
	want := sumUp(t, Filter{}, wwwLine, netLine, summaryLine)
	var b bytes.Buffer
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Failures != want.Failures || !got.From.Equal(want.From) || len(got.Causes) != len(want.Causes) || got.Zones.Items[0].Count != want.Zones.Items[0].Count {
		t.Errorf("got %+v", got)
	}
}

func TestCSVDoesNotHandFormulasToASpreadsheet(t *testing.T) {
	r := sumUp(t, Filter{}, `[INFO] plugin/ede: rcode=SERVFAIL cause=x client_ip=@1 upstream=-1+2 qname="=cmd,\"x\".example."`)
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cells := map[string]bool{}
	for _, row := range rows {
		cells[row[1]] = true
		if strings.ContainsAny(row[1][:min(1, len(row[1]))], "=+-@") {
			t.Errorf("cell %q", row[1])
		}
	}
	if !cells[`'=cmd,"x".example.`] {
		t.Errorf("cells %v", cells)
	}
}

func TestEveryLineFitsTheTerminal(t *testing.T) {
	long := strings.Repeat("a.", 200) + "中文.example.org."
	r := sumUp(t, Filter{}, wwwLine, netLine, summaryLine,
		`2026-11-20T12:00:00Z [INFO] plugin/ede: rcode=SERVFAIL cause=`+strings.Repeat("c", 64)+` owner=`+strings.Repeat("o", 64)+` lasts=`+strings.Repeat("l", 64)+` upstream=`+strings.Repeat("u", 200)+` qname="`+long+`" text="x" advice="`+strings.Repeat("word ", 100)+strings.Repeat("w", 300)+`"`,
		`2026-11-20T12:00:00Z [INFO] plugin/ede: diagnosis cause=lame_delegation owner=zone zone="`+long+`" text="`+strings.Repeat("中", 200)+`"`)
	for _, width := range []int{1, minWidth, 80, 100, 400} {
		var b bytes.Buffer
		if err := r.WriteText(&b, Style{Width: width, Location: time.UTC, Names: 3}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "Who") || strings.HasPrefix(line, "Lasting") || strings.HasPrefix(line[min(2, len(line)):], ". ") {
				continue // words, which a terminal may wrap
			}
			if n := textWidth(line); n > min(max(width, minWidth), maxWidth) {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
	}
}

func TestFitCutsInTheMiddleToTheColumn(t *testing.T) {
	for _, s := range []string{"", "a", "abcdefghij", "中文中文中文", "e\u0301e\u0301e\u0301e\u0301"} {
		for n := range 14 {
			got := fit(s, n)
			if textWidth(got) > n {
				t.Errorf("fit(%q, %d) = %q takes %d", s, n, got, textWidth(got))
			}
			if textWidth(s) <= n && got != s {
				t.Errorf("fit(%q, %d) = %q", s, n, got)
			}
		}
	}
	if got := fit("abcdefghij", 5); got != "ab…ij" {
		t.Errorf("got %q", got)
	}
}

func TestSpansAndSharesReadWell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "under 1s", 59 * time.Second: "59s", 83 * time.Second: "1m23s", time.Hour: "1h", 25*time.Hour + 59*time.Minute: "1d1h",
	} {
		if got := spanOf(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for want, of := range map[string][2]uint64{"0%": {0, 5}, "<1%": {1, 1000}, ">99%": {999, 1000}, "100%": {5, 5}, "50%": {1, 2}} {
		if got := percent(of[0], of[1]); got != want {
			t.Errorf("%v: %s, want %s", of, got, want)
		}
	}
}
