package overheard

import (
	"errors"
	"net"
	"regexp"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// pairs are what client-go adds behind its errors: logger="UnhandledError"
// reflector="..." (plugin/kubernetes/logger.go sprint).
var pairs = regexp.MustCompile(`( [A-Za-z]+=("([^"\\]|\\.)*"|[^ "]*))+$`)

// worded is the line without what tells nobody anything.
func worded(plugin, line string) string {
	if plugin == "kubernetes" {
		return pairs.ReplaceAllString(line, "")
	}
	return line
}

// subjects are who speaks, plugin or Transfers, and what about. A failed question for the
// serial of a zone is logged with no more than the address of the primary.
func subjects(plugin, text string, values []any) (speaker string, abouts []string) {
	abouts = zonesIn(values)
	if plugin == "file" {
		peer := peerIn(values)
		if len(abouts) == 0 && peer != "" {
			return Transfers, []string{peer}
		}
		if strings.Contains(text, " transfer ") {
			return Transfers, abouts
		}
	}
	if len(abouts) == 0 {
		abouts = []string{""}
	}
	return plugin, abouts
}

// zonesIn are the zones that a line is about: the first value that was put into it, if
// that is a zone or several. CoreDNS writes the origin first wherever it names one.
func zonesIn(values []any) []string {
	if len(values) == 0 {
		return nil
	}
	var zones []string
	switch first := values[0].(type) {
	case string:
		zones = []string{first}
	case []string:
		zones = first[:min(len(first), maxZones)]
	}
	for i, z := range zones {
		if _, ok := dns.IsDomainName(z); !ok || !strings.HasSuffix(z, ".") {
			return nil
		}
		if i == 0 {
			zones = append([]string(nil), zones...)
		}
		zones[i] = strings.ToLower(z)
	}
	return zones
}

// peerIn is the address of the other server in an error of the network, or "".
func peerIn(values []any) string {
	for _, v := range values {
		err, ok := v.(error)
		if !ok {
			continue
		}
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
			return op.Addr.String()
		}
	}
	return ""
}

// reasons are told by words: what client-go logs, and what errors wrap, is text. A line
// has words that others chose, as the path of a file, so that a reason is no more than a
// hint, and the whole line follows it where it may be read.
var reasons = []struct {
	words  string
	reason evidence.Reason
}{
	{" is forbidden: ", evidence.Forbidden},
	{"Unauthorized", evidence.Forbidden},
	{"permission denied", evidence.Forbidden},
	{"bad xfr rcode", evidence.TransferRefused}, // miekg/dns xfr.go
	{"no such file or directory", evidence.NoFile},
	{"no such host", evidence.NoHost},
	{"x509: ", evidence.Untrusted},
	{"tls: ", evidence.Untrusted},
	{"connection refused", evidence.NotListening},
	{"no route to host", evidence.NoRoute},
	{"network is unreachable", evidence.NoRoute},
	{"i/o timeout", evidence.Silent},
	{"deadline exceeded", evidence.Silent},
	{"connection reset by peer", evidence.HungUp},
	{"EOF", evidence.HungUp},
}

func reasonOf(text string, values []any) evidence.Reason {
	for _, v := range values {
		if err, ok := v.(error); ok {
			if _, ok := errors.AsType[*dns.ParseError](err); ok {
				return evidence.Unreadable
			}
		}
	}
	for _, r := range reasons {
		if strings.Contains(text, r.words) {
			if r.reason == evidence.Silent && strings.Contains(text, " tcp ") {
				return evidence.SilentOverTCP
			}
			return r.reason
		}
	}
	return evidence.NoReason
}
