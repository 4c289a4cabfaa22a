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

	"github.com/seed-1b7246af/coredns-ede/test/bed"
	"github.com/seed-1b7246af/coredns-ede/test/resolver"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// anchorFile writes the trust anchor of a bed.
func anchorFile(t *testing.T, b *bed.Bed) string {
	t.Helper()
	var anchors strings.Builder
	for _, rr := range b.Anchor() {
		anchors.WriteString(rr.String() + "\n")
	}
	file := filepath.Join(t.TempDir(), "anchors")
	if err := os.WriteFile(file, []byte(anchors.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// diagnosing is a server that forwards to a resolver and waits for diagnoses.
func diagnosing(t *testing.T, b *bed.Bed, upstreams, more string) *server.Server {
	t.Helper()
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
	}`, anchorFile(t, b), more, upstreams))
}

// behind are the resolvers, and how many cases each may keep to itself: data that
// it does not give even with CD=1, or something else in its place, so that nothing
// can be said by what it gives. docs/diagnosis.md has the reasons.
var behind = []struct {
	resolver.Resolver
	withheld int
}{
	{resolver.BIND, 9},
	{resolver.Unbound, 1},
	{resolver.PowerDNS, 30},
	{resolver.Knot, 14},
}

// Zones that the test signs itself, each with one fault, behind resolvers that
// validate and do not say why: the first answer has the code of the fault, clean
// zones have none, and where the resolver keeps the data to itself nothing is
// claimed, unless the zones' own servers may be asked.
func TestAForwarderNamesTheFaultThatItsValidatingUpstreamKeepsToItself(t *testing.T) {
	if testing.Short() {
		t.Skip("starts resolvers")
	}
	for _, r := range behind {
		t.Run(r.Name, func(t *testing.T) {
			t.Run("by what it gives", func(t *testing.T) {
				undecided := judgeAll(t, r.Resolver, "", 1)
				if len(undecided) > r.withheld {
					t.Errorf("%d cases are undecided, want at most %d", len(undecided), r.withheld)
				}
			})
			t.Run("and by what the zones' servers give", func(t *testing.T) {
				// A busy machine may take longer than an answer may be held.
				for _, c := range judgeAll(t, r.Resolver, "delegation 127.0.53.0/24", 6) {
					t.Errorf("%s is undecided", c.Name)
				}
			})
		})
	}
}

// judgeAll asks for all cases, through a server with more in its diagnose block
// and a resolver that has nothing in its cache, and returns those that are still
// undecided when asked again, up to tries times.
func judgeAll(t *testing.T, r resolver.Resolver, more string, tries int) []bed.Case {
	t.Helper()
	// As in the public tree there is com., from whose denials no cache makes answers: without
	// it a diagnosis may take two seconds longer than an answer is held.
	large := bed.Case{Name: "valid-with-com", Children: func(b *bed.Bed, _ *bed.Zone) {
		com := b.Zone("com.")
		com.Unsigned = true
		com.Sign()
		b.Delegate(b.Root, com, nil)
	}}
	b := bed.New(t, time.Now(), append(bed.All(), large)...)
	b.Listen(t, 53)
	upstream := r.Start(t, resolver.Root{Hints: b.RootHints(), Anchor: b.Anchor()})
	logs := server.Capture(t)
	s := diagnosing(t, b, upstream, more)
	first := tally{}
	for _, c := range b.Cases() {
		first.judge(t, s, c)
	}
	t.Log(figures(logs.Lines()))
	t.Logf("%d failing cases, %d with an expected code first, undecided: %s", first.failing, first.explained, namesOf(first.undecided))
	if first.explained == 0 {
		t.Error("none is explained")
	}
	undecided := first.undecided
	for range tries - 1 {
		again := tally{}
		for _, c := range undecided {
			again.judge(t, s, c)
		}
		undecided = again.undecided
	}
	return undecided
}

// tally counts how the failing cases behind a resolver ended.
type tally struct {
	failing, explained int
	undecided          []bed.Case
}

func (n *tally) judge(t *testing.T, s *server.Server, c bed.Case) {
	t.Helper()
	q := c.Question()
	var reply *dns.Msg
	var codes []uint16
	for range 4 {
		asked := time.Now()
		reply = server.Ask(t, s.UDP(), q.Name, q.Qtype, server.EDNS())
		codes = codesOf(reply)
		// A resolver may try for longer than forward waits; that is a time-out
		// then, and the truth. And a diagnosis may last longer on a busy machine
		// than an answer is held.
		late := len(codes) > 0 && (codes[0] == 23 || codes[0] == 0 && time.Since(asked) >= longestHold)
		if !late || slices.Contains(c.Expected, codes[0]) {
			break
		}
		t.Logf("%s: no answer in time", c.Name)
	}
	switch {
	case reply.Rcode != dns.RcodeServerFailure:
		if len(codes) > 0 {
			t.Errorf("%s: %s with %v", c.Name, dns.RcodeToString[reply.Rcode], codes)
		}
		return
	case len(c.Expected) == 0:
		// The resolver's own limits: what validates here is not called bogus.
		t.Logf("%s fails here, with %s", c.Name, texts(reply))
	default:
		n.failing++
	}
	for i, code := range codes {
		switch {
		case slices.Contains(c.Expected, code):
			if i == 0 {
				n.explained++
			}
		case code == 0 || code == 23:
			if i == 0 && len(c.Expected) > 0 {
				t.Logf("%s: undecided: %s", c.Name, texts(reply))
				n.undecided = append(n.undecided, c)
			}
		case slices.Contains(c.AlsoTrue, code):
			if i == 0 {
				t.Logf("%s: true but not the most specific: %s", c.Name, texts(reply))
			}
		default:
			t.Errorf("%s: %d is not true, of %s", c.Name, code, texts(reply))
		}
	}
}

func namesOf(cases []bed.Case) string {
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
	}
	return strings.Join(names, " ")
}

func codesOf(m *dns.Msg) []uint16 {
	var codes []uint16
	for _, e := range server.ExtendedErrors(m) {
		codes = append(codes, e.InfoCode)
	}
	return codes
}
