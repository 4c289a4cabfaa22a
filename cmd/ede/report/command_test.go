package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/figures"
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
		"a store without a name":     {[]string{"--from", ""}, "--from is empty: want the URL", true},
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
	var got figures.Report
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
