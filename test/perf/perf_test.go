package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/perf/least"
	coredns "github.com/seed-1b7246af/coredns-ede/test/server"
)

func init() {
	dnsserver.Directives = slices.Insert(dnsserver.Directives, slices.Index(dnsserver.Directives, "dnstap")+1, "ede", least.Name)
}

func TestEveryCorefileLoadsAndAnswersAsItsContestExpects(t *testing.T) {
	dir := t.TempDir()
	if err := writeZone(dir); err != nil {
		t.Fatal(err)
	}
	if err := writeCertificate(dir); err != nil {
		t.Fatal(err)
	}
	coredns.Capture(t)
	for _, c := range slices.Concat(cost, floor, alone, control, logs, plugins(), shares(), sizes(), transports()) {
		for _, form := range []string{c.base, c.with} {
			t.Run(c.name+"/"+form, func(t *testing.T) {
				s := coredns.Start(t, c.corefile(form, 0, dir))
				if c.ask.mode != udp {
					return
				}
				m := new(dns.Msg).SetQuestion(dns.Fqdn(c.ask.names.name(1)), dns.TypeA)
				if c.ask.names.hosts == 1 {
					m.SetQuestion(dns.Fqdn(c.ask.names.name(0)), dns.TypeA)
				}
				m.SetEdns0(4096, false)
				r, err := dns.Exchange(m, s.UDP())
				if err != nil {
					t.Fatal(err)
				}
				if got := dns.RcodeToString[r.Rcode]; c.ask.rcodes[got] == 0 {
					t.Errorf("the answer is %s, expected are %v", got, c.ask.rcodes)
				}
				if c.with == attached || c.with == leastAttached || strings.Contains(c.with, "ederror") {
					if got, want := hasReason(r), form == c.with; got != want {
						t.Errorf("the answer has a reason: %t, want %t", got, want)
					}
				}
			})
		}
	}
}

func hasReason(m *dns.Msg) bool {
	opt := m.IsEdns0()
	return opt != nil && slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool { return o.Option() == dns.EDNS0EDE })
}

func TestWhatDNSPerfSaysIsRead(t *testing.T) {
	out, err := os.ReadFile(filepath.Join("testdata", "dnsperf.txt"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := parse(string(out))
	if err != nil {
		t.Fatal(err)
	}
	if r.completed != 51189 || int(r.perSecond) != 25580 || len(r.latencies) != 3 || r.latencies[0].Microseconds() != 154 {
		t.Errorf("%+v", r)
	}
	if err := r.check(map[string]float64{"NOERROR": 99, "SERVFAIL": 1}); err != nil {
		t.Error(err)
	}
	if err := r.check(map[string]float64{"SERVFAIL": 100}); err == nil || !strings.Contains(err.Error(), "NOERROR 99.0 %") {
		t.Errorf("answers that were not expected: %v", err)
	}
	if _, err := parse("no such file"); err == nil {
		t.Error("junk was read")
	}
}

func TestATableGoesIntoItsPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(file, []byte("a\n<!-- logs -->\nold\n<!-- end of logs -->\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	made := table{head: []string{"", "x"}}
	made.add("y", "1")
	if err := place(file, "logs", made.String()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := "a\n<!-- logs -->\n|  | x |\n|---|---:|\n| y | 1 |\n<!-- end of logs -->\nb\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if err := place(file, "memory", ""); err == nil {
		t.Error("a place that is not there was found")
	}
}

func TestTheDocumentHasAPlaceForEachTable(t *testing.T) {
	doc, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]section{{name: "machine"}}, sections...) {
		if !strings.Contains(string(doc), "<!-- "+s.name+" -->\n") || !strings.Contains(string(doc), "<!-- end of "+s.name+" -->\n") {
			t.Errorf("docs/performance.md has no place for %s", s.name)
		}
	}
}

func TestWhatIsMoreIsTheMedianOfThePairs(t *testing.T) {
	all := runs{perSecond: [2][]float64{{10, 10, 10}, {9, 5, 8}}, cpu: [2][]float64{{1000, 2000, 4000}, {1100, 2600, 4200}}}
	f := all.figures(contest{name: "test", target: 1.15})
	if f.more.Nanoseconds() != 200 || f.spent != 1.1 || f.throughput != 0.8 {
		t.Errorf("%+v", f)
	}
	if row := f.row(contest{target: 1.15}); row[6] != "+0.20 µs" || row[7] != "1.100" || row[8] != "1.15" {
		t.Errorf("%q", row)
	}
}

func TestPercentilesAndMedians(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("median %v", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median %v", got)
	}
	if got := median(nil); got != 0 {
		t.Errorf("median of nothing %v", got)
	}
}
