package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// What is told leads to the line and to the word that was meant.
func TestAMisreadWordIsToldWithWhatWasMeant(t *testing.T) {
	hosts := func(line string) string {
		return ". {\n    hosts {\n        192.0.2.1 a.example.org\n        " + line + "\n        fallthrough\n    }\n    forward . 192.0.2.53\n}\n"
	}
	for _, c := range []struct{ corefile, line, text, fix string }{
		{hosts("ttl: 60"), "Corefile:4: ", `passes over the line "ttl: 60"`, "write `ttl 60`"},
		{hosts("reload=5s"), "Corefile:4: ", `passes over the line "reload=5s"`, "write `reload 5s`"},
		{hosts("no-reverse"), "Corefile:4: ", `passes over the line "no-reverse"`, "write `no_reverse`"},
		{hosts("- 192.0.2.9 b.example.org"), "Corefile:4: ", "passes over", "write `192.0.2.9 b.example.org`"},
		{hosts("b.example.org: 192.0.2.9"), "Corefile:4: ", "passes over", "write `192.0.2.9 b.example.org`"},
		{hosts("b.example.org = 192.0.2.9"), "Corefile:4: ", "passes over", "write `192.0.2.9 b.example.org`"},
		{strings.Replace(hosts("falltrough"), "        fallthrough\n", "", 1), "Corefile:2: ", "hosts has no fallthrough", "write `fallthrough` in line 4"},
		{". {\n    forward 192.0.2.53 192.0.2.54\n    forward . 192.0.2.55\n}\n", "Corefile:2: ", `"192.0.2.53.": the first word behind forward or grpc is read as its zone`, "write `forward . 192.0.2.53 192.0.2.54`"},
		{"example.org {\n    forward tls://192.0.2.53 tls://192.0.2.54\n}\n", "Corefile:2: ", "is read as its zone", "write `forward . tls://192.0.2.53 tls://192.0.2.54`"},
		{". {\n    forward /etc/resolv.conf\n}\n", "Corefile:2: ", "is read as its zone", "write `forward . /etc/resolv.conf`"},
		{". {\n    forward . 192.0.2.53 {\n        except 192.0.2.1\n    }\n}\n", "Corefile:2: ", `"192.0.2.1.": it is an address`, "write the network"},
		{hosts("b.example.org. 60 IN A 192.0.2.9"), "Corefile:4: ", "passes over", "write `192.0.2.9 b.example.org.`"},
		{". {\n    kubernetes cluster.local in-addr.arpa {\n        fallthrough in-addr.arpa, example.org\n    }\n    forward . 192.0.2.53\n}\n",
			"Corefile:2: ", `"in-addr.arpa,.": what stands at its end`, "write `in-addr.arpa`"},
		{".:{$EDE_TEST_PORT:53} {\n    forward . 192.0.2.53\n}\n", "Corefile:1: ", "EDE_TEST_PORT:53", "write `{$EDE_TEST_PORT}` and set this variable in the environment of CoreDNS, or write the value itself, for example `53`"},
		{".:${EDE_TEST_PORT:-53} {\n    forward . 192.0.2.53\n}\n", "Corefile:1: ", "no zone with a port", "write a variable as `{$NAME}`"},
		{"{{- range .Values.servers }}\n.:53 {\n    forward . 192.0.2.53\n}\n{{- end }}\n", "Corefile:1: ", `"{{-" is read as the zone`, "placeholder"},
		{". {\n    log\n    class error\n    forward . 192.0.2.53\n}\n", "Corefile:2: ", "log has no `{`", "end of this line"},
		{". {\n    rewrite name regex (.*)\\.corp\\.example\\.org {1}.svc.cluster.local\n    kubernetes cluster.local\n    forward . 192.0.2.53\n}\n",
			"Corefile:2: ", `"web.prod.corp.example.org." to "web.prod.svc.cluster.local."`, "`answer auto`"},
		{". {\n    rewrite name regex ([a-z0-9.-]*)\\.corp\\.example\\.org {1}.svc.cluster.local\n    kubernetes cluster.local\n    forward . 192.0.2.53\n}\n",
			"Corefile:2: ", `"web.prod.corp.example.org." to "web.prod.svc.cluster.local."`, "`answer auto`"},
		{". {\n    rewrite name regex (.*).corp.example.org {1}.svc.cluster.local\n    kubernetes cluster.local\n    forward . 192.0.2.53\n}\n",
			"Corefile:2: ", `"web.prod.corp.example.org." to "web.prod.svc.cluster.local."`, "`answer auto`"},
	} {
		got := Check(parseText(t, c.corefile, nil), buildOrder(t))
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), c.line) || !strings.Contains(got[0].Text, c.text) || !strings.Contains(got[0].Fix, c.fix) {
			t.Errorf("%swant %s...%s...%s, got:\n%s", c.corefile, c.line, c.text, c.fix, transcript(got))
		}
	}
	for _, remark := range []string{"; router", "// router", "// 192.0.2.9 b.example.org", "-- 192.0.2.9 b.example.org"} {
		if got := Check(parseText(t, hosts(remark), nil), buildOrder(t)); len(got) > 0 {
			t.Errorf("%s: %s", remark, transcript(got))
		}
	}
}

// A hosts makes PTR records of names in its zones alone: the test asks CoreDNS, and does
// what the advice says.
func TestAHostsOfAReverseZoneNeedsTheZonesOfItsNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	corefile := "2.0.192.in-addr.arpa:0 {\n    bind 127.0.0.1\n    hosts FILE {\n        192.0.2.1 a.example.org\n        fallthrough\n    }\n    forward . 198.51.100.53\n}\n"
	for _, c := range []struct {
		args string
		has  bool
	}{{"FILE", false}, {"FILE .", true}} {
		text := strings.ReplaceAll(strings.Replace(corefile, "FILE", c.args, 1), "FILE", file)
		text = strings.Replace(text, "198.51.100.53", upstream(t), 1)
		if r := answerTo(t, text, "1.2.0.192.in-addr.arpa.", dns.TypePTR); len(r.Answer) > 0 != c.has {
			t.Errorf("hosts %s: CoreDNS answers %v", c.args, r.Answer)
		}
		got := transcript(Check(parseText(t, text, nil), buildOrder(t)))
		if c.has && got != "" || !c.has && !strings.Contains(got, "for PTR queries write `hosts "+file+" .`") {
			t.Errorf("hosts %s:\n%s", c.args, got)
		}
	}
}
