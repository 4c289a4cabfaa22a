package preflight

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/preflight/corefile"
)

func TestCheckReturnsAtMostMaxWarnings(t *testing.T) {
	order := buildOrder(t)
	for _, blocks := range []int{MaxWarnings, MaxWarnings + 1} {
		var text strings.Builder
		for i := range blocks {
			fmt.Fprintf(&text, "a%d.example {\n    loop\n    whoami\n}\n", i)
		}
		warnings := Check(parseText(t, text.String(), order), order)
		if len(warnings) != MaxWarnings {
			t.Errorf("%d mistakes: %d warnings", blocks, len(warnings))
		}
		if warnings[0].Line != 2 || warnings[1].Line != 6 {
			t.Errorf("not by line: %v, %v", warnings[0], warnings[1])
		}
	}
}

func TestCheckGivesTheSameEachTime(t *testing.T) {
	order := buildOrder(t)
	text := "a.example b.example {\n loop\n minimal\n etcd {\n fallthrough\n }\n autopath @kubernetes\n}\n. {\n forward . 127.0.0.1\n}"
	first := Check(parseText(t, text, order), order)
	if len(first) < 4 {
		t.Fatalf("only %d warnings", len(first))
	}
	for range 20 {
		if again := Check(parseText(t, text, order), order); !reflect.DeepEqual(first, again) {
			t.Fatalf("first %v\nthen %v", first, again)
		}
	}
}

// manyZones returns a hosts block with n zones in all and a fallthrough to
// nowhere.
func manyZones(n int) string {
	const others = 3 // the block's, twice, and the fallthrough's
	var b strings.Builder
	b.WriteString("example.org {\n    hosts /etc/hosts example.org")
	for i := range n - others {
		fmt.Fprintf(&b, " a%d.example.org", i)
	}
	b.WriteString(" {\n        fallthrough\n    }\n}\n")
	return b.String()
}

func TestABlockWithTooManyZonesIsNotJudged(t *testing.T) {
	order := buildOrder(t)
	if got := codesOf(t, manyZones(maxZones), order); got != "fallthrough-to-nowhere" {
		t.Errorf("with %d zones: %q", maxZones, got)
	}
	if got := codesOf(t, manyZones(maxZones+1), order); got != "not-judged" {
		t.Errorf("with %d zones: %q", maxZones+1, got)
	}
}

func TestABlockWhoseZoneManyBlocksHaveIsNotJudged(t *testing.T) {
	order := buildOrder(t)
	view := "example.org {\n view v {\n expr true\n }\n whoami\n}\n"
	if got := codesOf(t, strings.Repeat(view, maxZones), order); got != "" {
		t.Errorf("%d blocks: %q", maxZones, got)
	}
	if got := codesOf(t, strings.Repeat(view, maxZones+1), order); !strings.HasPrefix(got, "not-judged") {
		t.Errorf("%d blocks: %q", maxZones+1, got)
	}
}

func TestACorefileWithTooManyZonesIsNotJudged(t *testing.T) {
	order := buildOrder(t)
	// A network of 128 zones, each of which counts as ofNetwork.
	const each = 128 * ofNetwork
	networks := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d.%d.0.0/17 ", 11+i/256, i%256)
		}
		return b.String() + "{\n    whoami\n}\n"
	}
	if got := codesOf(t, networks(maxKeys/each-1)+dead(".", 0), order); got != "not-judged dead-end" {
		t.Errorf("with few: %q", got)
	}
	if got := codesOf(t, networks(maxKeys/each)+dead(".", 0), order); got != "not-judged not-judged" {
		t.Errorf("with too many: %q", got)
	}
}

func TestAtMostMaxExternalPluginsAreReturned(t *testing.T) {
	var b strings.Builder
	b.WriteString(". {\n")
	for i := range MaxExternal {
		fmt.Fprintf(&b, "    nonesuch%d\n", i)
	}
	for _, more := range []string{"", "    nonesuch\n"} {
		if got := External(parseText(t, b.String()+more+"}\n", nil), buildOrder(t)); len(got) != MaxExternal {
			t.Errorf("%d plugins", len(got))
		}
	}
}

