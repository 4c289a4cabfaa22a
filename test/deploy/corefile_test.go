package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/check"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// moved is a Corefile with the ports of this machine in place of those it
// names, nothing listening where its upstreams are, and a Kubernetes API that
// does not answer.
type moved struct {
	text string
	dns  string
}

var (
	keyPort     = regexp.MustCompile(`(?m)^(\S+):53 \{`)
	upstreamEnd = regexp.MustCompile(`192\.0\.2\.5[0-9](:[0-9]+)?|/etc/resolv\.conf`)
	asksOthers  = regexp.MustCompile(`(?m)^(\s+(?:forward|transfer from|compare) .*)$`)
	adminPort   = regexp.MustCompile(`(?m)^(\s+)(health|ready)( \{)?$`)
	metricsPort = regexp.MustCompile(`(?m)^(\s+prometheus) \S+$`)
	kubernetes  = regexp.MustCompile(`(?m)^(\s+kubernetes .*\{)$`)
)

func move(t *testing.T, corefile string) moved {
	t.Helper()
	port, metrics, closed := freePort(t), freePort(t), nobody
	s := keyPort.ReplaceAllString(corefile, "${1}:"+port+" {\n    bind 127.0.0.1")
	if s == corefile {
		t.Fatalf("no server block at port 53:\n%s", corefile)
	}
	s = asksOthers.ReplaceAllStringFunc(s, func(line string) string { return upstreamEnd.ReplaceAllString(line, closed) })
	s = metricsPort.ReplaceAllString(s, "${1} 127.0.0.1:"+metrics)
	s = adminPort.ReplaceAllStringFunc(s, func(line string) string {
		m := adminPort.FindStringSubmatch(line)
		return m[1] + m[2] + " 127.0.0.1:" + freePort(t) + m[3]
	})
	s = kubernetes.ReplaceAllString(s, "${1}\n        endpoint http://"+closed+"\n        startup_timeout 10ms")
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
	// cause is empty for a query that succeeds.
	cause string
}

// starts runs the real server with a Corefile, asks it, and has `ede check`
// look at it as well.
func starts(t *testing.T, corefile string, expected []expectation) {
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

	m := move(t, corefile)
	said := coredns(t, m.text)
	for _, e := range expected {
		q := server.Message(e.name, dns.TypeA, server.EDNS())
		var r *dns.Msg
		eventually(t, "CoreDNS answers", said.String, func() bool {
			var err error
			r, err = server.Exchange(m.dns, "udp", q, server.QueryTimeout)
			return err == nil
		})
		if got := dns.RcodeToString[r.Rcode]; got != e.rcode {
			t.Errorf("%s: %s, want %s", e.name, got, e.rcode)
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

var examples = map[string][]expectation{
	"home": {
		{"printer.example.org.", "NOERROR", ""},
		{"www.example.com.", "SERVFAIL", "upstream_unreachable"},
	},
	"kubernetes": {
		{"web.default.svc.cluster.local.", "SERVFAIL", "backend_not_ready"},
		{"www.example.com.", "SERVFAIL", "upstream_unreachable"},
	},
	"edge": {
		{"www.example.com.", "SERVFAIL", "upstream_unreachable"},
	},
	"authoritative": {
		{"www.example.org.", "NOERROR", ""},
		{"www.example.net.", "SERVFAIL", "zone_not_loaded"},
		{"www.example.com.", "REFUSED", "template_rcode"},
	},
	"validating": {
		{"www.example.com.", "SERVFAIL", "upstream_unreachable"},
	},
}

func TestEveryExampleStartsAndExplains(t *testing.T) {
	files, err := filepath.Glob(absolute(t, "examples/*.corefile"))
	if err != nil || len(files) != len(examples) {
		t.Errorf("%d files in examples/, want the %d that are tested: %v", len(files), len(examples), err)
	}
	for name, expected := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			starts(t, read(t, "examples/"+name+".corefile"), expected)
		})
	}
}
