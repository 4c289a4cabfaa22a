//go:build linux

package compatibility_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// The zones that are asked for: a sound one, one with an expired signature, and
// one whose delegation leads to an address where nobody listens.
const (
	soundZone, bogusZone, lostZone = "valid", "expired", "unreachable"
	nobody, elsewhere              = "127.0.53.9", "127.0.53.3"
)

const day = 24 * time.Hour

// plant serves the tree.
func plant(t *testing.T) resolver.Root {
	t.Helper()
	var lost *bed.Zone
	b := bed.New(t, time.Now(),
		bed.Case{Name: soundZone},
		bed.Case{Name: bogusZone, After: bed.Times(dns.TypeA, -40*day, -10*day)},
		bed.Case{Name: lostZone, Before: bed.Unsigned, After: func(z *bed.Zone) { lost, z.Address = z, nobody }},
	)
	lost.Address = elsewhere // it is delegated by now
	b.Listen(t, 53)
	return resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()}
}

// seen is an answer and what the log says of it.
type seen struct {
	rcode string
	codes []uint16
	texts []string
	cause string
}

func (s seen) String() string {
	cell := s.rcode
	for _, code := range s.codes {
		cell += fmt.Sprintf(" %d", code)
	}
	if s.cause != "" {
		cell += " `" + s.cause + "`"
	}
	return cell
}

// ask asks CoreDNS for www in a zone, with interest in reasons.
func ask(t *testing.T, address, zone string) (*dns.Msg, seen) {
	t.Helper()
	m := server.Message("www."+zone+"."+bed.TLD, dns.TypeA, server.EDNS())
	m.AuthenticatedData = true
	r := server.Query(t, address, "udp", m)
	s := seen{rcode: dns.RcodeToString[r.Rcode]}
	for _, e := range server.ExtendedErrors(r) {
		s.codes, s.texts = append(s.codes, e.InfoCode), append(s.texts, e.ExtraText)
	}
	return m, s
}

// front is CoreDNS between a client and a peer, with ede and without.
type front struct {
	logs          *server.Logs
	with, without *server.Server
}

func before(t *testing.T, logs *server.Logs, upstream, options, more string) front {
	t.Helper()
	const corefile = `.:0 {
		bind 127.0.0.1
		%s
		cache {
			servfail 30s
		}
		forward . %s {
			max_fails 0
			%s
		}
	}`
	ede := fmt.Sprintf("ede {\ntext full\nlog all\n%s\n}", options)
	return front{logs, server.Start(t, fmt.Sprintf(corefile, ede, upstream, more)),
		server.Start(t, fmt.Sprintf(corefile, "", upstream, more))}
}

// ask asks with ede and without, holds the two rcodes to be one, and adds what
// the log has.
func (f front) ask(t *testing.T, zone string) seen {
	t.Helper()
	m, s := ask(t, f.with.UDP(), zone)
	if _, stock := ask(t, f.without.UDP(), zone); stock.rcode != s.rcode {
		t.Errorf("%s: %s with ede, %s without", zone, s.rcode, stock.rcode)
	}
	if s.rcode == "SERVFAIL" || s.rcode == "REFUSED" {
		line := f.logs.WaitFor(t, fmt.Sprintf(" id=%d ", m.Id), 10*time.Second)
		_, s.cause, _ = strings.Cut(line, " cause=")
		s.cause, _, _ = strings.Cut(s.cause, " ")
	}
	return s
}

// diagnosing writes the properties for a diagnosis in the tree of the test.
func diagnosing(t *testing.T, tree resolver.Root) string {
	t.Helper()
	var anchors strings.Builder
	for _, rr := range tree.Anchor {
		anchors.WriteString(rr.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(file, []byte(anchors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return "diagnose {\nwait 2s\ntrust_anchor " + file + "\n}"
}

var source = regexp.MustCompile(`from (upstream|127\.0\.0\.1:)`)

// behaviour is a line of the table of upstreams.
type behaviour struct {
	bogus, lost, refusal, diagnosed seen
}

func (p peer) observe(t *testing.T, logs *server.Logs, tree resolver.Root) behaviour {
	t.Helper()
	upstream := p.start(t, tree)
	f := before(t, logs, upstream, "", "")
	if s := f.ask(t, soundZone); s.rcode != "NOERROR" || len(s.codes) > 0 {
		t.Errorf("a name that resolves: %v", s)
	}
	b := behaviour{bogus: f.ask(t, bogusZone), lost: f.ask(t, lostZone)}
	for zone, first := range map[string]seen{bogusZone: b.bogus, lostZone: b.lost} {
		again := f.ask(t, zone)
		if again.cause != first.cause || !slices.Equal(again.codes, first.codes) {
			t.Errorf("%s: %v, and from cache %v", zone, first, again)
		}
		for _, text := range again.texts {
			if len(source.FindAllString(text, -1)) > 1 {
				t.Errorf("%s: the source is named more than once: %q", zone, text)
			}
		}
	}
	refusing := upstream
	if p.startRefusing != nil {
		refusing = p.startRefusing(t, tree)
	}
	b.refusal = before(t, logs, refusing, "", "source_address "+refused).ask(t, soundZone)
	// A code that is the same as the one found here stays the upstream's. A resolver in between
	// keeps that of the first answer for some seconds; from its cache Unbound says 6.
	for deadline := time.Now().Add(12 * time.Second); ; {
		b.diagnosed = before(t, logs, upstream, diagnosing(t, tree), "").ask(t, bogusZone)
		if b.diagnosed.cause != "upstream_ede" || time.Now().After(deadline) {
			break
		}
	}
	if len(b.diagnosed.codes) == 0 || b.diagnosed.codes[0] != dns.ExtendedErrorCodeSignatureExpired {
		t.Errorf("diagnosed as %v, want 7 first", b.diagnosed)
	}
	return b
}

// row is the line of the table of upstreams.
func (p peer) row(t *testing.T, b behaviour) row {
	return row{p.name, p.version(t), fmt.Sprintf("| %s | %s | %s | %s |", b.bogus, b.lost, b.refusal, b.diagnosed)}
}

// upstreams observes the peers, once more where a busy machine had one answer
// too late to be what the document has.
func upstreams(t *testing.T, logs *server.Logs, document string) []row {
	tree := plant(t)
	rows := make([]row, len(peers))
	t.Run("upstreams", func(t *testing.T) {
		for i, p := range peers {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				for range tries {
					rows[i] = p.row(t, p.observe(t, logs, tree))
					if rows[i].in(document) {
						return
					}
				}
			})
		}
	})
	return rows
}

const tries = 5
