package runbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// signatures are of a zone whose signature has expired, behind a BIND that
// validates and does not say why it fails.
func (s *stage) signatures(t *testing.T) {
	s.enter(t)
	b := zones(t, time.Now(), "rrsig-exp-a")
	b.Listen(t, 53)
	s.diagnosing(t, b, resolver.BIND.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()}))
	s.scene("dnssec",
		step{command: dig("www.rrsig-exp-a.edetest"), log: "cause=upstream_servfail qname=www.rrsig-exp-a.edetest."},
		step{command: dig("www.rrsig-exp-a.edetest"), log: "cause=dnssec_signature_expired qtype=A sent=true", repeat: true})
	// The diagnosis has a line of its own before the failure that knows it.
	found := s.back(folded(s.logs.WaitFor(t, "diagnosis cause=dnssec_signature_expired", patience)))
	s.out["dnssec"] = strings.Replace(s.out["dnssec"], "\n$ dig", found+"\n\n$ dig", 1)
}

// clock is a machine whose clock is a quarter of a year ahead: the zones are
// signed for then. No resolver starts on such a machine, so that one is played:
// it fails what does not validate, and gives it to those who validate themselves.
func (s *stage) clock(t *testing.T) {
	s.enter(t)
	b := zones(t, time.Now().AddDate(0, -3, 0), "valid")
	exchange := b.Exchange()
	played := upstream.Start(t, upstream.Config{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		if q.CheckingDisabled {
			if m, err := exchange(t.Context(), q.Question[0]); err == nil {
				reply.Rcode, reply.Answer, reply.Ns, reply.Extra = m.Rcode, m.Answer, m.Ns, m.Extra
			}
		}
		reply.RecursionAvailable, reply.CheckingDisabled = true, q.CheckingDisabled
		if o := q.IsEdns0(); o != nil {
			reply.SetEdns0(dns.DefaultMsgSize, o.Do())
		}
		_ = w.WriteMsg(reply)
	})})
	s.diagnosing(t, b, played.Addr())
	s.scene("clock", step{command: dig("www.valid.edetest"), log: "cause=clock_wrong sent=true", repeat: true})
}

// zones is a tree with one case of the bed, signed as of now.
func zones(t *testing.T, now time.Time, name string) *bed.Bed {
	t.Helper()
	cases := bed.All()
	i := slices.IndexFunc(cases, func(c bed.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no case %s", name)
	}
	return bed.New(t, now, cases[i])
}

// diagnosing starts a server that diagnoses what a resolver fails of the zones.
func (s *stage) diagnosing(t *testing.T, b *bed.Bed, resolver string) {
	t.Helper()
	_, s.ports["1054"], _ = strings.Cut(resolver, ":")
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		anchors.WriteString(rr.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(file, []byte(anchors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	server.Start(t, s.here(fmt.Sprintf(`
.:1053 {
    bind 127.0.0.1
    ede {
        diagnose {
            trust_anchor %s
        }
    }
    forward . 127.0.0.1:1054
}
`, file)))
}
