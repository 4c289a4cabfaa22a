package ede

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/coredns/caddy"

	"github.com/seed-1b7246af/coredns-ede/plugin/explain"
	"github.com/seed-1b7246af/coredns-ede/plugin/instance"
	"github.com/seed-1b7246af/coredns-ede/plugin/record"
)

// FuzzParse reads outside text as the ede directive of a server block. What is
// accepted lies within the limits of the README, and says the same when it is
// read again.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/corefile/bad/*.corefile")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if _, inside, ok := strings.Cut(string(text), "ede"); ok && !strings.Contains(inside, "trust_anchor") {
			f.Add("ede" + inside)
		}
	}
	f.Add("ede example.org 192.0.2.0/24 {\n text full 192.0.2.0/24 ::/0\n text none\n upstream drop\n attach always 192.0.2.0/24\n shadow\n log summary 1m\n log client prefix\n log instance edge-7\n except a.example.org\n memory 100\n page [::1]:9163\n why\n ask_again 20\n answers keep log\n diagnose {\n rate 0 1\n wait 2s\n compare 192.0.2.53 tls://192.0.2.53%x https://dns.example.net\n delegation 10.0.0.0/8\n }\n}")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "trust_anchor") {
			return // it would read whatever file the text names
		}
		read := func() (explain.Block, instance.Settings, error) {
			c := caddy.NewTestController("dns", text)
			c.ServerBlockKeys = []string{"dns://example.org.:53", "dns://.:53"}
			return parse(c)
		}
		b, s, err := read()
		if again, settings, errAgain := read(); !reflect.DeepEqual(b, again) || s != settings || (err == nil) != (errAgain == nil) {
			t.Fatalf("read twice: %+v %+v %v, then %+v %+v %v", b, s, err, again, settings, errAgain)
		}
		if err != nil {
			return
		}
		if n := s.Memory.Value; s.Memory.Place != "" && (n < minEntries || n > maxEntries) {
			t.Errorf("memory %d", n)
		}
		if l := s.Log.Value; l.Mode == record.LogSummary && (l.Window < minWindow || l.Window > maxWindow) {
			t.Errorf("log window %v", l.Window)
		}
		l := s.Diagnose.Value
		if s.Diagnose.Place == "" {
			l = instance.DefaultDiagnose
		}
		if l.Rate < 0 || l.Rate > maxRate || l.Concurrent < 1 || l.Concurrent > maxConcurrent || l.Wait < 0 || l.Wait > maxWait || len(strings.Fields(l.Compare)) > maxCompare {
			t.Errorf("diagnose %+v", l)
		}
		for _, word := range strings.Fields(l.Networks) {
			if _, err := instance.ParseNetwork(word); err != nil {
				t.Errorf("%q is no network: %v", word, err)
			}
		}
		for i, rule := range b.Texts {
			if len(rule.Networks) == 0 && i != len(b.Texts)-1 {
				t.Errorf("a line for all clients stands before another: %+v", b.Texts)
			}
			for _, n := range rule.Networks {
				if n != n.Masked() {
					t.Errorf("%v is not masked", n)
				}
			}
		}
		for _, zone := range append(b.Zones, b.Except...) {
			if zone == "" || !strings.HasSuffix(zone, ".") {
				t.Errorf("zone %q", zone)
			}
		}
	})
}
