package preflight

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"

	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/autopath"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/view"
	_ "github.com/coredns/coredns/plugin/whoami"
)

// upstream starts a server on 127.0.0.1 that answers every question NOERROR.
func upstream(t *testing.T) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	s := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(started) }}
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		w.WriteMsg(new(dns.Msg).SetReply(r))
	})
	go s.ActivateAndServe()
	<-started
	t.Cleanup(func() { s.Shutdown() })
	return pc.LocalAddr().String()
}

// rcodeOf asks a CoreDNS with that Corefile.
func rcodeOf(t *testing.T, corefile, name string) string {
	t.Helper()
	return dns.RcodeToString[answerOf(t, corefile, name).Rcode]
}

func answerOf(t *testing.T, corefile, name string) *dns.Msg {
	t.Helper()
	return answerTo(t, corefile, name, dns.TypeA)
}

func answerTo(t *testing.T, corefile, name string, qtype uint16) *dns.Msg {
	t.Helper()
	caddy.Quiet, dnsserver.Quiet = true, true
	i, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Stop()
	q := new(dns.Msg).SetQuestion(name, qtype)
	client := dns.Client{Timeout: 30 * time.Second}
	r, _, err := client.Exchange(q, i.Servers()[0].LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestWarningsForetellWhatCoreDNSAnswers holds the checks against CoreDNS: the
// mistake fails as the warning says, and what it advises heals it.
func TestWarningsForetellWhatCoreDNSAnswers(t *testing.T) {
	dir := t.TempDir()
	db, search := filepath.Join(dir, "db"), filepath.Join(dir, "resolv.conf")
	for path, text := range map[string]string{
		db:     "@ 60 IN SOA ns.example.org. mail.example.org. 1 60 60 60 60\n@ 60 IN NS ns.example.net.\n",
		search: "search example.org\nnameserver 192.0.2.53\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	vars := strings.NewReplacer("UP", upstream(t), "DB", db, "SEARCH", search)

	tests := []struct{ code, name, mistake, fails, healed string }{
		{
			"dead-end", "other.example.net.",
			".:0 {\n bind 127.0.0.1\n template IN A example.org {\n rcode NOERROR\n }\n}", "SERVFAIL",
			".:0 {\n bind 127.0.0.1\n template IN A example.org {\n rcode NOERROR\n }\n forward . UP\n}",
		}, {
			"fallthrough-to-nowhere", "other.example.org.",
			"example.org:0 {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 www.example.org\n fallthrough\n }\n}", "SERVFAIL",
			"example.org:0 {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 www.example.org\n fallthrough\n }\n forward . UP\n}",
		}, {
			"hosts-without-fallthrough", "other.example.net.",
			".:0 {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 www.example.org\n }\n forward . UP\n}", "SERVFAIL",
			".:0 {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 www.example.org\n fallthrough\n }\n forward . UP\n}",
		}, {
			"template-without-fallthrough", "other.example.net.",
			".:0 {\n bind 127.0.0.1\n template IN A {\n match ^www\n rcode NOERROR\n }\n forward . UP\n}", "SERVFAIL",
			".:0 {\n bind 127.0.0.1\n template IN A {\n match ^www\n rcode NOERROR\n fallthrough\n }\n forward . UP\n}",
		}, {
			"never-asked", "www.example.net.",
			"example.org:0 {\n bind 127.0.0.1\n file DB\n forward . UP\n}", "REFUSED",
			"example.org:0 {\n bind 127.0.0.1\n file DB\n}\n.:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"autopath-without-forward", "www.example.net.example.org.",
			"example.org:0 {\n bind 127.0.0.1\n autopath SEARCH\n template ANY ANY {\n rcode NXDOMAIN\n }\n}", "SERVFAIL",
			"example.org:0 {\n bind 127.0.0.1\n autopath SEARCH\n template ANY ANY {\n rcode NXDOMAIN\n }\n forward . UP\n}",
		}, {
			"views-without-default", "www.example.org.",
			"example.org:0 {\n bind 127.0.0.1\n view v {\n expr incidr(client_ip(), '192.0.2.0/24')\n }\n whoami\n}", "REFUSED",
			"example.org:0 {\n bind 127.0.0.1\n view v {\n expr incidr(client_ip(), '192.0.2.0/24')\n }\n whoami\n}\n" +
				"example.org:0 {\n bind 127.0.0.1\n whoami\n}",
		}, {
			"address-as-key", "www.example.org.",
			"127.0.0.1:0 {\n bind 127.0.0.1\n forward . UP\n}", "REFUSED",
			".:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"address-as-key", "www.example.org.",
			"0.0.0.0/0:0 {\n bind 127.0.0.1\n forward . UP\n}", "REFUSED",
			"0.0.0.0/0:0 {\n bind 127.0.0.1\n forward . UP\n}\n.:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"address-as-key", "1.2.0.192.in-addr.arpa.",
			"192.0.2/24:0 {\n bind 127.0.0.1\n forward . UP\n}", "REFUSED",
			"192.0.2.0/24:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"reverse-zone-misspelt", "1.2.0.192.in-addr.arpa.",
			"2.0.192.in-addr-arpa:0 {\n bind 127.0.0.1\n forward . UP\n}", "REFUSED",
			"2.0.192.in-addr.arpa:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"dead-end", "www.example.org.",
			"example.org:0 {\n bind 127.0.0.1\n}", "REFUSED",
			"example.org:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"link-local-upstream", "www.example.org.",
			".:0 {\n bind 127.0.0.1\n forward . fe80::1%lo {\n max_connect_attempts 1\n }\n}", "SERVFAIL",
			".:0 {\n bind 127.0.0.1\n forward . UP\n}",
		}, {
			"no-catch-all", "www.example.net.",
			"example.org:0 {\n bind 127.0.0.1\n forward . UP\n}", "REFUSED",
			"example.org:0 {\n bind 127.0.0.1\n forward . UP\n}\n.:0 {\n bind 127.0.0.1\n forward . UP\n}",
		},
	}
	order := buildOrder(t)
	for _, test := range tests {
		t.Run(test.code, func(t *testing.T) {
			mistake, healed := vars.Replace(test.mistake), vars.Replace(test.healed)
			if got := rcodeOf(t, mistake, test.name); got != test.fails {
				t.Errorf("with the mistake: %s, want %s", got, test.fails)
			}
			if got := rcodeOf(t, healed, test.name); got != "NOERROR" {
				t.Errorf("with the advice followed: %s", got)
			}
			// no-catch-all speaks up on port 53 only.
			mistake, healed = strings.ReplaceAll(mistake, ":0 ", ":53 "), strings.ReplaceAll(healed, ":0 ", ":53 ")
			if got := codesOf(t, mistake, order); !strings.Contains(got, test.code) {
				t.Errorf("warnings: %q, want %q", got, test.code)
			}
			if got := codesOf(t, healed, order); strings.Contains(got, test.code) {
				t.Errorf("warnings with the advice followed: %q", got)
			}
		})
	}
}

// A forward with tls_servername and an address without tls:// asks in clear text.
func TestTLSWithoutTLSLeavesInClearText(t *testing.T) {
	corefile := ".:0 {\n bind 127.0.0.1\n forward . " + upstream(t) + " {\n tls_servername dns.example.org\n }\n}"
	if got := rcodeOf(t, corefile, "www.example.org."); got != "NOERROR" {
		t.Errorf("%s: the upstream, which hears UDP alone, was not asked in clear text", got)
	}
	order := buildOrder(t)
	if got := codesOf(t, corefile, order); got != "tls-without-tls" {
		t.Errorf("warnings: %q", got)
	}
	if got := codesOf(t, strings.Replace(corefile, "forward . ", "forward . tls://", 1), order); got != "" {
		t.Errorf("warnings with the advice followed: %q", got)
	}
}

// CoreDNS does not start with what these say it does not start with.
func TestCoreDNSDoesNotStart(t *testing.T) {
	caddy.Quiet, dnsserver.Quiet = true, true
	order := buildOrder(t)
	for _, test := range []struct{ code, corefile string }{
		{"zone-twice", "example.org:0 {\n whoami\n}\nexample.org:0 {\n whoami\n}"},
		{"zone-twice", "example.org:0 example.org:0 {\n whoami\n}"},
		{"zone-twice", "192.0.2.0/24:0 2.0.192.in-addr.arpa:0 {\n whoami\n}"},
		{"invalid-key", ". :1053 {\n whoami\n}"},
		{"invalid-key", "a..example:0 {\n whoami\n}"},
	} {
		i, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(test.corefile), ServerTypeName: "dns"})
		if err == nil {
			t.Errorf("CoreDNS starts with %q", test.corefile)
			i.Stop()
		}
		if got := codesOf(t, test.corefile, order); got != test.code {
			t.Errorf("%q: warnings %q, want %s", test.corefile, got, test.code)
		}
	}
}

func codesOf(t *testing.T, corefile string, order []string) string {
	t.Helper()
	blocks, err := Parse("Corefile", strings.NewReader(corefile), order)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, w := range Check(blocks, order) {
		codes = append(codes, w.Code)
	}
	return strings.Join(codes, " ")
}
