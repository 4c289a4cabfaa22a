package cause

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// Verdict is what a failure is put down to, and the facts that it rests on.
type Verdict struct {
	Cause *Cause
	// Lasts, Owner and Advice are the cause's, or those of the upstream's code.
	Lasts  Lasts
	Owner  Owner
	Advice string
	// Statements become EDE options, most specific first. There is at least
	// one, but for a panic, which the server core answers.
	Statements []Statement
	// Since says when the cause was found, for an answer later than that: "cached,
	// found 14:02:11Z". It stands at the end of the first text.
	Since string
	// Own is the cause's own full text. The log uses it if a plugin's option has no
	// text.
	Own string
	// At is the plugin that failed, Upstream the address asked last.
	At, Upstream string
	// Zone is the local zone concerned, if the cause is about one.
	Zone string
	// rcode is that of the answer.
	rcode int
	// seen is the evidence, and notes are the facts that came after it; see
	// Trace.
	seen  *ev.Evidence
	notes []string
	// of is how the failure failed that a diagnosis looked into.
	of way
	// asked marks what the upstream said when diagnosis asked it again.
	asked bool
	// noRD marks a failure of an upstream that was asked without RD.
	noRD bool
	// weighed marks what an upstream said of others as well, see Weighed.
	weighed bool
	// Cached is true when the failure came from cache.
	Cached bool
	// shared is nil for a verdict that stands for one failure alone.
	shared *shared
}

func newVerdict(c *Cause, e *ev.Evidence) *Verdict {
	v := &Verdict{
		Cause: c, Lasts: c.Lasts, Owner: c.Owner, Advice: strings.TrimSpace(c.Advice),
		At: e.At, Upstream: upstreamOf(e), Zone: e.Zone.Name, rcode: e.Rcode, noRD: e.NoRD, seen: e,
	}
	own := Statement{Code: c.Code, Brief: expand(c.Brief, e), Full: expand(c.Full, e)}
	if c == notAuthoritative && e.Zone.State == ev.ZoneNone {
		own.Full = e.At + " has loaded no zone at all, and no plugin follows it"
		v.Owner, v.Advice = Us, adviceNoZone
	}
	v.Own = own.Full
	v.byOverheard(e)
	v.byRecursion(e)
	v.byLocalName(e)
	v.byTruncation(e)
	v.byCertificate(e)
	v.byRoute(e)
	switch {
	case c == panicked:
		v.At = pluginOfPanic(e)
		v.Statements = []Statement{own}
	case len(e.Options) > 0 && c == upstreamEDE:
		v.Statements = statementsOf(v.Upstream, e.Options)
		v.byCodes()
	case len(e.Options) > 0 && !SaidByUpstream(e) && (!e.Returned || c == templateRcode):
		v.Statements = verbatim(own, e.Options)
	default:
		v.Statements = []Statement{own}
	}
	v.byDesire(e)
	v.byOwnAddress(e)
	return v
}

// early is how far in the future a certificate begins that no authority makes. If it begins
// sooner, the authority's clock or time zone may be the wrong one.
const early = 24 * time.Hour

// byCertificate blames nobody for a certificate that begins within a day.
func (v *Verdict) byCertificate(e *ev.Evidence) {
	if v.Cause != clockBehind {
		return
	}
	here, there, _ := strings.Cut(strings.TrimPrefix(validity(e), "current time "), " is before ")
	now, err := time.Parse(time.RFC3339, here)
	from, err2 := time.Parse(time.RFC3339, there)
	if err != nil || err2 != nil || from.Sub(now) <= early {
		v.Owner, v.Lasts, v.Advice = Nobody, LastsOpen, adviceTwoClocks
	}
}

// byRoute does not blame an upstream for a way to it that does not exist, or that this server
// cannot begin: EPERM comes from the system itself. "No route to host" (EHOSTUNREACH) convicts
// nobody: a neighbour that is off gives it, and so does a route of this machine.
func (v *Verdict) byRoute(e *ev.Evidence) {
	switch err := e.Failure.Err; {
	case v.Cause == upstreamNetwork && errors.Is(err, syscall.EPERM):
		v.Owner, v.Lasts, v.Advice = Us, LastsOpen, adviceForbidden
	case v.Cause != upstreamUnreachable:
	case errors.Is(err, syscall.ENETUNREACH):
		v.Owner, v.Lasts, v.Advice = Network, LastsOpen, adviceNoRoute
	case errors.Is(err, syscall.EHOSTUNREACH):
		v.Owner, v.Lasts, v.Advice = Nobody, LastsOpen, adviceNoHost
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		v.Owner, v.Lasts, v.Advice = Us, LastsOpen, adviceNoPort
	}
}

