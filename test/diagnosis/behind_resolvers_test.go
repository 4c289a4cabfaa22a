package diagnosis_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/diagnose/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// diagnosing is a server that forwards to a resolver and waits for diagnoses.
func diagnosing(t *testing.T, b *bed.Bed, upstreams, more string) *server.Server {
	t.Helper()
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		anchors.WriteString(rr.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(file, []byte(anchors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.Start(t, fmt.Sprintf(`.:0 {
		bind 127.0.0.1
		ede {
			log all
			diagnose {
				rate 1000 16
				wait 2s
				trust_anchor %s
				%s
			}
		}
		forward . %s
	}`, file, more, upstreams))
}

// Zones that the test signs itself, each with one fault, behind resolvers that
// validate and do not say why: the first answer has the code of the fault, and
// clean zones have none.
func TestAForwarderNamesTheFaultThatItsValidatingUpstreamKeepsToItself(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	for _, r := range []struct {
		resolver.Resolver
		// closed are the cases whose data the resolver keeps to itself even
		// with CD=1, so that nothing can be said.
		closed []string
	}{
		{resolver.BIND, nil},
		{resolver.Unbound, nil},
		{resolver.PowerDNS, []string{
			"dnskey-timeout", "dnskey-refused", "dnskey-servfail", "nsec3-missing", "bad-nsec3-hash", "bad-nsec3-next",
			"bad-nsec3-salt", "bad-nsec3-rrsig", "nsec3-rrsig-missing", "nsec3param-missing", "nsec-missing",
		}},
		{resolver.Knot, nil},
	} {
		t.Run(r.Name, func(t *testing.T) {
			b := bed.New(t, time.Now())
			b.Listen(t, 53)
			upstream := r.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
			s := diagnosing(t, b, upstream, "")
			explained, failing := 0, 0
			for _, c := range b.Cases() {
				q := c.Question()
				reply := server.Ask(t, s.UDP(), q.Name, q.Qtype, server.EDNS())
				codes := codesOf(reply)
				for range 3 {
					// A resolver may try for longer than forward waits; that is
					// a time-out then, and the truth.
					if len(codes) == 0 || codes[0] != 23 || slices.Contains(c.Expected, 23) {
						break
					}
					reply = server.Ask(t, s.UDP(), q.Name, q.Qtype, server.EDNS())
					codes = codesOf(reply)
				}
				if reply.Rcode != dns.RcodeServerFailure {
					if len(codes) > 0 {
						t.Errorf("%s: %s with %v", c.Name, dns.RcodeToString[reply.Rcode], codes)
					}
					continue
				}
				if slices.Contains(r.closed, c.Name) {
					if len(codes) != 1 || codes[0] != 0 {
						t.Errorf("%s: codes %v, want the generic 0: has %s opened up?", c.Name, codes, r.Name)
					}
					continue
				}
				failing++
				if len(c.Expected) == 0 {
					// The resolver's own limits, as with many iterations.
					t.Logf("%s fails here, with %v", c.Name, codes)
				}
				if len(codes) > 0 && slices.Contains(c.Expected, codes[0]) {
					explained++
				} else {
					t.Logf("%s: first code of %v is none of %v", c.Name, codes, c.Expected)
				}
				for _, code := range codes {
					if code != 0 && !slices.Contains(c.Expected, code) && !slices.Contains(c.AlsoTrue, code) {
						t.Errorf("%s: %d is not true, of %v", c.Name, code, codes)
					}
				}
			}
			t.Logf("%d of %d failing cases have an expected code first", explained, failing)
			if failing == 0 || explained < failing {
				t.Errorf("%d of %d failing cases have an expected code first, want all", explained, failing)
			}
		})
	}
}

func codesOf(m *dns.Msg) []uint16 {
	var codes []uint16
	for _, e := range server.ExtendedErrors(m) {
		codes = append(codes, e.InfoCode)
	}
	return codes
}
