package directive

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
)

func TestNamesOfPluginsFit(t *testing.T) {
	for _, name := range append(slices.Clone(dnsserver.Directives), "k8s_gateway", "dns-over-x", "Unbound", "a") {
		if fix := Unfit(name, true); fix != "" {
			t.Errorf("%s: %s", name, fix)
		}
	}
	for name := range properties {
		if slices.Contains(dnsserver.Directives, name) {
			t.Errorf("the property %s is a plugin of CoreDNS too", name)
		}
	}
}

func TestWhatCannotBeAPluginHasAReason(t *testing.T) {
	const first, later = true, false
	for _, test := range []struct {
		name, want string
		first      bool
	}{
		{"", "empty", first},
		{".", "comma", first}, {".", "close the block above", later},
		{"in-addr.arpa,", "comma", first}, {"lan,", "close the block above", later}, {"example.org:53", "close the block above", later},
		{"tls://example.org", "close the block above", later}, {"*.example.org", "comma", first}, {"10.0.0.0/8", "comma", first},
		{"192.0.2.1", "write `{` at the end", first}, {"2001:db8::1", "write `{` at the end", later}, {"192.0.2.1:53", "write `{`", later},
		{"//", "`#` in place of `//`", first}, {"//comment", "`#` in place of `//`", later}, {"/*", "`#`", later}, {";", "`#`", later}, {"--", "`#`", later},
		{"<<<<<<<", "git", later}, {"=======", "git", later},
		{"{{", "placeholder", later}, {"{{.Values.zone}}", "placeholder", later}, {"${PLUGIN}", "placeholder", later},
		{"hosts{", "space before the brace", first}, {"errors}", "space before the brace", later},
		{"(snippet)", "outside of blocks", later}, {"{", "remove", first},
		{"fallthrough", "between the braces", later},
		{"@", "name of a plugin", later}, {"=", "name of a plugin", later}, {"9", "name of a plugin", later}, {"a b", "name of a plugin", later}, {"\u00e9", "name of a plugin", later},
	} {
		if fix := Unfit(test.name, test.first); !strings.Contains(fix, test.want) {
			t.Errorf("%q: %q, want %q", test.name, fix, test.want)
		}
	}
}

func TestABlockWithinABlockIsKnown(t *testing.T) {
	known := func(name string) bool { return slices.Contains(dnsserver.Directives, name) }
	for _, test := range []struct {
		lines [][]string
		want  bool
	}{
		{[][]string{{"forward", ".", "192.0.2.53"}}, true},
		{[][]string{{"log"}, {"errors"}, {"cache", "30"}}, true},
		{[][]string{{"tls"}, {"cache"}}, false},
		{[][]string{{"forward", "192.0.2.53"}}, false},
		{[][]string{{"errors"}, {"zone", "example.org"}}, false},
		{nil, false},
	} {
		if got := IsBlock(test.lines, known); got != test.want {
			t.Errorf("%v: %v", test.lines, got)
		}
	}
}
