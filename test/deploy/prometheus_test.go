package deploy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// failing is a Corefile with a failure of each kind that the dashboard shows.
// Its blocks are told apart by zone.
const failing = `
closed.example.org:{port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    ede
    forward . 127.0.0.1:{closed}
}
servfail.example.org:{port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    ede {
        diagnose {
            rate 5 2
        }
    }
    cache {
        servfail 30s
    }
    forward . {servfail}
}
reason.example.org:{port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    ede
    forward . {reason}
}
blocked.example.org:{port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:{metrics}
    ede
    acl {
        block net 127.0.0.0/8
    }
    forward . {reason}
}
`

// replica is one running CoreDNS.
type replica struct{ dns, metrics string }

func replicas(t *testing.T, number int) []replica {
	t.Helper()
	servfail := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true)})
	reason := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(dns.RcodeServerFailure, true,
		dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired, ExtraText: "expired"})})
	closed := strings.TrimPrefix(nobody, "127.0.0.1:")
	all := make([]replica, 0, number)
	for range number {
		port, metrics := freePort(t), freePort(t)
		said := coredns(t, strings.NewReplacer("{port}", port, "{metrics}", metrics, "{closed}", closed,
			"{servfail}", servfail.Addr(), "{reason}", reason.Addr()).Replace(failing))
		r := replica{"127.0.0.1:" + port, "127.0.0.1:" + metrics}
		eventually(t, "CoreDNS serves metrics", said.String, func() bool {
			_, ok := fetch("http://" + r.metrics + "/metrics")
			return ok
		})
		all = append(all, r)
	}
	return all
}

// prometheus runs a real one that scrapes all, and returns its address.
func prometheus(t *testing.T, all []replica) string {
	t.Helper()
	path := program(t, "prometheus")
	targets := make([]string, 0, len(all))
	for _, r := range all {
		targets = append(targets, strconv.Quote(r.metrics))
	}
	dir := t.TempDir()
	config := fmt.Sprintf("scrape_configs:\n- job_name: coredns\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"+
		"  static_configs:\n  - targets: [%s]\n", strings.Join(targets, ", "))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := "127.0.0.1:" + freePort(t)
	said := run(t, dir, path, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address="+addr).said
	eventually(t, "Prometheus is ready", said.String, func() bool {
		_, ok := fetch("http://" + addr + "/-/ready")
		return ok
	})
	return addr
}

// sample is one series of an instant query.
type sample struct {
	Metric map[string]string
	Value  float64
}

func ask(addr, expr string) ([]sample, error) {
	body, ok := fetch("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(expr))
	if !ok {
		return nil, fmt.Errorf("prometheus does not answer %s: %s", expr, body)
	}
	var r struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return nil, err
	}
	var all []sample
	for _, s := range r.Data.Result {
		text, _ := s.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(v) {
			all = append(all, sample{s.Metric, v})
		}
	}
	return all, nil
}

// expressions are all queries of the dashboard, by panel, as Grafana would
// send them.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr, RefID string }
		}
		Templating struct{ List []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/ede.json")), &board); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, p := range board.Panels {
		if p.Description == "" {
			t.Errorf("panel %q does not say what it shows", p.Title)
		}
		for _, q := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "10s", "$job", ".*").Replace(q.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("panel %q has a variable that the dashboard does not define: %s", p.Title, expr)
			}
			all[p.Title+" "+q.RefID] = expr
		}
	}
	return all
}

func TestDashboardAndSumsOfThreeInstancesOnARealPrometheus(t *testing.T) {
	all := replicas(t, 3)
	addr := prometheus(t, all)
	failed := make(map[string]int)
	question := 0
	send := func() {
		for _, r := range all {
			for _, zone := range []string{"closed", "servfail", "servfail", "reason", "blocked"} {
				name := fmt.Sprintf("n%d.%s.example.org.", question, zone)
				a := server.Query(t, r.dns, "udp", server.Message(name, dns.TypeA, server.EDNS()))
				if a.Rcode != dns.RcodeServerFailure && a.Rcode != dns.RcodeRefused {
					t.Fatalf("%s: %s", name, dns.RcodeToString[a.Rcode])
				}
				failed[dns.RcodeToString[a.Rcode]]++
			}
		}
		question++
	}

	empty := expressions(t)
	deadline := time.Now().Add(2 * patience)
	for len(empty) > 0 && time.Now().Before(deadline) {
		send()
		for panel, expr := range empty {
			got, err := ask(addr, expr)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 {
				delete(empty, panel)
			}
		}
	}
	for panel, expr := range empty {
		t.Errorf("panel %s stays empty: %s", panel, expr)
	}

	for rcode, count := range failed {
		expr := fmt.Sprintf("sum(coredns_ede_failures_total{rcode=%q})", rcode)
		var got []sample
		eventually(t, fmt.Sprintf("three instances add up to the %d %s that the client saw", count, rcode),
			func() string { return fmt.Sprint(got) },
			func() bool {
				got, _ = ask(addr, expr)
				return len(got) == 1 && got[0].Value == float64(count)
			})
	}
	t.Logf("%v failures seen by the client and counted by Prometheus", failed)
}
