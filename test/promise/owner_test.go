package promise_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// field returns the value of a key in a line of ede, "" without one.
func field(line, key string) string {
	m := regexp.MustCompile(` ` + key + `=("(?:[^"\\]|\\.)*"|\S*)`).FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	return strings.Trim(m[1], `"`)
}

// lineOf waits for the line of ede about m.
func lineOf(t *testing.T, logs *server.Logs, m *dns.Msg) string {
	t.Helper()
	return logs.WaitForFunc(t, func(line string) bool {
		return strings.HasPrefix(line, "[INFO] plugin/ede: rcode=") && field(line, "id") == fmt.Sprint(m.Id) && field(line, "qname") == m.Question[0].Name
	}, patience)
}

func codesOf(m *dns.Msg) (codes []uint16) {
	for _, e := range server.ExtendedErrors(m) {
		codes = append(codes, e.InfoCode)
	}
	return codes
}

// told is what is to be told of a failure: fields of the log line, of which those
// in not must be otherwise, and codes in the answer, or not in it.
type told struct {
	name    string
	plugins func(*testing.T) string
	// again is true where the question is asked twice, and the second answer is
	// looked at.
	again       bool
	rcode       int
	fields, not map[string]string
	has, lacks  []uint16
	// text has to be in the line's text.
	text []string
}

// ofWhom are failures next to plugins that CoreDNS does not ship. The failure
// belongs to the plugin that made it, and what an upstream said to that upstream.
var ofWhom = []told{
	{
		name: "rewrite makes SERVFAIL of an answer", rcode: servfail,
		plugins: forwarding(upstream.Answer(), "rewrite stop {\n rcode regex (.*) NOERROR SERVFAIL\n }"),
		fields:  map[string]string{"at": "rewrite", "owner": "us"}, text: []string{"NOERROR", "SERVFAIL"},
	},
	{
		name: "rewrite makes REFUSED of an answer below cache", rcode: refused,
		plugins: forwarding(upstream.Answer(), steady, "rewrite stop {\n rcode regex (.*) NOERROR REFUSED\n }"),
		fields:  map[string]string{"at": "rewrite", "owner": "us"},
	},
	{
		name: "rewrite makes REFUSED of an upstream's SERVFAIL", rcode: refused,
		plugins: forwarding(reasoned(), "rewrite stop {\n rcode regex (.*) SERVFAIL REFUSED\n }"),
		fields:  map[string]string{"at": "rewrite", "owner": "us"}, text: []string{"SERVFAIL", "REFUSED"}, has: []uint16{6},
	},
	{
		name: "relabel makes SERVFAIL of an answer", rcode: servfail,
		plugins: forwarding(upstream.Answer(), "relabel NOERROR SERVFAIL"),
		fields:  map[string]string{"at": "relabel", "owner": "us"}, text: []string{"NOERROR", "SERVFAIL"},
	},
	{
		name: "relabel makes SERVFAIL of an answer from cache", rcode: servfail, again: true,
		plugins: forwarding(upstream.Answer(), "relabel NOERROR SERVFAIL", steady),
		fields:  map[string]string{"at": "relabel", "owner": "us"}, not: map[string]string{"cause": "cached_failure"}, lacks: []uint16{13},
	},
	{
		name: "relabel makes REFUSED of an upstream's SERVFAIL", rcode: refused,
		plugins: forwarding(reasoned(), "relabel SERVFAIL REFUSED"),
		fields:  map[string]string{"at": "relabel", "owner": "us"}, has: []uint16{6},
	},
	{
		name: "relabel makes REFUSED of an upstream's NXDOMAIN", rcode: refused,
		plugins: forwarding(upstream.Rcode(dns.RcodeNameError, true), "relabel NXDOMAIN REFUSED"),
		fields:  map[string]string{"at": "relabel", "owner": "us"}, not: map[string]string{"cause": "upstream_refused"},
	},
	{
		name: "a firewall refuses an answer", rcode: refused,
		plugins: forwarding(upstream.Answer(), "firewall NOERROR REFUSED"),
		fields:  map[string]string{"at": "firewall", "owner": "us"}, not: map[string]string{"cause": "upstream_refused"},
	},
	{
		name: "a firewall refuses an answer from cache", rcode: refused, again: true,
		plugins: forwarding(upstream.Answer(), "firewall NOERROR REFUSED", steady),
		fields:  map[string]string{"at": "firewall", "owner": "us"}, lacks: []uint16{13},
	},
	{
		name: "alternate gives the other upstream's reason", rcode: refused,
		plugins: elsewhere("SERVFAIL", upstream.Config{Handler: upstream.Rcode(refused, true, ede(18, "elsewhere"))}),
		fields:  map[string]string{"at": "alternate"}, has: []uint16{18}, lacks: []uint16{6, 22},
	},
	{
		name: "alternate gives another SERVFAIL without a reason", rcode: servfail,
		plugins: elsewhere("SERVFAIL", upstream.Config{Handler: upstream.Rcode(servfail, true)}),
		fields:  map[string]string{"at": "alternate"}, lacks: []uint16{6, 22},
	},
	{
		name: "alternate gives another reason above a cached failure", rcode: refused, again: true,
		plugins: func(t *testing.T) string {
			other := said(t, upstream.Rcode(refused, true, ede(18, "elsewhere")))
			return forwarding(reasoned(), "alternate SERVFAIL "+other, steady)(t)
		},
		fields: map[string]string{"at": "alternate"}, has: []uint16{18}, lacks: []uint16{6, 13, 22},
	},
	{
		name: "a plugin panics before it asks the next one", rcode: servfail,
		plugins: forwarding(upstream.Answer(), "panicker before"), fields: map[string]string{"at": "panicker", "cause": "panic"},
	},
	{
		name: "a plugin panics once the next one has answered", rcode: servfail,
		plugins: forwarding(upstream.Answer(), "panicker after"), fields: map[string]string{"at": "panicker", "cause": "panic"},
	},
	{
		name: "a plugin panics once the next one has failed", rcode: servfail,
		plugins: dead("panicker after", "rewrite name suffix .example.org .example.net"), fields: map[string]string{"at": "panicker", "cause": "panic"},
	},
	{
		name: "a firewall panics over a failure that was returned", rcode: servfail,
		plugins: lines("firewall NOERROR REFUSED\nshape returned SERVFAIL"), fields: map[string]string{"at": "firewall", "cause": "panic"},
	},
	{
		name: "another forwarder runs out of time", rcode: servfail,
		plugins: func(t *testing.T) string { return "forwarder patient " + said(t, upstream.Silent()) },
		fields:  map[string]string{"at": "forwarder", "owner": "upstream"}, not: map[string]string{"cause": "unknown"},
	},
	{
		name: "another forwarder has no healthy upstream", rcode: servfail,
		plugins: func(t *testing.T) string { return "forwarder hasty " + upstream.Closed(t) },
		fields:  map[string]string{"at": "forwarder", "owner": "upstream"}, not: map[string]string{"cause": "unknown"},
	},
	{
		name: "another forwarder passes on its upstream's reasons", rcode: servfail,
		plugins: func(t *testing.T) string { return "forwarder patient " + said(t, reasoned()) },
		fields:  map[string]string{"at": "forwarder", "owner": "unknown"}, has: []uint16{6}, // hearsay proves nothing
	},
	{
		name: "k8s_gateway is not synced", rcode: servfail, plugins: lines("k8s_gateway"),
		fields: map[string]string{"at": "k8s_gateway", "cause": "backend_not_ready"}, has: []uint16{14},
	},
	{
		name: "kubernetai is not synced", rcode: servfail, plugins: lines("kubernetai"),
		fields: map[string]string{"at": "kubernetai", "cause": "backend_not_ready"}, has: []uint16{14},
	},
	{
		name: "a blocklist writes a refusal", rcode: refused, plugins: lines("blocklist written"),
		fields: map[string]string{"at": "blocklist", "owner": "us"}, not: map[string]string{"cause": "unknown"}, has: []uint16{0},
	},
	{
		name: "a blocklist writes a refusal and returns it", rcode: refused, plugins: lines("blocklist doubled"),
		fields: map[string]string{"at": "blocklist", "owner": "us"}, not: map[string]string{"cause": "unknown"}, has: []uint16{0},
	},
	{
		name: "a blocklist returns a refusal", rcode: refused, plugins: lines("blocklist returned"),
		fields: map[string]string{"at": "blocklist", "owner": "us"}, not: map[string]string{"cause": "unknown"}, has: []uint16{0},
	},
}

