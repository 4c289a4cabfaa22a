//go:build !coredns1.14

package record

import (
	"bytes"
	"encoding/json"
	golog "log"
	"strings"
	"testing"

	"github.com/miekg/dns"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

func TestInJSONALineIsOneObjectOfTheNameEde(t *testing.T) {
	var b bytes.Buffer
	before, flags := golog.Writer(), golog.Flags()
	if err := clog.Configure("json", &b); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = clog.Configure("text", before)
		golog.SetFlags(flags)
	})
	q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	new(pen).write("", fieldsOf(nil, &Failure{Verdict: refused, Rcode: dns.RcodeServerFailure, Question: q, Asked: q, Sent: SentYes}, ClientFull))
	new(pen).write("recovered", recoveredFields(incident.Incident{ID: incident.ID{Cause: "upstream_timeout"}, Count: 3}))
	var messages []any
	for line := range strings.Lines(b.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if object["plugin"] != "ede" || object["level"] != "INFO" {
			t.Errorf("%q", line)
		}
		messages = append(messages, object["msg"])
	}
	if len(messages) != 2 || messages[0] != "failure" || messages[1] != "recovered" {
		t.Errorf("messages %v", messages)
	}
}
