package preflight

import (
	"strings"
	"testing"
)

func TestALinkLocalUpstreamOfAFileIsFound(t *testing.T) {
	const corefile = ". {\n forward . resolv.conf\n}"
	tests := []struct{ server, names string }{
		{"fe80::1%eth0", "[fe80::1]:53"},
		{"fe80::1", "[fe80::1]:53"},
		{"192.0.2.53", ""},
		{"2001:db8::53", ""},
	}
	order := orderWith(t, "errors")
	for _, test := range tests {
		found := ""
		for _, w := range (Host{ReadFile: resolvConf(test.server)}).Check(parseText(t, corefile, order), order) {
			if w.Code == "link-local-upstream" {
				found = w.Text
			}
		}
		if (found != "") != (test.names != "") || !strings.Contains(found, test.names) {
			t.Errorf("nameserver %s: found %q, want a warning that names %q", test.server, found, test.names)
		}
		if found != "" && !strings.Contains(found, "resolv.conf") {
			t.Errorf("nameserver %s: %q does not name the file", test.server, found)
		}
	}
}

func TestAFileWithoutServersIsFound(t *testing.T) {
	order := orderWith(t, "errors")
	for corefile, want := range map[string]int{
		". {\n forward . resolv.conf\n}":           1,
		". {\n forward . 192.0.2.1 resolv.conf\n}": 0, // CoreDNS starts
	} {
		found := 0
		host := Host{ReadFile: func(string) ([]byte, error) { return []byte("search example.org\n"), nil }}
		for _, w := range host.Check(parseText(t, corefile, order), order) {
			if w.Code == "forward-file-unreadable" && strings.Contains(w.Text, "names no server") {
				found++
			}
		}
		if found != want {
			t.Errorf("%s: %d warnings of a file without servers, want %d", corefile, found, want)
		}
	}
}