func TestAFailureBelongsToWhoMadeIt(t *testing.T) {
	logs := server.Capture(t)
	for i, tc := range ofWhom {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			plugins := tc.plugins(t)
			s := server.Start(t, here("ede {\n log all\n text full\n }", plugins))
			name := fmt.Sprintf("owner%d.example.org.", i)
			if tc.again {
				server.Query(t, s.UDP(), "udp", interest(name))
			}
			m := interest(name)
			r := server.Query(t, s.UDP(), "udp", m)
			line := lineOf(t, logs, m)
			var wrong []string
			if r.Rcode != tc.rcode {
				wrong = append(wrong, fmt.Sprintf("the answer is %s, want %s", dns.RcodeToString[r.Rcode], dns.RcodeToString[tc.rcode]))
			}
			for key, want := range tc.fields {
				if got := field(line, key); got != want {
					wrong = append(wrong, fmt.Sprintf("%s=%q is logged, want %q", key, got, want))
				}
			}
			for key, forbidden := range tc.not {
				if field(line, key) == forbidden {
					wrong = append(wrong, fmt.Sprintf("%s=%q is logged, which is not so", key, forbidden))
				}
			}
			for _, word := range tc.text {
				if !strings.Contains(field(line, "text"), word) {
					wrong = append(wrong, fmt.Sprintf("text=%q lacks %q", field(line, "text"), word))
				}
			}
			codes := codesOf(r)
			for _, code := range tc.has {
				if !slices.Contains(codes, code) {
					wrong = append(wrong, fmt.Sprintf("the answer has the EDEs %v and not %d", codes, code))
				}
			}
			for _, code := range tc.lacks {
				if slices.Contains(codes, code) {
					wrong = append(wrong, fmt.Sprintf("the answer has the EDEs %v, of which %d is somebody else's", codes, code))
				}
			}
			if wrong != nil {
				t.Errorf("%s\nblock:\n%s\nline:\n%s\nanswer:\n%v", strings.Join(wrong, "\n"), plugins, line, r)
			}
		})
	}
}
