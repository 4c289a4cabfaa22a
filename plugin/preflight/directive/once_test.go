package directive

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin" // all of CoreDNS
)

// uses are uses of plugins that need more than their name, or may have more, DIR being a
// directory and SOURCE that of CoreDNS's plugins.
var uses = map[string][]string{
	"root":         {"root DIR"},
	"geoip":        {"geoip SOURCE/geoip/testdata/GeoLite2-City.mmdb"},
	"proxyproto":   {"proxyproto", "proxyproto {\n allow 127.0.0.1/32\n }"},
	"quic":         {"quic", "quic {\n max_streams 8\n }"},
	"grpc_server":  {"grpc_server", "grpc_server {\n max_streams 8\n }"},
	"https":        {"https", "https {\n max_streams 8\n }"},
	"https3":       {"https3", "https3 {\n max_streams 8\n }"},
	"timeouts":     {"timeouts {\n read 5s\n }"},
	"multisocket":  {"multisocket", "multisocket 2"},
	"reload":       {"reload", "reload 30s"},
	"nsid":         {"nsid", "nsid a"},
	"bufsize":      {"bufsize", "bufsize 1232"},
	"bind":         {"bind 127.0.0.1"},
	"trace":        {"trace", "trace localhost:9411"},
	"ready":        {"ready", "ready 127.0.0.1:8181"},
	"health":       {"health", "health 127.0.0.1:8080"},
	"pprof":        {"pprof", "pprof 127.0.0.1:6053"},
	"prometheus":   {"prometheus", "prometheus 127.0.0.1:9153"},
	"errors":       {"errors", "errors {\n consolidate 5m .*\n }"},
	"log":          {"log", "log example.org"},
	"dnstap":       {"dnstap DIR/dnstap.sock"},
	"dns64":        {"dns64", "dns64 64:ff9b::/96"},
	"chaos":        {"chaos", "chaos CoreDNS-1"},
	"loadbalance":  {"loadbalance", "loadbalance round_robin"},
	"tsig":         {"tsig", "tsig {\n secret k.example.org. NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=\n }"},
	"rewrite":      {"rewrite name a.example.org b.example.org"},
	"autopath":     {"autopath DIR/resolv.conf", "autopath @kubernetes"},
	"acl":          {"acl {\n allow\n }"},
	"cache":        {"cache", "cache 30", "cache 30 example.org", "cache {\n success 10\n }"},
	"header":       {"header {\n response set aa\n }"},
	"dnssec":       {"dnssec", "dnssec example.org"},
	"tls":          {"tls SOURCE/tls/test_cert.pem SOURCE/tls/test_key.pem"},
	"template":     {"template ANY ANY {\n rcode NXDOMAIN\n }"},
	"transfer":     {"transfer {\n to *\n }"},
	"dynupdate":    {"dynupdate example.org {\n file DIR/db.example.org\n allow k.example.org. * *\n }"},
	"hosts":        {"hosts", "hosts DIR/resolv.conf example.org {\n fallthrough\n }", "hosts {\n 192.0.2.1 a.example.org\n }"},
	"kubernetes":   {"kubernetes cluster.local {\n endpoint http://127.0.0.1:1\n }"},
	"file":         {"file DIR/db.example.org example.org"},
	"auto":         {"auto {\n directory DIR\n }"},
	"secondary":    {"secondary example.org {\n transfer from 127.0.0.1\n }"},
	"etcd":         {"etcd", "etcd example.org {\n endpoint http://127.0.0.1:1\n }"},
	"forward":      {"forward . 127.0.0.1"},
	"grpc":         {"grpc . 127.0.0.1"},
	"on":           {"on startup true"},
	"view":         {"view v {\n expr true\n }"},
	"k8s_external": {"k8s_external example.org"},
	"nomad":        {"nomad example.org {\n address http://127.0.0.1:1\n }"},
}

// clouds are plugins whose set-up asks a cloud, and sign, which takes keys: each of their
// set-ups goes through all uses.
var clouds = []string{"route53", "clouddns", "azure", "sign"}

func usesOf(name string) []string {
	if len(uses[name]) > 0 {
		return uses[name]
	}
	return []string{name}
}

// setUp runs the set-up of a block with lines, as at the start of CoreDNS, and starts nothing.
func setUp(lines string) error {
	text := "example.org:53 {\n" + lines + "\n}\n"
	return caddy.ValidateAndExecuteDirectives(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(text), ServerTypeName: "dns"}, nil, true)
}

func TestOnceIsWhatCoreDNSRefusesTwice(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"resolv.conf":    "search example.org\nnameserver 127.0.0.1\n",
		"db.example.org": "example.org. 60 IN SOA ns.example.org. host.example.org. 1 60 60 60 60\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/coredns/coredns").Output()
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("DIR", dir, "SOURCE", filepath.Join(strings.TrimSpace(string(module)), "plugin"))
	for _, name := range dnsserver.Directives {
		if slices.Contains(clouds, name) {
			continue
		}
		refused := true // in all forms
		for _, use := range usesOf(name) {
			use = fill.Replace(use)
			if err := setUp(use); err != nil {
				t.Errorf("%s, once: %v", use, err)
			}
			refused = refused && setUp(use+"\n"+use) != nil
		}
		if refused != Once(name) {
			t.Errorf("%s: refused twice: %v; Once: %v", name, refused, Once(name))
		}
	}
}
