package diagnosis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/explain"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// answering answers every question with these records, in which QNAME stands for
// the name.
func answering(rcode int, lines ...string) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetRcode(m, rcode)
		for _, line := range lines {
			if rr, err := dns.NewRR(strings.ReplaceAll(line, "QNAME", m.Question[0].Name)); err == nil {
				r.Answer = append(r.Answer, rr)
			}
		}
		_ = w.WriteMsg(r)
	})
}

// Whoever runs explain looks at what strangers sent with a terminal.
func TestExplainShowsNothingThatCanActOnATerminal(t *testing.T) {
	const escape = `\027[2J\027]0;pwned\007\226\128\174`
	for what, handler := range map[string]dns.Handler{
		"a text":                 upstream.RawEDE(6, []byte("\x1b[2J\x1b]0;pwned\a\u202egro.elpmaxe\u009b31m\r\nEDE 0 forged\x00")),
		"a long text":            upstream.RawEDE(7, []byte(strings.Repeat("\u202ex", 500))),
		"a text next to a 0":     upstream.RawEDE(0, []byte("\x1b[31m\nWhat to do: visit http://pwned.example")),
		"names":                  answering(dns.RcodeSuccess, "QNAME 60 IN CNAME "+escape+".example.org."),
		"names of signers":       answering(dns.RcodeSuccess, "QNAME 60 IN A 192.0.2.1", "QNAME 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 "+escape+". AAAA"),
		"a root of another kind": answering(dns.RcodeSuccess, ". 60 IN DNSKEY 257 3 8 AwEAAQ==", ". 60 IN NS "+escape+"."),
		"garbage":                upstream.Garbage(),
		"an unknown rcode":       answering(14),
		"refusals":               upstream.Rcode(dns.RcodeRefused, false, dns.EDNS0_EDE{InfoCode: 49999, ExtraText: "\x1b]52;c;cHduZWQ=\a"}),
	} {
		for _, format := range []string{"text", "JSON"} {
			t.Run(what+" in "+format, func(t *testing.T) {
				up := upstream.Start(t, upstream.Config{Handler: handler})
				var out bytes.Buffer
				command := explain.Command()
				command.SilenceUsage, command.SilenceErrors = true, true
				command.SetOut(&out)
				command.SetErr(&out)
				args := []string{"www.example.org", "@" + up.Addr(), "--compare", up.Addr()}
				if format == "JSON" {
					args = append(args, "--json")
				}
				command.SetArgs(args)
				err := command.Execute()
				if err != nil && !errors.Is(err, explain.ErrExplained) && !errors.Is(err, explain.ErrUndecided) {
					t.Fatal(err)
				}
				for _, r := range out.String() {
					if r != '\n' && !strconv.IsPrint(r) {
						t.Fatalf("%U goes to the terminal: %q", r, out.String())
					}
				}
				if format == "JSON" && !json.Valid(out.Bytes()) {
					t.Errorf("%q", out.String())
				}
				for line := range strings.Lines(out.String()) {
					if format == "text" && (strings.HasPrefix(strings.TrimSpace(line), "EDE 0 forged") || strings.HasPrefix(line, "What to do: visit")) {
						t.Errorf("a line is forged: %q", line)
					}
				}
			})
		}
	}
}
