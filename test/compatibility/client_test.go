//go:build linux

package compatibility_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/test/certificate"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// The names that clients ask for, by what becomes of them.
const (
	succeeds = "works.example.org"
	fails    = "closed.example.org"
	blocked  = "blocked.example.org"
)

// serve starts CoreDNS at both addresses of a host, over all transports, with or
// without ede.
func serve(t *testing.T, at host, directive string) {
	t.Helper()
	certFile, keyFile := certificate.New(t).Files(t)
	block := func(name, plugins string) string {
		return fmt.Sprintf(`%[1]s:53 tls://%[1]s:853 https://%[1]s:443 quic://%[1]s:853 {
			bind %[2]s %[3]s
			tls %[4]s %[5]s
			%[6]s
			%[7]s
		}
		`, name, at.ipv4, at.ipv6, certFile, keyFile, directive, plugins)
	}
	server.Start(t, block(succeeds, "template IN A {\nanswer \"{{ .Name }} 60 IN A 192.0.2.1\"\n}")+
		block(fails, "forward . 127.0.0.9\n")+
		block(blocked, "acl {\nblock\n}")+
		block(".", "template ANY ANY {\nrcode NOERROR\n}"))
}

// explanation is a line of output that has the EDE.
var explanation = regexp.MustCompile(`(?m)^.*\bEDE\b.*$`)

var rcode = regexp.MustCompile(`NOERROR|SERVFAIL|REFUSED`)

// result is what matters of an output in addition to the explanation.
func result(output string) string {
	switch {
	case rcode.MatchString(output):
		return rcode.FindString(output)
	case strings.Contains(output, "192.0.2.1"):
		return "192.0.2.1"
	}
	return strings.TrimSpace(strings.TrimPrefix(output, ";; "))
}

// compare asks for a name with ede and without, and returns what the client
// shows with ede.
func (w way) compare(t *testing.T, with, without, name string) string {
	t.Helper()
	output, status := w.ask(t, with, name)
	stockOutput, stockStatus := w.ask(t, without, name)
	if status != stockStatus || result(output) != result(stockOutput) {
		t.Errorf("%s at %s: status %d with ede, %d without:\n%s\n%s", name, with, status, stockStatus, output, stockOutput)
	}
	if (name == succeeds) != (result(output) == "NOERROR" || result(output) == "192.0.2.1") {
		t.Errorf("%s at %s: %q", name, with, result(output))
	}
	if line := explanation.FindString(output); line != "" {
		return "`" + line + "`"
	}
	switch said := result(output); {
	case said == "":
		return fmt.Sprintf("nothing, status %d", status)
	case rcode.MatchString(said):
		return said
	default:
		return "`" + said + "`"
	}
}

// cells asks over IPv4 and, where the way allows, IPv6, which have to show the
// same.
func (w way) cells(t *testing.T) string {
	t.Helper()
	show := func(with, without string) string {
		if shown := w.compare(t, with, without, succeeds); strings.Contains(shown, "EDE") {
			t.Errorf("a name that resolves has %s", shown)
		}
		return fmt.Sprintf("| %s | %s |", w.compare(t, with, without, fails), w.compare(t, with, without, blocked))
	}
	cells := show(explained.ipv4, stock.ipv4)
	if !w.onlyIPv4 {
		if six := show(explained.ipv6, stock.ipv6); six != cells {
			t.Errorf("over IPv4 %s, over IPv6 %s", cells, six)
		}
	}
	return cells
}

// clients asks by all ways. Those of one client that show the same are one line.
func clients(t *testing.T) []row {
	serve(t, explained, "ede")
	serve(t, stock, "")
	var rows []row
	for _, w := range ways(t) {
		t.Run(w.client+" over "+w.transport, func(t *testing.T) {
			cells, version := w.cells(t), w.version(t)
			if last := len(rows) - 1; last >= 0 && rows[last].name == w.client && strings.HasSuffix(rows[last].cells, cells) {
				rows[last].cells = strings.Replace(rows[last].cells, " "+cells, ", "+w.transport+" "+cells, 1)
				return
			}
			rows = append(rows, row{w.client, version, "| " + w.transport + " " + cells})
		})
	}
	return rows
}
