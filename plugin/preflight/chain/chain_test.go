package chain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// built reads one block.
func built(t *testing.T, block string) (*Chain, []string) {
	t.Helper()
	blocks, err := corefile.Parse("Corefile", strings.NewReader(block), nil)
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	zones := ZonesOf(blocks[0].Keys, nil)
	c, ok := New(blocks[0].Directives, zones, OrderOf(dnsserver.Directives), 256)
	if !ok {
		t.Fatal("too many zones")
	}
	return c, zones
}

func TestAQuestionEndsAsItDoesInCoreDNS(t *testing.T) {
	tests := []struct {
		name, block, question string
		qtype                 uint16
		end                   End
		at                    string // the plugin
	}{
		{"hosts with the name", "example.org {\n hosts {\n 192.0.2.1 a.example.org\n }\n}", "a.example.org.", dns.TypeMX, Answered, "hosts"},
		{"hosts with a wildcard", "example.org {\n hosts {\n 192.0.2.1 *.example.org\n }\n}", "x.example.org.", dns.TypeA, Answered, "hosts"},
		{"a wildcard is for one label", "example.org {\n hosts {\n 192.0.2.1 *.example.org\n }\n}", "x.y.example.org.", dns.TypeA, Missed, "hosts"},
		{"hosts without the name", "example.org {\n hosts {\n 192.0.2.1 a.example.org\n }\n}", "b.example.org.", dns.TypeA, Missed, "hosts"},
		{"hosts has PTR of its addresses", "2.0.192.in-addr.arpa {\n hosts {\n 192.0.2.1 a.2.0.192.in-addr.arpa\n }\n}", "1.2.0.192.in-addr.arpa.", dns.TypePTR, Answered, "hosts"},
		{"hosts passes other PTR on, whatever fallthrough says", ". {\n hosts\n forward . 192.0.2.53\n}", "9.2.0.192.in-addr.arpa.", dns.TypePTR, Answered, "forward"},
		{"hosts passes other types on", ". {\n hosts {\n 192.0.2.1 a.example.org\n fallthrough\n fallthrough_unsupported\n }\n forward . 192.0.2.53\n}", "a.example.org.", dns.TypeMX, Answered, "forward"},
		{"template of another type", "example.org {\n template IN A {\n rcode NOERROR\n }\n}", "a.example.org.", dns.TypeAAAA, NoNext, ""},
		{"template that does not match", "example.org {\n template IN A {\n match ^x\n rcode NOERROR\n }\n}", "a.example.org.", dns.TypeA, Missed, "template"},
		{"template of another class", "example.org {\n template CH A {\n rcode NOERROR\n }\n}", "a.example.org.", dns.TypeA, NoNext, ""},
		{"template with an expression", "example.org {\n template IN A {\n expr false\n rcode NOERROR\n }\n}", "a.example.org.", dns.TypeA, Unknown, ""},
		{"file outside of its zones, the last", "example.org {\n file db sub.example.org\n}", "a.example.org.", dns.TypeA, Refused, "file"},
		{"file outside of its zones, above loop", "example.org {\n file db sub.example.org\n loop\n}", "a.example.org.", dns.TypeA, NoNext, ""},
		{"file outside of its zones, in a view", "example.org {\n view v {\n expr true\n }\n file db sub.example.org\n}", "a.example.org.", dns.TypeA, NoNext, ""},
		{"the longer zone of two files", "example.org {\n file a example.org\n file b sub.example.org\n}", "x.sub.example.org.", dns.TypeA, Answered, "file"},
		{"a file that names its zone twice", "example.org {\n file a example.org example.org\n}", "x.example.org.", dns.TypeA, Answered, "file"},
		{"one fallthrough is for all files", "example.org {\n file a example.org\n file b sub.example.org {\n fallthrough\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"a second etcd is not read", "example.org {\n etcd sub.example.org\n etcd example.org\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"forward's except", ". {\n forward . 192.0.2.53 {\n except example.org\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"forward's except of its own zone", "example.org {\n forward example.org 192.0.2.53 {\n except example.org\n }\n}", "example.org.", dns.TypeA, Answered, "forward"},
		{"the first forward", ". {\n forward example.org 192.0.2.1\n forward . 192.0.2.2\n}", "x.example.org.", dns.TypeA, Answered, "forward"},
		{"forward above grpc, whatever the file says", ". {\n grpc . 192.0.2.1\n forward . 192.0.2.2\n}", "x.example.org.", dns.TypeA, Answered, "forward"},
		{"forward with next", ". {\n forward . 192.0.2.1 {\n next NXDOMAIN\n }\n forward . 192.0.2.2\n}", "x.example.org.", dns.TypeA, Unknown, "forward"},
		{"acl that drops all", ". {\n acl {\n drop\n }\n}", "x.example.org.", dns.TypeA, Meant, "acl"},
		{"acl that drops some networks", ". {\n acl {\n drop net 192.0.2.0/24\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"acl that drops all networks", ". {\n acl {\n drop net 0.0.0.0/0 ::/0\n }\n}", "x.example.org.", dns.TypeA, Meant, "acl"},
		{"acl that lets some in", ". {\n acl {\n allow net 192.0.2.0/24\n drop\n }\n forward . 192.0.2.53\n}", "x.example.org.", dns.TypeA, Answered, "forward"},
		{"acl for other types", ". {\n acl {\n filter type AAAA\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"acl for another zone", ". {\n acl example.net {\n block\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"rewrite to a name that is answered", "example.org {\n rewrite name suffix .example.org .example.net answer auto\n template ANY ANY example.net {\n rcode NXDOMAIN\n }\n}", "x.example.org.", dns.TypeA, Answered, "template"},
		{"rewrite stops at the first rule", "example.org {\n rewrite name exact x.example.org y.example.org\n rewrite name exact y.example.org x.example.net\n template ANY ANY example.net {\n rcode NXDOMAIN\n }\n}", "x.example.org.", dns.TypeA, NoNext, ""},
		{"rewrite that continues", "example.org {\n rewrite continue name exact x.example.org y.example.org\n rewrite name exact y.example.org x.example.net\n template ANY ANY example.net {\n rcode NXDOMAIN\n }\n}", "x.example.org.", dns.TypeA, Answered, "template"},
		{"rewrite in braces", "example.org {\n rewrite stop {\n name regex (.*)[.]example[.]org {1}.example.net\n answer auto\n }\n template ANY ANY example.net {\n rcode NXDOMAIN\n }\n}", "x.example.org.", dns.TypeA, Answered, "template"},
		{"rewrite of the type", "example.org {\n rewrite type AAAA A\n template IN A {\n rcode NXDOMAIN\n }\n}", "x.example.org.", dns.TypeAAAA, Answered, "template"},
		{"rewrite of the rcode", "example.org {\n rewrite rcode suffix example.org SERVFAIL NXDOMAIN\n errors\n}", "x.example.org.", dns.TypeA, Unknown, ""},
		{"local", ". {\n local\n}", "localhost.", dns.TypeA, Answered, "local"},
		{"no place in the chain", ". {\n reload\n bind 127.0.0.1\n}", "x.example.org.", dns.TypeA, NoChain, ""},
		{"an external plugin", ". {\n nonesuch\n}", "x.example.org.", dns.TypeA, Unknown, ""},
		{"an external plugin and hosts", ". {\n nonesuch\n hosts\n}", "x.example.org.", dns.TypeA, Missed, "hosts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, _ := built(t, test.block)
			out := c.Ask(Question{Name: test.question, Type: test.qtype}, nil)
			at := ""
			if out.At >= 0 {
				at = c.Links[out.At].Name
			}
			if out.End != test.end || at != test.at {
				t.Errorf("end %d at %q, want %d at %q", out.End, at, test.end, test.at)
			}
		})
	}
}

func TestProbesStandForEachZoneThatIsTreatedOtherwise(t *testing.T) {
	c, zones := built(t, "example.org 10.0.0.0/8 {\n hosts {\n 192.0.2.1 a.example.org\n fallthrough sub.example.org\n }\n forward . 192.0.2.53\n}")
	var got []string
	for _, p := range c.Probes(zones) {
		got = append(got, p.Name)
	}
	want := "1.1.1.10.in-addr.arpa. example.org. nowhere.example.org. sub.example.org. nowhere.sub.example.org. a.example.org."
	if strings.Join(got, " ") != want {
		t.Errorf("probes %v, want %s", got, want)
	}
}

func sampleOfText(t *testing.T, pattern string) (string, bool) {
	t.Helper()
	re, err := parsed(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return sampleOf(re)
}

func TestASampleIsANameThatThePatternMatches(t *testing.T) {
	for pattern, want := range map[string]string{
		`^(.*)[.]example[.]org[.]$`:      "x.example.org.",
		`(.+)-(us-west-1)\.example\.org`: "x-us-west-1.example.org",
		`^(?P<a>[0-9]{1,3})[.]lab[.]$`:   "1.lab.",
		`(a|b)\.example\.`:               "a.example.",
		`^host-[^.]+\.lab\.`:             "host-a.lab.",
	} {
		if got, ok := sampleOfText(t, pattern); !ok || got != want {
			t.Errorf("%s: %q, %t, want %q", pattern, got, ok, want)
		}
	}
	for _, pattern := range []string{`\.\.`, strings.Repeat("a", 300)} {
		if got, ok := sampleOfText(t, pattern); ok {
			t.Errorf("%s: %q", pattern, got)
		}
	}
}

func TestAPatternThatCoreDNSDoesNotTakeIsBroken(t *testing.T) {
	for pattern, broken := range map[string]bool{
		`(`:                               true,
		strings.Repeat("a", maxRegexp+1):  true,
		strings.Repeat("a", maxRegexp):    false,
		`^a[.]example[.]$`:                false,
		`a{1001}`:                         true,
		`^(?P<a>[0-9]{1,3})[.]lab[.]$`:    false,
		`^(([a-z]{1,10}){1,10}){1,10}[.]`: false,
		`^(([a-z]{1,10}){1,10}){1,11}[.]`: true,
	} {
		r := &rule{match: "regex"}
		r.readFrom(pattern)
		if _, err := compiled(pattern); r.broken != broken || (err != nil) != broken {
			t.Errorf("%.40s: %t, and %v when it is compiled, want %t", pattern, r.broken, err, broken)
		}
	}
}

func TestLinesOfAHostsFileThatCoreDNSPassesOver(t *testing.T) {
	const text = "# a.example 192.0.2.1\n192.0.2.1 a.example\n\nb.example 192.0.2.2 # c 192.0.2.3\nads.example\n! ads.example list\n" +
		"::1 localhost 127.0.0.1\n\tfe80::1%lo0 d.example\nc.example\t2001:db8::1\n"
	var got []int
	reads := 0
	files := HostsFiles{Read: func(path string) ([]byte, error) {
		if reads++; path == "many" {
			return []byte(strings.Repeat("a.example 192.0.2.1\n", 99)), nil
		}
		return []byte(text), nil
	}}
	for _, m := range files.Misread("hosts", 8) {
		got = append(got, m.Line)
	}
	if want := []int{4, 9}; !slices.Equal(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
	if n := len(files.Misread("many", 8)); n != 8 {
		t.Errorf("%d lines, want 8", n)
	}
	for i := range 2 * maxHostsFiles {
		files.Misread(fmt.Sprint(i), 8)
		files.Misread("hosts", 8)
	}
	if reads != maxHostsFiles {
		t.Errorf("%d files read, want %d, each once", reads, maxHostsFiles)
	}
}

func TestAPatternMatchesOnlyWhatHasItsNeededPart(t *testing.T) {
	for pattern, want := range map[string]string{
		`^a5[.](.*)$`: "a5.", `(.*)[.]old[.]example[.]$`: ".old.example.", `(www|host)[.]`: ".", `.*`: "", `^$`: "",
		`(?i)www[.]x`: ".", `(abc)+d`: "abc", `a?b*`: "", `a{2}b`: "b", `ab|ac`: "a", "\uFFFDabc": "", `\bsvc\b`: "svc", `é\.x`: "é.x",
	} {
		re, err := parsed(pattern)
		if err != nil {
			t.Fatal(err)
		}
		needed := neededBy(re)
		if needed != want {
			t.Errorf("%s needs %q, want %q", pattern, needed, want)
		}
		for _, name := range []string{"a5.x.", "www.example.org.", "WWW.x.", "abcabcd.", "aab.", "ab.", "ac.", "\xffabc.", "x.old.example.", "svc.", "é.x.", ""} {
			if regexp.MustCompile(pattern).MatchString(name) && !strings.Contains(name, needed) {
				t.Errorf("%s matches %q, which does not have %q", pattern, name, needed)
			}
		}
	}
}

func TestAFileIsReadToALimitAndADeviceNotAtAll(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := ReadFile(large); err != nil || len(text) != maxFile {
		t.Errorf("%d octets, %v; want %d", len(text), err, maxFile)
	}
	if _, err := ReadFile(os.DevNull); !errors.Is(err, ErrSpecial) {
		t.Errorf("a device: %v, want %v", err, ErrSpecial)
	}
	if _, err := ReadFile(dir); err == nil || errors.Is(err, ErrSpecial) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