// rewrites returns a block in which every name that its n rules are for is asked
// of each of them.
func rewrites(n int) string {
	var b strings.Builder
	b.WriteString("example.org {\n")
	for i := range n {
		fmt.Fprintf(&b, "    rewrite name exact a%d.example.org b%d.example.org\n", i, i)
	}
	b.WriteString("    template ANY ANY {\n        rcode NXDOMAIN\n    }\n}\n")
	return b.String()
}

func TestACorefileWithTooManyNamesAndPluginsIsNotJudged(t *testing.T) {
	order := buildOrder(t)
	if got := codesOf(t, rewrites(100)+dead(".", 0), order); got != "dead-end" {
		t.Errorf("100 rules: %q", got)
	}
	many := rewrites(1500)
	if got := codesOf(t, many+dead(".", 0), order); got != "not-judged dead-end" {
		t.Errorf("1500 rules, and a small block: %q", got)
	}
	// It is said once, with how many blocks there are.
	again := strings.ReplaceAll(many, "example.org", "example.net")
	for _, w := range Check(parseText(t, many+again, order), order) {
		if w.Code != "not-judged" || !strings.HasPrefix(w.Text, "this block and 1 below it are not judged: ") {
			t.Errorf("two blocks: %s", w)
		}
	}
}

// oneWay returns a block with n rules of rewrite, none of which leads to an answer with
// records, and 200 zones that each of them is for.
func oneWay(n int) string {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "z%d.example.org ", i)
	}
	b.WriteString("{\n" + strings.Repeat("    rewrite name suffix .example.org .example.net\n", n))
	b.WriteString("    template ANY ANY example.net {\n        rcode NXDOMAIN\n    }\n}\n")
	return b.String()
}

func TestACorefileWithTooManyNamesToRewriteIsNotJudged(t *testing.T) {
	order := buildOrder(t)
	if got := codesOf(t, oneWay(20), order); got != "" {
		t.Errorf("20 rules: %q", got)
	}
	if got := codesOf(t, oneWay(200), order); got != "not-judged" {
		t.Errorf("200 rules: %q", got)
	}
}

// dead is a block that answers nothing.
func dead(zone string, port int) string { return fmt.Sprintf("%s:%d {\n    errors\n}\n", zone, port) }

// circle returns n blocks of which each forwards to the next.
func circle(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ".:%d {\n    forward . 127.0.0.1:%d\n}\n", 1000+i, 1000+(i+1)%n)
	}
	return b.String()
}

// chained returns n blocks of 200 zones of which each forwards to the next, and a last
// one for the last zone that forwards to itself.
func chained(n int) string {
	const zones = 200
	var b strings.Builder
	for i := range n {
		for z := range zones {
			fmt.Fprintf(&b, "z%d.example:%d ", 100+z, 1000+i)
		}
		fmt.Fprintf(&b, "{\n    forward . 127.0.0.1:%d\n}\n", 1001+i)
	}
	fmt.Fprintf(&b, "z%d.example:%d {\n    forward . 127.0.0.1:%d\n}\n", 100+zones-1, 1000+n, 1000+n)
	return b.String()
}

func TestForwardsAreFollowedForMaxStops(t *testing.T) {
	order := buildOrder(t)
	for _, n := range []int{1, 2, 3, 60} {
		if got := codesOf(t, circle(n), order); strings.Count(got, "forward-to-self") != n {
			t.Errorf("a circle of %d: %q", n, got)
		}
	}
	if got := codesOf(t, chained(600), order); got != "forward-to-self" {
		t.Errorf("120,001 stops: %q", got)
	}
	if got := codesOf(t, chained(700), order); got != "" {
		t.Errorf("140,001 stops: %q", got)
	}
}

