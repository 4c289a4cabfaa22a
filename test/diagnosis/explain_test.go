package diagnosis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
)

// The same zones by `ede explain`, which judges what the resolver answers too:
// a zone that is insecure for a reason worth knowing, and one that is clean.
func TestExplainJudgesWhatTheResolverAnswersToo(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a resolver")
	}
	b := bed.New(t, time.Now())
	b.Listen(t, 53)
	up := resolver.Unbound.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		anchors.WriteString(rr.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(file, []byte(anchors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Cases() {
		if c.Name == "dnskey-timeout" {
			// Unbound stops asking a silent server for all names of the zone:
			// then nothing shows that it is only the DNSKEY that is silent.
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			q := c.Question()
			var out bytes.Buffer
			command := explain.Command()
			command.SilenceUsage, command.SilenceErrors = true, true
			command.SetOut(&out)
			command.SetArgs([]string{q.Name, dns.Type(q.Qtype).String(), "@" + up, "--anchor", file, "--json"})
			err := command.Execute()
			if err != nil && !errors.Is(err, explain.ErrExplained) {
				t.Fatalf("%v\n%s", err, out.String())
			}
			var got struct {
				Outcome string
				Codes   []uint16 `json:"ede"`
				Text    string
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if (got.Outcome == "explained") != errors.Is(err, explain.ErrExplained) {
				t.Errorf("outcome %s with error %v", got.Outcome, err)
			}
			switch {
			case len(c.Expected) == 0 && slices.ContainsFunc(got.Codes, func(code uint16) bool { return !slices.Contains(c.AlsoTrue, code) }):
				t.Errorf("%v of a clean zone: %s", got.Codes, got.Text)
			case len(c.Expected) > 0 && (len(got.Codes) == 0 || !slices.Contains(c.Expected, got.Codes[0])):
				t.Errorf("first of %v is none of %v: %s", got.Codes, c.Expected, got.Text)
			}
		})
	}
}
