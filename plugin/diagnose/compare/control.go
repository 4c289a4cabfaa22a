package compare

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// ControlKind is what the control questions show of an upstream that refuses.
type ControlKind uint8

const (
	ControlUndecided ControlKind = iota // the controls were not answered
	NotRecursive                        // AA for its own zone, and refuses what is not its own
	RefusesAll                          // refuses the controls too: ACL, overload or not recursive
	RefusesTheName                      // recurses for this server: the refusal is for the name, or has passed
)

var controlNames = [...]string{"undecided", "not_recursive", "refuses_all", "refuses_the_name"}

// String returns a stable name, fit for a metric label.
func (k ControlKind) String() string {
	if int(k) < len(controlNames) {
		return controlNames[k]
	}
	return "unknown"
}

// ControlResult is what Control found.
type ControlResult struct {
	Kind ControlKind
	// Authoritative is true if the upstream answered with AA for the zone hint.
	Authoritative bool
	// Recurses is true if a refusal says that the upstream recurses (RA).
	Recurses bool
	Codes    []uint16 // RFC 8914: 20 for NotRecursive, none else
	Text     string   // one line, without the upstream's name
	FullText string
	Advice   string
	Queries  int
	// recursed are the controls that were answered with recursion.
	recursed []dns.Question
}

// controls are questions that any recursive server of the public tree answers,
// and that tell it nothing of anyone. Two, as some servers that do not recurse
// know the root's servers.
var controls = []dns.Question{
	{Name: ".", Qtype: dns.TypeNS, Qclass: dns.ClassINET},
	{Name: "arpa.", Qtype: dns.TypeSOA, Qclass: dns.ClassINET},
}

// Control asks an upstream that refused a question two control questions, and
// for the SOA of zoneHint, a zone that it may be authoritative for ("" for none).
// What the replies do not show is not claimed: an ACL, overload and a server
// that does not recurse look alike if it refuses everything.
func Control(ctx context.Context, upstream Resolver, zoneHint string) ControlResult {
	var res ControlResult
	var refused, silent, failed int
	said := make([]string, 0, len(controls)+1)
	ask := func(q dns.Question) (*dns.Msg, error) {
		res.Queries++
		m, err := upstream.Ask(ctx, q)
		said = append(said, fmt.Sprintf("%s %s: %s", q.Name, dns.Type(q.Qtype), reaction(m, err)))
		return m, err
	}
	for _, q := range controls {
		m, err := ask(q)
		switch {
		case err != nil || m == nil:
			silent++
		case m.Rcode == dns.RcodeRefused || m.Rcode == dns.RcodeNotAuth || delegates(m):
			refused++
			res.Recurses = res.Recurses || m.RecursionAvailable && !m.Authoritative
		case m.Authoritative || !m.RecursionAvailable:
			// Its own data or hints: no sign that it asks others for us.
		case !answered(m):
			// It failed: whom a storm of queries keeps busy fails this and refuses that.
			failed++
		default:
			res.recursed = append(res.recursed, q)
		}
	}
	if zone, ok := hint(zoneHint); ok && len(res.recursed) == 0 && refused > 0 && failed == 0 {
		m, err := ask(dns.Question{Name: zone, Qtype: dns.TypeSOA, Qclass: dns.ClassINET})
		res.Authoritative = err == nil && m != nil && m.Rcode == dns.RcodeSuccess && m.Authoritative && owns(m, zone)
	}
	res.decide(refused, len(res.recursed), silent, failed)
	if res.Kind == RefusesAll && res.Recurses {
		res.Text = "refuses questions for the root too, and says that it recurses: an access list, a limit, or its load"
		res.Advice = "Check the upstream's access list and its limits for this server's address. Then check its load, and that it does not forward queries back to this server."
	}
	res.FullText = shorten(upstream.Name + " " + res.Text + " (" + strings.Join(said, ", ") + ")")
	return res
}

// decide needs one recursive answer to clear the upstream, and no control
// unanswered or failed to say that it refuses all.
func (res *ControlResult) decide(refused, recursed, silent, failed int) {
	switch {
	case recursed > 0:
		res.Kind = RefusesTheName
		res.Text = "recurses for other questions: it refused this name, or the refusal has passed"
		res.Advice = "Check the upstream's policy for this name, and its rate limits."
	case refused > 0 && res.Authoritative:
		res.Kind = NotRecursive
		res.Codes = []uint16{dns.ExtendedErrorCodeNotAuthoritative}
		res.Text = "answers with authority for its own zone and refuses recursion"
		res.Advice = "Forward only its own zones to this upstream, and all else to a recursive resolver."
	case failed > 0:
		res.Text = "refused this question, and failed one for the root: its load, its own connection to the Internet, or a loop"
		res.Advice = "Find out whether the upstream forwards queries back to this server. Then look at its load, and at its own upstreams."
	case refused > 0 && silent == 0:
		res.Kind = RefusesAll
		res.Text = "refuses questions for the root too: an access list, overload, or no recursion at all"
		res.Advice = "Check that allow-query and allow-recursion of the upstream permit this server's address. Then check its load."
	default:
		res.Text = "questions for the root showed nothing"
	}
}

// Refusal is how an upstream refuses a name when it is asked again.
type Refusal uint8

const (
	RefusalUnclear Refusal = iota // not all were answered
	RefusalPassed                 // it answers the name now
	RefusalVaries                 // it refuses a control too: it does not look at the name alone
	RefusalOfName                 // it refuses the name each time, and answers the controls each time
)

// rounds is how often a name and a control are asked in turn. A limit that refuses every
// second question would let this pass once in about sixty times, after the controls that
// were answered before.
const rounds = 3

// Again asks an upstream that refused q and answered controls for both once more, in
// turn: a rate limit refuses now this and now that, a policy always the name.
func (res *ControlResult) Again(ctx context.Context, upstream Resolver, q dns.Question) Refusal {
	for i := range rounds {
		m, err := upstream.Ask(ctx, q)
		switch {
		case err != nil || m == nil:
			return RefusalUnclear
		case answered(m):
			return RefusalPassed
		case m.Rcode != dns.RcodeRefused:
			return RefusalUnclear
		}
		if len(res.recursed) == 0 {
			return RefusalUnclear
		}
		m, err = upstream.Ask(ctx, res.recursed[i%len(res.recursed)])
		switch {
		case err != nil || m == nil:
			return RefusalUnclear
		case m.Rcode == dns.RcodeRefused:
			return RefusalVaries
		case !answered(m):
			return RefusalUnclear
		}
	}
	return RefusalOfName
}

// answered reports whether m is an answer, the proof of absence included.
func answered(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
}

func hint(zone string) (string, bool) {
	if _, ok := dns.IsDomainName(zone); !ok || zone == "" {
		return "", false
	}
	zone = dns.CanonicalName(zone)
	return zone, zone != "."
}

// owns tells whether m, an answer for zone's SOA, holds it: a server that is
// authoritative for the zone above says NODATA.
func owns(m *dns.Msg, zone string) bool {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype == dns.TypeSOA && dns.CanonicalName(rr.Header().Name) == zone {
			return true
		}
	}
	return false
}

func reaction(m *dns.Msg, err error) string {
	switch {
	case err != nil:
		return phraseOf(err)
	case m == nil:
		return "no reply"
	}
	what, ok := dns.RcodeToString[m.Rcode]
	if !ok {
		what = "another RCODE"
	}
	if m.Authoritative {
		what += " AA"
	}
	if m.RecursionAvailable {
		what += " RA"
	}
	return what
}
