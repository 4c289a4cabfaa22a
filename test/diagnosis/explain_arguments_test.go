package diagnosis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// tool is the operator's tool as it is built for operators.
func tool(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ede")
	build := exec.Command("go", "build", "-o", path, "../../cmd/ede")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// ran is what the tool printed, and its exit status.
func ran(t *testing.T, tool string, args ...string) (out, errs string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(tool, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func TestExplainTakesItsArgumentsAsPeopleWriteThem(t *testing.T) {
	ede := tool(t)
	host, port, err := net.SplitHostPort(upstream.Start(t, upstream.Config{Handler: upstream.Answer()}).Addr())
	if err != nil {
		t.Fatal(err)
	}
	at := "@" + host + ":" + port
	for _, tc := range []struct {
		args  []string
		asked string
	}{
		{[]string{"www.example.org", "AAAA", at}, "www.example.org. AAAA"},
		{[]string{at, "www.example.org", "aaaa"}, "www.example.org. AAAA"},
		{[]string{"www.example.org", at, "AAAA"}, "www.example.org. AAAA"},
		{[]string{"MX", at, "example.org"}, "example.org. MX"},
		{[]string{"--timeout", "20s", at, "--json=false", "example.org"}, "example.org. A"},
		{[]string{"example.org", "@" + host + "#" + port}, "example.org. A"},
		{[]string{"example.org", "@localhost:" + port}, "example.org. A"},
		{[]string{"example.org", "@localhost#" + port}, "example.org. A"},
		{[]string{"mx", at}, "mx. A"},
		{[]string{"münchen.example", at}, "xn--mnchen-3ya.example. A"},
		{[]string{"Straße.example", at}, "xn--strae-oqa.example. A"},
		{[]string{"_dmarc.bücher.example", "TXT", at}, "_dmarc.xn--bcher-kva.example. TXT"},
		{[]string{"192.0.2.25", at}, "25.2.0.192.in-addr.arpa. PTR"},
		{[]string{at, "2001:db8::25"}, "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR"},
		{[]string{"192.0.2.25", "SOA", at}, "25.2.0.192.in-addr.arpa. SOA"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			out, errs, status := ran(t, ede, append([]string{"explain"}, tc.args...)...)
			if status != 0 || !strings.HasPrefix(out, tc.asked+" ") {
				t.Errorf("status %d, want %q:\n%s%s", status, tc.asked, out, errs)
			}
		})
	}
	for name, args := range map[string][]string{
		"two servers":         {"example.org", at, at},
		"two names":           {"example.org", "example.net", at},
		"no name":             {at},
		"a port that is none": {"example.org", "@192.0.2.53#dns"},
		"a port too high":     {"example.org", "@192.0.2.53:65536"},
		"a server that is no": {"example.org", "@a..b"},
		"a host that is not":  {"example.org", "@nothing.invalid"},
		"an interface":        {"example.org", "@fe80::1%eth0"},
		"no time":             {"example.org", at, "--timeout", "0s"},
		"no duration":         {"example.org", at, "--timeout", "soon"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, errs, status := ran(t, ede, append([]string{"explain"}, args...)...); status != 2 || out != "" || !strings.HasPrefix(errs, "ede: ") {
				t.Errorf("status %d:\n%s%s", status, out, errs)
			}
		})
	}
	if out, _, status := ran(t, ede, "--version"); status != 0 || !strings.HasPrefix(out, "ede version ") {
		t.Errorf("--version: status %d, %q", status, out)
	}
	if out, _, _ := ran(t, ede, "explain", "--help"); !strings.Contains(out, "Examples:\n  ede explain www.example.org\n") || !strings.Contains(out, "--timeout duration") {
		t.Errorf("--help:\n%s", out)
	}
}

// What is printed is the time that was waited for, the first question included, and
// --timeout bounds it.
func TestExplainTellsTheTimeThatPassed(t *testing.T) {
	ede := tool(t)
	const slow = 300 * time.Millisecond
	late := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		time.Sleep(slow)
		upstream.Answer().ServeDNS(w, m)
	})
	for name, tc := range map[string]struct {
		handler dns.Handler
		args    []string
		status  int
		least   time.Duration
	}{
		"a server that is slow":   {late, nil, 0, 2 * slow},
		"a server that is silent": {upstream.Silent(), []string{"--timeout", "4s"}, 1, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			at := "@" + upstream.Start(t, upstream.Config{Handler: tc.handler}).Addr()
			began := time.Now()
			out, errs, status := ran(t, ede, append([]string{"explain", "www.example.org", at, "--json"}, tc.args...)...)
			passed := time.Since(began)
			var got struct {
				Queries      int
				Milliseconds int64 `json:"duration_ms"`
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil || status != tc.status {
				t.Fatalf("status %d, %v:\n%s%s", status, err, out, errs)
			}
			if took := time.Duration(got.Milliseconds) * time.Millisecond; took < tc.least || took > passed || got.Queries < 2 {
				t.Errorf("%d queries in %s, of %s that passed; want at least %s", got.Queries, took, passed, tc.least)
			}
		})
	}
}