const (
	adviceForbidden = "Look at this machine itself: its table of connections may be full (dmesg says nf_conntrack: table full), or a rule of its firewall (OUTPUT), of a network policy or of a security module forbids packets to this upstream."
	adviceNoPort    = "Look at this server first: count its open connections (ss -s), compare them with net.ipv4.ip_local_port_range, and check that it has an address of the upstream's family."
	adviceNoHost    = "Check that the upstream runs and that its address in the Corefile is right. Then look at this server's routes to it (ip route get ADDRESS), and for a filter that rejects the packets."
	adviceNoRoute   = "Look at this server's own network first: its addresses, its routes, and whether it has IPv6. If it is not meant to reach this upstream, take the upstream out of the Corefile."
	adviceNoZone    = "Check that the directory of the auto plugin exists, that this server may read it, and that it has zone files whose names match; the log at start has the error."
)

const adviceTwoClocks = "Compare this server's clock with that of another machine, and set it if it is wrong. If it is right, the upstream's certificate begins too late: replace it there, or wait until it is valid."

// Codes returns the INFO-CODEs of the statements, in order.
func (v *Verdict) Codes() []uint16 {
	codes := make([]uint16, len(v.Statements))
	for i, s := range v.Statements {
		codes[i] = s.Code
	}
	return codes
}

// Text is the full text as the log says: that of the first statement, then
// what the others of an upstream or a plugin add, "...; 23: timed out".
func (v *Verdict) Text() string {
	if len(v.Statements) == 0 {
		return v.Own
	}
	first := v.Statements[0]
	text := v.dated(cmp.Or(first.Full, v.Own), 0)
	source := attributed(host(v.Upstream), "")
	for _, s := range v.Statements[1:] {
		if added := strings.TrimPrefix(strings.TrimPrefix(s.Full, source), ": "); added != "" && (s.FromUpstream || s.Verbatim || first.names) {
			text += "; " + strconv.Itoa(int(s.Code)) + ": " + added
		}
	}
	return text
}

// way is how an exchange with an upstream failed: with an answer of this rcode, or by the
// cause.
type way struct {
	rcode int
	cause *Cause
}

func (v *Verdict) way() way {
	switch v.Cause {
	case upstreamServfail, upstreamRefused, upstreamEDE:
		return way{rcode: v.rcode}
	}
	return way{cause: v.Cause}
}

// note adds a fact, and leaves copies of v as they are.
func (v *Verdict) note(fact string) { v.notes = append(slices.Clip(v.notes), fact) }

// Trace returns the facts that v rests on, in the order in which they were
// weighed. Few failures are ever shown with them, so they are written down when
// they are asked for.
func (v *Verdict) Trace() []string {
	if v.seen == nil {
		return v.notes
	}
	return append(facts(v.seen), v.notes...)
}

// WithTrace returns a copy of v with these facts in place of its own, and
// without the evidence.
func (v *Verdict) WithTrace(facts []string) *Verdict {
	c := *v
	c.seen, c.notes = nil, facts
	return &c
}

// facts writes down e.
func facts(e *ev.Evidence) []string {
	how := fmt.Sprintf("%s %s by %s", rcodeName(e.Rcode), e.Shape, e.At)
	if len(e.Path) > 0 {
		how += " (path " + strings.Join(e.Path, ", ") + ")"
	}
	all := []string{how}
	note := func(fact string) { all = append(all, fact) }
	if e.Asked != e.Question {
		note("asked as " + ask(e.Asked))
	}
	if e.Failure.Kind != ev.NoError {
		note("error of kind " + e.Failure.Kind.String() + ": " + e.Failure.Text())
	}
	if e.Upstream != "" {
		answered := "gave nothing usable"
		if e.UpstreamAnswered {
			answered = "answered"
		}
		note("upstream " + e.Upstream + " " + answered + " in " + seconds(e.UpstreamElapsed))
	}
	for _, o := range e.Options {
		note(strings.TrimSpace("reply says " + strconv.Itoa(int(o.Code)) + " " + option.Name(o.Code) + " " + o.Text))
	}
	if e.Earlier.At != "" {
		note("before that " + e.Earlier.At + " failed: " + cmp.Or(e.Earlier.Failure.Text(), rcodeName(e.Earlier.Rcode)))
	}
	if e.CacheHit {
		note("from cache: no plugin below it was entered")
	}
	if c := e.Changed; c.Plugin != "" {
		note(c.Plugin + " made " + rcodeName(c.To) + " of " + rcodeName(c.From))
	}
	if e.Zone.State != ev.ZoneUnknown {
		note(strings.TrimSpace("zone "+e.Zone.Name) + " is " + e.Zone.State.String())
	}
	if e.Loops {
		note("a query to " + e.Upstream + " comes back to this server block")
	}
	return all
}

func rcodeName(rcode int) string { return dns.RcodeToString[rcode] }

func ask(q dns.Question) string {
	return option.Sanitize(q.Name, 255) + " " + dns.Type(q.Qtype).String()
}
