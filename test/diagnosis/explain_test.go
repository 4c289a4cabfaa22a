package diagnosis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/explain"
	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
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
	file := anchorFile(t, b)
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

// explained runs `ede explain` against a fake resolver with the bed's anchor.
func explained(t *testing.T, b *bed.Bed, args ...string) (out, progress string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := explain.Command()
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetOut(&stdout)
	command.SetErr(&stderr)
	command.SetArgs(append(args, "--anchor", anchorFile(t, b)))
	err = command.Execute()
	return stdout.String(), stderr.String(), err
}

func TestExplainPassesOnWhatTheServerItselfSays(t *testing.T) {
	b := bed.New(t, time.Now(), bed.Case{Name: "valid"})
	fails := upstream.Rcode(dns.RcodeServerFailure, true, dns.EDNS0_EDE{InfoCode: 6, ExtraText: "bo\x1bgus"})
	at := "@" + upstream.Start(t, upstream.Config{Handler: resolving(t, b, fails, func(m *dns.Msg) bool {
		return dns.IsSubDomain("valid.edetest.", dns.CanonicalName(m.Question[0].Name))
	})}).Addr()
	for format, want := range map[string]string{
		"--json=false": "\n  " + at[1:] + " itself says EDE 6 DNSSEC Bogus: bogus\n",
		"--json":       "\"said\": [\n    {\n      \"ede\": 6,\n      \"text\": \"bogus\"\n    }\n  ]",
	} {
		out, _, err := explained(t, b, "valid.edetest", at, format)
		if !errors.Is(err, explain.ErrUndecided) || !strings.Contains(out, want) {
			t.Errorf("%s: %v, output\n%s", format, err, out)
		}
	}
}

func TestExplainIsMadeForAPersonAtATerminal(t *testing.T) {
	b := bed.New(t, time.Now(), expired("target"), bed.Case{Name: "valid"}, bed.Case{Name: "withheld"})
	closed := func(m *dns.Msg) bool {
		name := dns.CanonicalName(m.Question[0].Name)
		return name == "withheld.edetest." && m.Question[0].Qtype != dns.TypeDS && m.Question[0].Qtype != dns.TypeDNSKEY || unchecked("target.edetest.")(m)
	}
	at := "@" + upstream.Start(t, upstream.Config{Handler: resolving(t, b, servfail(), closed)}).Addr()
	for name, test := range map[string]struct {
		args []string
		err  error
		want []string
	}{
		"a name that resolves": {[]string{"valid.edetest", at}, nil, []string{
			"valid.edetest. A resolves at ", "DNSSEC: secure", "\n  ok  └─ DS ", "\n  ok     └─ DS ", "queries, ",
		}},
		"a failure that is explained": {[]string{"target.edetest", at}, explain.ErrExplained, []string{
			"target.edetest. A fails at ", "RRSIG of target.edetest. A by key ", "  EDE 7 Signature Expired\n",
			"  cause dnssec_signature_expired, persistent, to be fixed by: zone\n", "\nStep by step:\n", "\n   !        RRSIG of target.", "\nWhat to do: Tell the zone's owner",
		}},
		"a failure that is not": {[]string{"withheld.edetest", at}, explain.ErrUndecided, []string{
			"withheld.edetest. A fails at ", "and the reason could not be found: ", "withheld.edetest. A was answered SERVFAIL even with CD=1", "--delegation", "--compare RESOLVER",
		}},
		"a type by its number":    {[]string{"valid.edetest", "type16", at}, nil, []string{"valid.edetest. TXT resolves"}},
		"a name without the type": {[]string{"valid.edetest", "MX", at}, nil, []string{"valid.edetest. MX is answered without records of the type"}},
		"a name that is not":      {[]string{"nothing.valid.edetest", at}, nil, []string{"nothing.valid.edetest. A is answered NXDOMAIN", "DNSSEC: secure"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, progress, err := explained(t, b, test.args...)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want %v", err, test.err)
			}
			for _, want := range test.want {
				if !strings.Contains(out, want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
			if !strings.HasPrefix(progress, "asking "+at[1:]+" for ") {
				t.Errorf("progress is %q", progress)
			}
		})
	}
	for _, args := range [][]string{{}, {"a..b"}, {"upstream_timeout", at}, {"valid.edetest", "NOTYPE", at}, {"valid.edetest", "@nonsense"}, {"valid.edetest", "A", at, "more"}} {
		if _, _, err := explained(t, b, args...); err == nil || errors.Is(err, explain.ErrExplained) || errors.Is(err, explain.ErrUndecided) {
			t.Errorf("%v: got %v, want a mistake in the arguments", args, err)
		}
	}
}
