package check

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

// A shape is a way to fill a Corefile: what stands before many lines, one of
// them, and what stands after.
type shape struct {
	name, before string
	line         func(i int) string
	after        string
}

func (s shape) text(size int) string {
	var b strings.Builder
	b.WriteString(s.before)
	for i := 0; ; i++ {
		line := s.line(i)
		if b.Len()+len(line)+len(s.after) > size {
			return b.String() + s.after
		}
		b.WriteString(line)
	}
}

// formatted is a line with its number.
func formatted(format string) func(int) string {
	return func(i int) string { return strings.ReplaceAll(format, "#", fmt.Sprint(i)) }
}

func zones(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " z%d.example", i)
	}
	return b.String()
}

const upward = "    forward . 192.0.2.53\n}\n"

// shapes are those in which much of one thing meets much of another.
var shapes = []shape{
	{"keys", "", formatted("z#.example.org "), " {\n" + upward},
	{"networks as keys", "", func(i int) string { return fmt.Sprintf("10.%d.%d.0/9 ", i%256, i>>8%256) }, " {\n" + upward},
	{"networks of IPv6 as keys", "", func(i int) string { return fmt.Sprintf("2001:db8:%x::/33 ", i&0xffff) }, " {\n" + upward},
	{"blocks of networks", "", func(i int) string { return fmt.Sprintf("%d.%d.0.0/17 {\n"+upward, i&0xff00>>8, i&0xff) }, ""},
	{"blocks of 9 keys", "", formatted("a.z#.example b.z#.example c.z#.example d.z#.example e.z#.example f.z#.example g.z#.example h.z#.example i.z#.example {\n" + upward), ""},
	{"blocks of 240 keys", "", func(i int) string {
		return strings.ReplaceAll(zones(240), "example", fmt.Sprintf("x%d", i))[1:] + " {\n" + upward
	}, ""},
	{"keys on many ports", "", func(i int) string { return fmt.Sprintf("z%d.example:%d ", i, 1+i%60000) }, " {\n" + upward},
	{"keys of several blocks", "", func(i int) string {
		return fmt.Sprintf("%s {\n    bind 127.0.0.%d\n%s", strings.TrimSpace(zones(240)), i, upward)
	}, ""},
	{"keys without a value", "", formatted("{$NONE#}.x "), " {\n" + upward},
	{"blocks without a value", "", formatted("{$NONE#} {\n" + upward), ""},
	{"blocks", "", formatted("z#.example.org {\n    forward . 192.0.2.53\n    errors\n    cache\n}\n"), ""},
	{"blocks with ede", "", formatted("z#.example.org {\n    ede\n" + upward), ""},
	{"blocks that answer nothing", "", formatted("z#.example.org {\n    errors\n    cache\n}\n"), ""},
	{"blocks with hosts", "", formatted("z#.example {\n    hosts {\n        192.0.2.1 a.z#.example\n        fallthrough\n    }\n" + upward), ""},
	{"blocks with autopath", "", formatted("z#.example {\n    autopath @kubernetes\n    kubernetes {\n        pods verified\n    }\n" + upward), ""},
	{"blocks of one zone", "", formatted("example.org {\n    view v# {\n        expr true\n    }\n    whoami\n}\n"), ""},
	{"blocks of one zone by type", "", formatted("example.org {\n    view v# {\n        expr type() in ['A']\n    }\n    whoami\n}\n"), ""},
	{"views below views", "", func(i int) string {
		return fmt.Sprintf("%sexample.org {\n    view v%d {\n        expr name() == 'x'\n    }\n    whoami\n}\n", []string{"", fmt.Sprintf("z%d.", i)}[i%2], i)
	}, ""},
	{"blocks in circles", "", func(i int) string {
		return fmt.Sprintf(".:%d {\n    forward . 127.0.0.1:%d\n}\n", 1+i%60000, 1+(i+1)%60000)
	}, ""},
	{"blocks in circles of 16", "", func(i int) string {
		next := i + 1
		if next%16 == 0 {
			next -= 16
		}
		return fmt.Sprintf(".:%d {\n    forward . 127.0.0.1:%d\n}\n", 1+i%60000, 1+next%60000)
	}, ""},
	{"blocks in circles by zone", "", formatted("z#.example {\n    forward . 127.0.0.1\n}\n"), ""},
	{"blocks that forward to many blocks", "", func(i int) string {
		return fmt.Sprintf(".:%d {\n    forward . 127.0.0.1:%d 127.0.0.1:%d 127.0.0.1:%d\n}\n", 1+i%60000, 1+(i*7+1)%60000, 1+(i*31+2)%60000, 1+(i*57+3)%60000)
	}, ""},
	{"blocks that bind", "", formatted("z#.example {\n    bind 127.0.0.1\n    forward . 127.0.0.1\n}\n"), ""},
	{"blocks of an import", "(s) {\n    errors\n    cache\n" + upward, func(i int) string {
		if i >= 9999 { // caddyfile takes 10,000
			return "# a comment\n"
		}
		return fmt.Sprintf("z%d.example {\n    import s\n}\n", i)
	}, ""},
	{"blocks deep in a zone", "", func(i int) string { return fmt.Sprintf("%sz%d {\n"+upward, strings.Repeat("a.", i%100), i) }, ""},
	{"blocks with an external plugin", "", formatted("z#.example {\n    nonesuch#\n}\n"), ""},
	{"plugins of many zones", strings.TrimSpace(zones(240)) + " {\n", formatted("    file db#" + zones(240) + "\n"), "}\n"},
	{"forwards with except", strings.TrimSpace(zones(240)) + " {\n", formatted("    forward . 192.0.2.53 {\n        except" + zones(120) + "\n    }\n"), "}\n"},
	{"forwards", ". {\n", formatted("    forward z#.example 192.0.2.53\n"), "}\n"},
	{"plugins of networks", ". {\n", func(i int) string { return fmt.Sprintf("    file db 10.%d.0.0/9\n", i%256) }, upward},
	{"uses of log", ". {\n", formatted("    log\n"), upward},
	{"external plugins", ". {\n", formatted("    nonesuch#\n"), upward},
	{"upstreams", ". {\n    forward .", func(i int) string { return fmt.Sprintf(" 10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }, "\n}\n"},
	{"addresses to bind", ". {\n    bind", func(i int) string { return fmt.Sprintf(" 10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }, "\n" + upward},
	{"lines of hosts", ". {\n    hosts {\n", formatted("        192.0.2.5 host#.example\n"), "        fallthrough\n    }\n" + upward},
	{"lines of hosts outside of the block", "example.org {\n    hosts {\n", formatted("        192.0.2.5 host#.example\n"), "        fallthrough\n    }\n" + upward},
	{"names in a line of hosts", ". {\n    hosts {\n        192.0.2.5", formatted(" host#.example"), "\n        fallthrough\n    }\n" + upward},
	{"rewrites", ". {\n", formatted("    rewrite name exact a#.example b#.example\n"), upward},
	{"rewrites without answer", strings.TrimSpace(zones(240)) + " {\n", formatted("    rewrite name suffix .example .x#.example.net\n"), "    template ANY ANY example.net {\n        rcode NXDOMAIN\n    }\n}\n"},
	{"blocks with rewrites", "", formatted("z#.example.org {\n    rewrite name suffix example.org example.net\n" + upward), ""},
	{"rewrites by pattern", ". {\n", formatted("    rewrite name regex ^a#[.](.*)$ {1}.example\n"), upward},
	{"blocks with rewrites by pattern", "", formatted("z#.example {\n    rewrite name regex ^a#[.](.*)$ {1}.example\n" + upward), ""},
	{"blocks with one pattern", "", formatted("z#.example {\n    rewrite name regex ^(a|b)[.](.*)$ {2}.example\n" + upward), ""},
	{"blocks with answers by pattern", "", formatted("z#.example {\n    rewrite name regex ^a#[.](.*)$ {1}.example answer name ^(.*)[.]example[.]$ a#.{1}\n" + upward), ""},
	{"blocks with patterns that nobody asks", "", formatted("z#.example {\n    rewrite name regex ^(.*)[.]old#[.]net[.]$ {1}.example\n" + upward), ""},
	{"blocks with templates by pattern", "", formatted("z#.example {\n    template IN A {\n        match ^a#[.]\n        fallthrough\n    }\n" + upward), ""},
	{"blocks with views by type", "", formatted("z#.example {\n    view v {\n        expr type() in ['A']\n    }\n    whoami\n}\n"), ""},
	{"blocks with views by different types", "", formatted("z#.example {\n    view v {\n        expr type() in ['A', 'X#']\n    }\n    whoami\n}\n"), ""},
	{"lines of a template", ". {\n    template IN A {\n", formatted("        answer \"{{ .Name }} # IN A 192.0.2.1\"\n"), "    }\n" + upward},
	{"templates", ". {\n", formatted("    template IN A z#.example {\n        match ^a#[.]\n        fallthrough\n    }\n"), upward},
	{"patterns of a template", ". {\n    template IN A {\n", formatted("        match ^a#[.]\n"), "        fallthrough\n    }\n" + upward},
	{"lines of acl", ". {\n    acl {\n", formatted("        block type AAAA net 192.0.2.1/32\n"), "    }\n" + upward},
	{"lines of ede", ". {\n    ede {\n        except", formatted(" z#.example"), "\n    }\n" + upward},
	{"comments", ". {\n" + upward, func(int) string { return "# a comment\n" }, ""},
	{"plugins without braces", "example.org\n", formatted("nonesuch# a b\n"), ""},
}

// cpu is the time that this process has spent outside of the kernel.
func cpu(t testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano())
}

// BenchmarkALargeCorefile tells how long the largest Corefile takes: caddyfile's
// own part of it, and all.
func BenchmarkALargeCorefile(b *testing.B) {
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			text := s.text(corefile.MaxSize)
			var caddy, all time.Duration
			for b.Loop() {
				begin := cpu(b)
				if _, err := caddyfile.Parse("Corefile", strings.NewReader(text), nil); err != nil {
					b.Fatal(err)
				}
				parsed := cpu(b)
				o := options{port: "53"}
				if err := o.run([]string{"-"}, strings.NewReader(text), io.Discard); err != nil && !errors.Is(err, ErrFound) {
					b.Log(err)
				}
				caddy, all = caddy+parsed-begin, all+cpu(b)-parsed
			}
			b.ReportMetric(caddy.Seconds()/float64(b.N), "caddy-s/op")
			b.ReportMetric(all.Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// BenchmarkALargeManifest tells how long a manifest of many small Corefiles takes.
func BenchmarkALargeManifest(b *testing.B) {
	text := manifests.text(corefile.MaxSize)
	var all time.Duration
	for b.Loop() {
		begin := cpu(b)
		o := options{port: "53"}
		if err := o.run([]string{"-"}, strings.NewReader(text), io.Discard); err != nil && !errors.Is(err, ErrFound) {
			b.Log(err)
		}
		all += cpu(b) - begin
	}
	b.ReportMetric(all.Seconds()/float64(b.N), "cpu-s/op")
}

// manifests are ConfigMaps of one small Corefile each.
var manifests = shape{"manifests", "", formatted("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dns#\ndata:\n  Corefile: |\n    . {\n    " + "    forward . 192.0.2.53\n    }\n---\n"), ""}

// TestALargeCorefileIsJudgedSoon has a limit that only a mistake in the order of
// growth reaches.
func TestALargeCorefileIsJudgedSoon(t *testing.T) {
	done := make(chan string)
	go func() {
		defer close(done)
		for _, s := range append(shapes, manifests) {
			done <- s.name
			if _, err := runOn(t, s.text(corefile.MaxSize/16), "-"); err != nil && !errors.Is(err, ErrFound) {
				t.Errorf("%s: %v", s.name, err)
			}
		}
	}()
	limit := time.After(5 * time.Minute)
	for name, more := "", true; more; {
		select {
		case next, ok := <-done:
			name, more = next, ok
		case <-limit:
			t.Fatalf("%s: not judged", name)
		}
	}
}
