package explain

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose"
)

// A server that lives and gets nothing from others is told from one that is gone.
func TestAServerWithoutAWayOutIsTold(t *testing.T) {
	over := func(_ context.Context, m *dns.Msg) (*dns.Msg, error) {
		if m.RecursionDesired {
			return nil, os.ErrDeadlineExceeded
		}
		return new(dns.Msg).SetReply(m), nil
	}
	r := diagnose.Resolver{Name: "192.0.2.53", Exchange: over, UDP: over, TCP: over}
	q := dns.Question{Name: "www.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
	cmd := new(cobra.Command)
	cmd.SetContext(t.Context())
	f, _ := options{asJSON: true}.explain(cmd, &diagnose.Engine{Now: time.Now}, r, r, q)
	if f.Outcome != diagnose.Explained || !strings.Contains(f.Text, "its own connection to the Internet may be down") || !strings.Contains(f.Verdict.Advice, "connection to the Internet") {
		t.Errorf("%s: %s; %s", f.Outcome, f.Text, f.Verdict.Advice)
	}
}
