package diagnosis_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// What the advice on hosts_miss says, done: the names that the table lacks do not exist
// then, and fail no more.
func TestTheAdviceOnAMissingHostWorks(t *testing.T) {
	zone := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(zone, []byte("@ 60 IN SOA ns.example.org. hostmaster.example.org. 1 7200 900 1209600 60\n@ 60 IN NS ns.example.org.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hosts := func(more string) string {
		return fmt.Sprintf(".:0 {\n bind 127.0.0.1\n ede\n hosts {\n 192.0.2.5 printer.example.org\n %s\n }\n file %s example.org\n}", more, zone)
	}
	s := server.Start(t, hosts("fallthrough"))
	if r := server.Ask(t, s.UDP(), "nothing.example.org.", dns.TypeA); r.Rcode != dns.RcodeNameError {
		t.Errorf("a name that the table lacks is answered %s", dns.RcodeToString[r.Rcode])
	}
	if r := server.Ask(t, s.UDP(), "printer.example.org.", dns.TypeA); r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 {
		t.Errorf("a name that it has is answered %s", r)
	}
	without := server.Start(t, hosts(""))
	if r := server.Ask(t, without.UDP(), "nothing.example.org.", dns.TypeA); r.Rcode != dns.RcodeServerFailure {
		t.Errorf("without fallthrough the answer is %s", dns.RcodeToString[r.Rcode])
	}
}

// What clients are told by default names no address. Each example is of a run.
func TestNoExampleShowsClientsAnAddress(t *testing.T) {
	examples, err := filepath.Glob("../../cmd/ede/causes/examples/*.txt")
	if err != nil || len(examples) == 0 {
		t.Fatal(err, examples)
	}
	told := 0
	for _, example := range examples {
		text, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			ede, ok := strings.CutPrefix(line, "; EDE: ")
			if !ok {
				continue
			}
			told++
			for _, word := range strings.FieldsFunc(ede, func(r rune) bool { return strings.ContainsRune(" ();,\"\n", r) }) {
				word = strings.TrimSuffix(word, ":")
				_, isAddr := netip.ParseAddr(word)
				_, isPort := netip.ParseAddrPort(word)
				if isAddr == nil || isPort == nil {
					t.Errorf("%s: clients are told %s", filepath.Base(example), line)
				}
			}
		}
	}
	if told < len(examples)/2 {
		t.Errorf("%d of %d examples show what clients are told", told, len(examples))
	}
}
