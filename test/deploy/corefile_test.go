package deploy_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/check"
	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// moved is a Corefile with the ports of this machine in place of those it
// names, an upstream of the test or none at all where its own are, and a
// Kubernetes API that does not answer.
type moved struct {
	text string
	dns  string
}

var (
	keyPort     = regexp.MustCompile(`(?m)^(\S+):53 \{`)
	upstreamEnd = regexp.MustCompile(`192\.0\.2\.5[0-9](:[0-9]+)?|/etc/resolv\.conf`)
	forwards    = regexp.MustCompile(`(?m)^(\s+forward .*)$`)
	asksOthers  = regexp.MustCompile(`(?m)^(\s+(?:transfer from|compare) .*)$`)
	adminPort   = regexp.MustCompile(`(?m)^(\s+)(health|ready)( \{)?$`)
	metricsPort = regexp.MustCompile(`(?m)^(\s+prometheus) \S+$`)
	kubernetes  = regexp.MustCompile(`(?m)^(\s+kubernetes .*\{)$`)
)

// move adapts a Corefile; upstream is an address, or nobody.
func move(t *testing.T, corefile, upstream string) moved {
	t.Helper()
	port, metrics := freePort(t), freePort(t)
	s := keyPort.ReplaceAllString(corefile, "${1}:"+port+" {\n    bind 127.0.0.1")
	if s == corefile {
		t.Fatalf("no server block at port 53:\n%s", corefile)
	}
	at := func(addr string) func(string) string {
		return func(line string) string { return upstreamEnd.ReplaceAllString(line, addr) }
	}
	s = forwards.ReplaceAllStringFunc(s, at(upstream))
	s = asksOthers.ReplaceAllStringFunc(s, at(nobody))
	s = metricsPort.ReplaceAllString(s, "${1} 127.0.0.1:"+metrics)
	s = adminPort.ReplaceAllStringFunc(s, func(line string) string {
		m := adminPort.FindStringSubmatch(line)
		return m[1] + m[2] + " 127.0.0.1:" + freePort(t) + m[3]
	})
	s = kubernetes.ReplaceAllString(s, "${1}\n        endpoint http://"+nobody+"\n        startup_timeout 10ms")
	s = strings.ReplaceAll(s, "file zones/", "file "+absolute(t, "examples/zones")+"/")
	// A server that is about to end need not wait for a load balancer.
	s = strings.NewReplacer("lameduck 5s", "lameduck 1ms", "lameduck 10s", "lameduck 1ms").Replace(s)
	return moved{s, "127.0.0.1:" + port}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// expectation is a query and what becomes of it.
type expectation struct {
	name  string
	rcode string
	// cause is empty for a query that succeeds, or that nobody explains.
	cause string
	// edes are the Extended DNS Errors, "23 the upstream cannot be reached".
	edes []string
	// transfer asks for the whole zone, over TCP, in place of an address.
	transfer bool
}

func (e expectation) ask(addr string) (*dns.Msg, error) {
	if e.transfer {
		return server.Exchange(addr, "tcp", server.Message(e.name, dns.TypeAXFR, server.EDNS()), server.QueryTimeout)
	}
	return server.Exchange(addr, "udp", server.Message(e.name, dns.TypeA, server.EDNS()), server.QueryTimeout)
}

// extendedErrors are the INFO-CODEs and texts of an answer.
func extendedErrors(m *dns.Msg) []string {
	var all []string
	for _, e := range server.ExtendedErrors(m) {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s", e.InfoCode, e.ExtraText)))
	}
	return all
}

// starts runs the real server with a Corefile, asks it, and has `ede check`
// look at it as well.
func starts(t *testing.T, corefile, upstream string, expected []expectation) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(file, []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := check.Command()
	c.SetArgs([]string{file})
	c.SetOut(&out)
	c.SetErr(&out)
	if err := c.Execute(); err != nil {
		t.Errorf("ede check: %v\n%s", err, &out)
	}

	m := move(t, corefile, upstream)
	said := coredns(t, m.text)
	for _, e := range expected {
		var r *dns.Msg
		eventually(t, "CoreDNS answers", said.String, func() bool {
			var err error
			r, err = e.ask(m.dns)
			return err == nil
		})
		edes := extendedErrors(r)
		if got := dns.RcodeToString[r.Rcode]; got != e.rcode || !slices.Equal(edes, e.edes) {
			t.Errorf("%s: %s %q, want %s %q", e.name, got, edes, e.rcode, e.edes)
		}
		if e.cause == "" {
			continue
		}
		line := " cause=" + e.cause + " "
		eventually(t, "the log has"+line+"of "+e.name, said.String, func() bool {
			for _, l := range strings.Split(said.String(), "\n") {
				if strings.Contains(l, line) && strings.Contains(l, " qname="+e.name+" ") {
					return true
				}
			}
			return false
		})
	}
}

// cluster is what a cluster's DNS says without its API and its upstream.
var cluster = []expectation{
	{name: "web.default.svc.cluster.local.", rcode: "SERVFAIL", cause: "backend_not_ready",
		edes: []string{"14 the data source of this server is not ready"}},
	{name: "www.example.com.", rcode: "SERVFAIL", cause: "upstream_unreachable",
		edes: []string{"23 the upstream cannot be reached"}},
}

var examples = map[string]struct {
	// upstream starts the one that the example forwards to; nil is none.
	upstream func(t *testing.T) string
	expected []expectation
}{
	"home": {expected: []expectation{
		{name: "printer.example.org.", rcode: "NOERROR"},
		{name: "www.example.com.", rcode: "SERVFAIL", cause: "upstream_unreachable",
			edes: []string{"23 the upstream cannot be reached"}},
	}},
	"kubernetes": {expected: cluster},
	"edge": {
		upstream: func(t *testing.T) string {
			return upstream.Start(t, upstream.Config{Transport: upstream.TLS, Certificate: certificate.UnknownCA}).Addr()
		},
		expected: []expectation{
			{name: "www.example.com.", rcode: "SERVFAIL", cause: "upstream_tls",
				edes: []string{"23 TLS to the upstream failed"}},
		},
	},
	"authoritative": {expected: []expectation{
		{name: "www.example.org.", rcode: "NOERROR"},
		{name: "example.org.", rcode: "REFUSED", cause: "transfer_denied", transfer: true,
			edes: []string{"18 zone transfer not allowed for this client"}},
		{name: "www.example.net.", rcode: "SERVFAIL", cause: "zone_not_loaded",
			edes: []string{"14 zone example.net. is not loaded yet: the connection is refused"}},
		{name: "www.example.com.", rcode: "REFUSED", cause: "template_rcode", edes: []string{"20 not served here"}},
	}},
	"validating": {
		upstream: func(t *testing.T) string {
			return upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true,
				dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired, ExtraText: "signature of example.com. expired"})}).Addr()
		},
		expected: []expectation{
			{name: "www.example.com.", rcode: "SERVFAIL", cause: "upstream_ede",
				edes: []string{"7 from upstream: signature of example.com. expired"}},
		},
	},
}

func TestEveryExampleStartsAndExplains(t *testing.T) {
	files, err := filepath.Glob(absolute(t, "examples/*.corefile"))
	if err != nil || len(files) != len(examples) {
		t.Errorf("%d files in examples/, want the %d that are tested: %v", len(files), len(examples), err)
	}
	for name, example := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := nobody
			if example.upstream != nil {
				to = example.upstream(t)
			}
			starts(t, read(t, "examples/"+name+".corefile"), to, example.expected)
		})
	}
}
