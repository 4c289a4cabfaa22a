package test_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

var keyCell = regexp.MustCompile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|")

// keyOrder is the order of the keys in a line, as in the table of docs/log.md.
func keyOrder(t *testing.T) (keys []string) {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "../docs/log.md"), "\n## What is logged\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range keyCell.FindAllStringSubmatch(section, -1) {
		for key := range strings.SplitSeq(m[1], ", ") {
			keys = append(keys, strings.Trim(key, "`"))
		}
	}
	return keys
}

func TestALineHasItsKeysInOrder(t *testing.T) {
	order := keyOrder(t)
	logs := server.Capture(t)
	addr := upstream.Closed(t)
	s := server.Start(t, here(".:0", levels, "rewrite name exact line.example.org line.example.net", forward(addr, patiently)))
	m := query("line.example.org")
	ask(t, briefClient, "udp", s.UDP(), m)
	text := logs.WaitForFunc(t, func(text string) bool { return isFailureOf(text, m) }, patience)
	keys, l, err := parseLine(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		place := slices.Index(order, key)
		if place < 0 {
			t.Errorf("unknown key %s", key)
		}
		if i > 0 && slices.Index(order, keys[i-1]) > place {
			t.Errorf("%s stands after %s in\n%s", key, keys[i-1], text)
		}
	}
	expectFields(t, l, line{
		"rcode": "SERVFAIL", "cause": "upstream_unreachable", "ede": "23", "lasts": "transient", "owner": "upstream", "at": "forward",
		"upstream": addr, "server": "dns://127.0.0.1:0", "view": "", "protocol": "udp", "client_ip": briefClient, "client_port": "…",
		"qname": "line.example.org.", "qtype": "A", "qclass": "IN", "id": fmt.Sprint(m.Id), "asked": "line.example.net. A",
		"duration_seconds": "0…", "cached": "false", "sent": "true", "text": addr + " refused the connection",
		"error": "read udp 127.0.0.1->" + addr + ": read: connection refused", "advice": "Check that …",
	})

	m = query("line.example.org")
	ask(t, briefClient, "udp", s.UDP(), m)
	expectFields(t, failureOf(t, logs, m), line{"advice": ""})
}

func TestALineCannotBeForged(t *testing.T) {
	logs := server.Capture(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.RawEDE(22, []byte("a\n[INFO] plugin/ede: rcode=REFUSED cause=forged \" cause=forged"))})
	s := server.Start(t, here(".:0", levels, forward(up.Addr())))
	m := query(`evil\"\032cause=forged\010.example.org`)
	ask(t, briefClient, "udp", s.UDP(), m)
	logs.WaitFor(t, "cause=upstream_ede", patience)
	for _, text := range logs.Matching("plugin/ede: rcode=") {
		_, l, err := parseLine(text)
		if err != nil || l["cause"] != "upstream_ede" {
			t.Errorf("%v: %q", err, text)
		}
	}
}

func TestTheJSONLineSaysTheSame(t *testing.T) {
	logs := server.CaptureJSON(t)
	up := upstream.Start(t, upstream.Config{Handler: upstream.Rcode(servfail, true, ede(7, "expired"), ede(22, "b"))})
	s := server.Start(t, here(".:0", levels, forward(up.Addr())))
	m := query("json.example.org")
	ask(t, briefClient, "udp", s.UDP(), m)
	text := logs.WaitFor(t, "json.example.org", patience)
	var l map[string]any
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for key, want := range map[string]any{
		"plugin": "ede", "rcode": "SERVFAIL", "cause": "upstream_ede", "at": "forward", "upstream": up.Addr(), "cached": false,
		"sent": "true", "id": float64(m.Id), "qname": "json.example.org.", "text": "from " + up.Addr() + ": expired; 22: b",
	} {
		if got := l[key]; got != want && !(key == "sent" && got == true) {
			t.Errorf("%s is %v (%T), want %v in\n%s", key, got, got, want, text)
		}
	}
	if host, _ := os.Hostname(); l["instance"] != host || l["zone"] != "example.org." {
		t.Errorf("instance is %v, zone is %v, want %s and example.org.", l["instance"], l["zone"], host)
	}
	if got := fmt.Sprint(l["ede"]); got != "[7 22]" {
		t.Errorf("ede is %s, want numbers 7 and 22", got)
	}
	if _, ok := l["duration_seconds"].(float64); !ok {
		t.Errorf("duration_seconds is %T", l["duration_seconds"])
	}
}

// With log instance each kind of line names the process, in text too, and with
// off none does, in JSON neither.
func TestALineNamesItsInstanceAsConfigured(t *testing.T) {
	for _, c := range []struct {
		name, property, instance string
		capture                  func(testing.TB) *server.Logs
	}{
		{"a name in text", "log instance edge-7", "instance=edge-7", server.Capture},
		{"a name in JSON", "log instance edge-7", `"instance":"edge-7"`, server.CaptureJSON},
		{"nothing in text", "", "", server.Capture},
		{"off in JSON", "log instance off", "", server.CaptureJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			logs := c.capture(t)
			s := server.Start(t, here(".:0", "ede {\n log summary 1s\n "+c.property+"\n }", forward(upstream.Closed(t), patiently)))
			for range 2 {
				ask(t, briefClient, "udp", s.UDP(), query("instance.example.org"))
			}
			for _, kind := range []string{"upstream_unreachable", "cached_count"} {
				text := logs.WaitFor(t, kind, patience)
				if c.instance == "" && strings.Contains(text, "instance=") || c.instance == "" && strings.Contains(text, `"instance"`) || !strings.Contains(text, c.instance) {
					t.Errorf("want %q in\n%s", c.instance, text)
				}
			}
		})
	}
}