func TestWarningsArePrintableAndOfBoundedLength(t *testing.T) {
	order := buildOrder(t)
	zone := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60)
	blocks := parseText(t, zone+" {\n autopath \"@x\x1b[31m\u202e\r\n\xff\" \n loop\n hosts {\n fallthrough\n }\n}", order)
	blocks[0].File = "Core\nfile"
	for i := range blocks[0].Directives {
		blocks[0].Directives[i].File = "Core\nfile"
	}
	warnings := Check(blocks, order)
	if len(warnings) != 3 {
		t.Fatalf("%d warnings: %v", len(warnings), warnings)
	}
	for _, w := range warnings {
		s := w.String()
		if strings.ContainsAny(s, "\n\r\x1b\u202e") || len(s) > 600 {
			t.Errorf("%d octets: %q", len(s), s)
		}
	}
}

func TestAFileOfHostsIsPrintableInAdvice(t *testing.T) {
	blocks := parseText(t, "10.in-addr.arpa {\n hosts \"/etc/a\x1b[31mb\" {\n 10.0.0.1 a.example.org\n fallthrough\n }\n}", buildOrder(t))
	advised := false
	for _, w := range Check(blocks, buildOrder(t)) {
		advised = advised || strings.Contains(w.Fix, "`hosts /etc/a?[31mb .`")
	}
	if !advised {
		t.Error("no advice names the file")
	}
}

func TestCheckBearsBlocksThatParseNeverGives(t *testing.T) {
	order := buildOrder(t)
	var ds []Directive
	for _, name := range append(order, "nonesuch", "") {
		ds = append(ds, Directive{Name: name}, Directive{Name: name, Lines: [][]string{nil, nil, {}}})
	}
	Check([]Block{{}, {Keys: []string{"", ":", "[", "a:b:", "\xff"}, Directives: ds}, {Keys: []string{"."}, Directives: ds}}, order)
	Check([]Block{{Keys: []string{"."}, Directives: ds}}, nil)
	Check(make([]Block, corefile.MaxBlocks+1), nil)
}

func FuzzParseAndCheck(f *testing.F) {
	order := buildOrder(f)
	for _, seed := range []string{
		"", ". {\n}", circle(3), manyZones(8),
		"(a) {\n loop\n}\n10.0.0.0/9 {\n import a\n kubernetes cluster.local 10.0.0.0/15 {\n fallthrough\n }\n}",
		"tls://.:8853 https://. {\n bind 127.0.0.1 ::1\n bind lo {\n except ::1\n }\n forward . tls://127.0.0.1%x:8853 [fe80::1%lo]:53\n}",
		"a {\n view v {\n expr true\n }\n autopath @kubernetes\n kubernetes\n}\n{$HOME} {\n template IN A {\n match \"x\n y\" \n }\n}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 8<<10 || strings.Contains(text, "import") && strings.ContainsAny(text, "/*?[") {
			t.Skip("may read this machine's files")
		}
		blocks, err := Parse("/nonexistent/Corefile", strings.NewReader(text), order)
		if err != nil {
			return
		}
		warnings := Check(blocks, order)
		if len(warnings) > MaxWarnings {
			t.Errorf("%d warnings", len(warnings))
		}
		for _, w := range warnings {
			if s := w.String(); strings.ContainsAny(s, "\n\x1b\x00") || len(s) > 4096 {
				t.Errorf("%d octets: %q", len(s), s)
			}
		}
	})
}

func BenchmarkCheckOfThousandBlocks(b *testing.B) {
	order := buildOrder(b)
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "a%d.example {\n errors\n cache\n loop\n hosts {\n fallthrough\n }\n forward . 127.0.0.1\n}\n", i)
	}
	blocks := parseText(b, text.String(), order)
	for b.Loop() {
		Check(blocks, order)
	}
}

func TestASnippetInEqualBlocksIsReportedOnce(t *testing.T) {
	order := buildOrder(t)
	block := "example.org {\n view v {\n expr true\n }\n import idle\n whoami\n}\n"
	if got := codesOf(t, "(idle) {\n loop\n}\n"+block+block, order); got != "loop-without-forward" {
		t.Errorf("warnings: %q", got)
	}
}
