// Package reach_test has those who get no explanation without more ado: clients without
// EDNS, the Pods behind the addresses, and the answers that did not fail. CoreDNS, its
// clients and its upstreams are real.
package reach_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	_ "github.com/seed-1b7246af/coredns-ede"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

const (
	servfail = dns.RcodeServerFailure
	refused  = dns.RcodeRefused

	// patience is how long a condition is waited for on a busy machine.
	patience = 30 * time.Second
)

// init puts ede where cmd/coredns puts it.
func init() {
	place := slices.Index(dnsserver.Directives, "dnstap")
	dnsserver.Directives = slices.Insert(dnsserver.Directives, place+1, "ede")
}

// here is a server block for UDP and TCP.
func here(lines ...string) string {
	return ".:0 {\n bind 127.0.0.1\n " + strings.Join(lines, "\n ") + "\n}\n"
}

func ede(code uint16, text string) dns.EDNS0_EDE {
	return dns.EDNS0_EDE{InfoCode: code, ExtraText: text}
}

// said starts an upstream that says what h says.
func said(t testing.TB, h dns.Handler) *upstream.Server {
	t.Helper()
	return upstream.Start(t, upstream.Config{Handler: h})
}

// counted is the sum of a counter's series that have this value for a label.
func counted(t testing.TB, name, label, value string) (sum float64) {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetName() == label && l.GetValue() == value {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// edes are the Extended DNS Errors of m, for example "9 no key".
func edes(m *dns.Msg) string {
	var all []string
	for _, e := range server.ExtendedErrors(m) {
		all = append(all, strings.TrimSpace(fmt.Sprint(e.InfoCode, " ", e.ExtraText)))
	}
	return strings.Join(all, "; ")
}

// withOPT are the queries for name that came to u with an OPT record.
func withOPT(u *upstream.Server, name string) (queries []*dns.Msg) {
	for _, m := range u.Seen() {
		if len(m.Question) == 1 && m.Question[0].Name == name && m.IsEdns0() != nil {
			queries = append(queries, m)
		}
	}
	return queries
}

// write writes a file.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