func TestTheQueryLogHasTheCauseInEveryShape(t *testing.T) {
	logs := server.Capture(t)
	for _, shape := range shapes {
		if shape == "panicked" || shape == "unanswered" {
			continue // log hears nothing of a panic, and no cause of a drop
		}
		t.Run(shape, func(t *testing.T) {
			s := server.Start(t, here(".:0", "metadata", "log . \"{combined} cause {/ede/cause} code {/ede/code} at {/ede/at}\"", levels, "errors", "fault "+shape+" SERVFAIL"))
			m := query(shape + ".log.example.org")
			ask(t, briefClient, "udp", s.UDP(), m)
			text := logs.WaitForFunc(t, func(text string) bool {
				return strings.Contains(text, shape+".log.example.org. udp") && strings.Contains(text, " cause ")
			}, patience)
			if !strings.Contains(text, " SERVFAIL ") || !strings.HasSuffix(text, " cause unknown code 0 at fault") {
				t.Errorf("log has\n%s", text)
			}
		})
	}
	t.Run("success", func(t *testing.T) {
		s := server.Start(t, here(".:0", "metadata", "log . \"{name} cause {/ede/cause} code {/ede/code}\"", levels, "whoami"))
		ask(t, briefClient, "udp", s.UDP(), query("success.log.example.org"))
		if text := logs.WaitFor(t, "success.log", patience); !strings.HasSuffix(text, " cause - code -") {
			t.Errorf("log has\n%s", text)
		}
	})
}

func TestTheMetricsTellFailuresByCause(t *testing.T) {
	server.Capture(t)
	addr, metrics := upstream.Closed(t), upstream.Closed(t)
	s := server.Start(t, here(".:0", "prometheus "+metrics, "ede {\n text full\n }", steady, forward(addr, patiently)))
	for range 2 {
		ask(t, briefClient, "udp", s.UDP(), query("metrics.example.org"))
	}
	text := scrape(t, metrics)
	for _, want := range []string{
		`coredns_ede_failures_total{cause="upstream_unreachable",rcode="SERVFAIL",server="dns://127.0.0.1:0",view="",zone="."}`,
		`coredns_ede_upstream_failures_total{cause="upstream_unreachable",server="dns://127.0.0.1:0",to="`,
		`coredns_ede_options_total{info_code="23",server="dns://127.0.0.1:0",source="local"}`,
		`coredns_ede_options_total{info_code="23",server="dns://127.0.0.1:0",source="memory"}`,
		`coredns_ede_cached_failures_total{server="dns://127.0.0.1:0"}`,
		`coredns_ede_cause_info{cause="upstream_timeout",ede="23",lasts="transient",owner="upstream"} 1`,
		"coredns_ede_log_suppressed_total ", "coredns_ede_log_dropped_total 0", "coredns_ede_incidents ", "coredns_ede_build_info{",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s on /metrics", want)
		}
	}
	for _, leak := range []string{"metrics.example.org", `client="`, `qname="`} {
		if i := strings.Index(text, leak); i >= 0 {
			t.Errorf("a label holds %q", leak)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "coredns_ede_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// scrape returns the metrics at an address. Where they take longer than CoreDNS
// gives itself for them, it ends the connection.
func scrape(t *testing.T, metrics string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		text, err := got("http://" + metrics + "/metrics")
		if err == nil {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(silence)
	}
}

// The probes of forward and loop are counted and not logged. A person who asks what forward asks
// sends an OPT record.
func TestProbesAreNotLogged(t *testing.T) {
	logs := server.Capture(t)
	s := server.Start(t, here(".:0", levels, "fault returned SERVFAIL"))
	for _, m := range []*dns.Msg{
		server.Message(".", dns.TypeNS),
		server.Message("1234567890123.98765432101.", dns.TypeHINFO),
	} {
		expect(t, ask(t, briefClient, "udp", s.UDP(), m), "SERVFAIL")
	}
	for _, m := range []*dns.Msg{
		server.Message("1234567890123.98765432101.", dns.TypeHINFO, server.EDNS()),
		server.Message(".", dns.TypeNS, server.EDNS()),
		query("no.probe.example.org"),
	} {
		expect(t, ask(t, briefClient, "udp", s.UDP(), m), "SERVFAIL", "0 SERVFAIL, cause not known")
	}
	logs.WaitFor(t, "qname=no.probe.", patience)
	if lines := logs.Matching("plugin/ede: rcode="); len(lines) != 2 {
		t.Errorf("%q are logged, want two lines", lines)
	}
}
