package preflight

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestForwardToSelf(t *testing.T) {
	own := func() ([]net.Addr, error) {
		_, n, err := net.ParseCIDR("192.0.2.10/32")
		return []net.Addr{n, &net.UnixAddr{Name: "no address"}}, err
	}
	tests := []struct {
		name, text string
		host       Host
		looped     bool
	}{
		{"loopback", ". {\n forward . 127.0.0.1\n}", Host{}, true},
		{"IPv6 loopback with a port", ". {\n forward . [::1]:53\n}", Host{}, true},
		{"IPv4 in IPv6", ". {\n forward . ::ffff:127.0.0.1\n}", Host{}, true},
		{"the unspecified address", ". {\n forward . 0.0.0.0\n}", Host{}, true},
		{"second of two upstreams", ". {\n forward . 192.0.2.53 127.0.0.1\n}", Host{}, true},
		{"second of two forwards", ". {\n forward example.org 192.0.2.53\n forward . 127.0.0.1\n}", Host{}, true},
		{"a narrower forward", ". {\n forward example.org 127.0.0.1\n}", Host{}, true},
		{"below a plugin for some names", ". {\n hosts {\n fallthrough\n }\n file db example.org\n forward . 127.0.0.1\n}", Host{}, true},
		{"an own address", ". {\n forward . 192.0.2.10\n}", Host{Addrs: own}, true},
		{"some names rewritten", ". {\n rewrite name suffix a b\n forward . 127.0.0.1\n}", Host{}, true},
		{"Docker's resolver, if a block binds its address", ". {\n bind 127.0.0.11\n forward . 127.0.0.11\n}", Host{}, true},
		{"a file that names this server", ". {\n forward . resolv.conf\n}", Host{ReadFile: resolvConf("127.0.0.1")}, true},
		{"the port of the command line", ". {\n forward . 127.0.0.1:1053\n}", Host{Port: "1053"}, true},

		{"a longer name each time", ". {\n rewrite name regex (.*) {1}b. answer auto\n forward . 127.0.0.1\n}", Host{}, true},
		{"a longer name by suffix", "foo.example {\n template ANY ANY {\n match ^foo[.]example[.]$\n fallthrough\n }\n rewrite name suffix .foo.example .bar.foo.example answer auto\n forward . 127.0.0.1\n}\n. {\n forward . 192.0.2.53\n}", Host{}, true},
		{"a longer name through two blocks", "a.example {\n hosts {\n 192.0.2.1 a.example\n fallthrough\n }\n rewrite name suffix .a.example .x.b.example answer auto\n forward . 127.0.0.1\n}\nb.example {\n rewrite name suffix .b.example .a.example answer auto\n forward . 127.0.0.1\n}\n. {\n forward . 192.0.2.53\n}", Host{}, true},

		{"a name that becomes too long elsewhere", "a.example {\n forward . 127.0.0.1:1053\n}\na.example:1053 {\n rewrite name regex (.*) {1}.b.example answer auto\n forward . 192.0.2.53\n}", Host{}, false},
		{"a longer name for others", "a.example {\n rewrite name suffix .a.example .b.a.example answer auto\n forward . 192.0.2.53\n}", Host{}, false},
		{"an address of others", ". {\n forward . 192.0.2.10\n}", Host{}, false},
		{"addresses that cannot be told", ". {\n forward . 192.0.2.10\n}", Host{Addrs: func() ([]net.Addr, error) { return nil, errors.New("no") }}, false},
		{"another port", ". {\n forward . 127.0.0.1:1053\n}", Host{}, false},
		{"53 when the command line has another", ". {\n forward . 127.0.0.1:53\n}", Host{Port: "1053"}, false},
		{"another transport", "tls://. {\n forward . 127.0.0.1:853\n}", Host{}, false},
		{"bound to another address", ". {\n bind 192.0.2.10\n forward . 127.0.0.1\n}", Host{}, false},
		{"bound to IPv4", ". {\n bind 0.0.0.0\n forward . ::1\n}", Host{}, false},
		{"bound to an interface", ". {\n bind eth0\n forward . 127.0.0.1\n}", Host{}, false},
		{"a file", ". {\n forward . /etc/resolv.conf\n}", Host{}, false},
		{"a socket", ". {\n forward . unix:///run/dns.sock\n}", Host{}, false},
		{"a name", ". {\n forward . localhost\n}", Host{}, false},
		{"another block answers", "example.org {\n forward . 127.0.0.1\n}\nsub.example.org {\n whoami\n}\n", Host{}, true},
		{"the address has a block of its own", "example.org {\n bind 192.0.2.1\n forward . 127.0.0.1\n}\nexample.org {\n bind 127.0.0.1\n whoami\n}\n", Host{}, false},
		{"forwarded zone has a block of its own", ". {\n forward example.org 127.0.0.1\n}\nexample.org {\n whoami\n}\n", Host{}, false},
		{"Docker's resolver", ". {\n forward . 127.0.0.11\n}", Host{}, false},
		{"a file that names another server", ". {\n forward . resolv.conf\n}", Host{ReadFile: resolvConf("192.0.2.53")}, false},
		{"a file that is not looked at", ". {\n forward . resolv.conf\n}", Host{}, false},
		{"in a view", ". {\n view v {\n expr name() == 'a.'\n }\n forward . 127.0.0.1\n}\n. {\n whoami\n}", Host{}, false},
		{"excepted", "example.org {\n forward . 127.0.0.1 {\n except example.org\n }\n}", Host{}, false},
		{"below a plugin that answers all", ". {\n hosts\n forward . 127.0.0.1\n}", Host{}, false},
		{"below an external plugin", ". {\n nonesuch\n forward . 127.0.0.1\n}", Host{}, false},
		{"other names", "example.org {\n forward example.net 127.0.0.1\n}", Host{}, false},
	}
	order := orderWith(t, "kubernetes", "nonesuch")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			looped := false
			for _, w := range test.host.Check(parseText(t, test.text, order), order) {
				looped = looped || w.Code == "forward-to-self"
			}
			if looped != test.looped {
				t.Errorf("looped: %t, want %t\n%s", looped, test.looped, strings.TrimSpace(test.text))
			}
		})
	}
}

func resolvConf(addr string) func(string) ([]byte, error) {
	return func(string) ([]byte, error) { return []byte("nameserver " + addr + "\n"), nil }
}
