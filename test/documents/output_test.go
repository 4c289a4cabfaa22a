package documents_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

var (
	shownEDE  = regexp.MustCompile(`(?m)^;+ EDE: (\d+) \(([^)]*)\)`)
	shownLine = regexp.MustCompile(`(?m)^\[INFO\] plugin/ede: rcode=.*(?:\n  .*)*$`)
	field     = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*"|\S+)`)
)

// TestTheOutputsOfTheDocumentsAreThoseOfThePlugin compares what dig and the log
// are shown to say with the catalog and the registry.
func TestTheOutputsOfTheDocumentsAreThoseOfThePlugin(t *testing.T) {
	edes, lines := 0, 0
	for _, d := range documents(t) {
		for _, m := range shownEDE.FindAllStringSubmatch(d.text, -1) {
			edes++
			// dig calls 0 "Other".
			code, err := strconv.ParseUint(m[1], 10, 16)
			if name := option.Name(uint16(code)); err != nil || name != m[2] && !(code == 0 && m[2] == "Other") {
				t.Errorf("%s: EDE %s is %q, not %q", d.path, m[1], name, m[2])
			}
		}
		for _, line := range shownLine.FindAllString(d.text, -1) {
			lines++
			// A long line may be folded.
			checkLine(t, d.path, strings.Join(strings.Fields(line), " "))
		}
	}
	if edes < 10 || lines < 10 {
		t.Errorf("%d EDEs and %d log lines are found", edes, lines)
	}
}

func checkLine(t *testing.T, path, line string) {
	t.Helper()
	fields := make(map[string]string)
	for _, m := range field.FindAllStringSubmatch(line, -1) {
		if fields[m[1]] == "" {
			fields[m[1]] = strings.Trim(m[2], `"`)
		}
	}
	c := cause.ByID(fields["cause"])
	if c == nil {
		t.Errorf("%s: no cause is called %q", path, fields["cause"])
		return
	}
	if !elsewhere[c.ID] && (fields["lasts"] != string(c.Lasts) || fields["owner"] != string(c.Owner)) {
		t.Errorf("%s: %s lasts %s and is of %s, not %s, %s", path, c.ID, c.Lasts, c.Owner, fields["lasts"], fields["owner"])
	}
	advice, cut := strings.CutSuffix(fields["advice"], " ...")
	// A block that diagnoses is not told to.
	whole := strings.TrimSuffix(strings.TrimSpace(c.Advice), " With diagnose, ede looks for the reason itself.")
	if advice == "" || elsewhere[c.ID] || !cut && advice == whole {
		return
	}
	if !strings.HasPrefix(c.Advice, advice) || !cut && advice != c.Advice {
		t.Errorf("%s: the advice of %s is %q, not %q", path, c.ID, c.Advice, advice)
	}
}

// elsewhere are the causes whose advice is that of what they point to.
var elsewhere = map[string]bool{"upstream_ede": true, "cname_target_failed": true}
