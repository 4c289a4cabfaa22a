package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	// Own is the cause's own full text, for the log where a plugin's option has
	// none.
	Own string
	// At is the plugin that failed, Upstream the address asked last.
	At, Upstream string
	// Zone is the local zone concerned, if the cause is about one.
	Zone string
	// seen is the evidence, and notes are the facts that came after it; see
	// Trace.
	seen  *ev.Evidence
	notes []string
	// asked marks what the upstream said when diagnosis asked it again.
	asked bool
	// Cached is true when the failure came out of the cache.
	Cached bool
	// made is nil for a verdict that stands for one failure alone.
	made *made
}

// Statement is one EDE in its two wordings.
type Statement struct {
	Code        uint16
	Brief, Full string
	Source      option.Source
	// FromUpstream marks what an upstream said, and Verbatim what a plugin of
	// this server put into the reply itself: acl's 15, a template's ederror.
	FromUpstream, Verbatim bool
}

func newVerdict(c *Cause, e *ev.Evidence) *Verdict {
	v := &Verdict{
		Cause: c, Lasts: c.Lasts, Owner: c.Owner, Advice: strings.TrimSpace(c.Advice),
		At: e.At, Upstream: e.Upstream, Zone: e.Zone.Name, seen: e,
	}
	own := Statement{Code: c.Code, Brief: expand(c.Brief, e), Full: expand(c.Full, e)}
	v.Own = own.Full
	switch {
	case c == panicked:
		v.Statements = []Statement{own}
	case len(e.Options) > 0 && e.UpstreamAnswered && c == upstreamEDE:
		v.Statements = statementsOf(e.Upstream, e.Options)
		v.byCodes()
	case len(e.Options) > 0 && !e.UpstreamAnswered && (!e.Returned || c == templateRcode):
		for _, o := range e.Options {
			if o.Code == 0 && o.Text == "" {
				// RFC 8914 section 4.1: 0 says nothing without a text.
				v.Statements = append(v.Statements, own)
				continue
			}
			v.Statements = append(v.Statements, Statement{Code: o.Code, Brief: o.Text, Full: o.Text, Verbatim: true})
		}
	default:
		v.Statements = []Statement{own}
	}
	return v
}

// statementsOf returns the upstream's own statements with their source named, since
// a client takes an EDE to be its resolver's (RFC 8914 section 3).
func statementsOf(upstream string, said []option.Option) []Statement {
	statements := make([]Statement, len(said))
	for i, o := range said {
		statements[i] = Statement{
			Code: o.Code, Source: option.Upstream, FromUpstream: true,
			Brief: attributed("upstream", o.Text), Full: attributed(host(upstream), o.Text),
		}
	}
	return statements
}

// attributed names the source of text, once, however many servers stand in
// line: a text that begins with an attribution is left as it is.
func attributed(source, text string) string {
	if source == "" {
		source = "upstream"
	}
	if text == "" {
		return "from " + source
	}
	if word, _, ok := strings.Cut(strings.TrimPrefix(text, "from "), ": "); ok &&
		strings.HasPrefix(text, "from ") && !strings.Contains(word, " ") || strings.HasPrefix(text, "from ") && !strings.Contains(text[5:], " ") {
		return text
	}
	return "from " + source + ": " + text
}

// host is addr without the default port.
func host(addr string) string { return strings.TrimSuffix(addr, ":53") }

// Codes returns the INFO-CODEs of the statements, in order.
func (v *Verdict) Codes() []uint16 {
	codes := make([]uint16, len(v.Statements))
	for i, s := range v.Statements {
		codes[i] = s.Code
	}
	return codes
}

// Text is the full text as the log has it: that of the first statement, then
// what the others of an upstream or a plugin add, "...; 23: timed out".
func (v *Verdict) Text() string {
	if len(v.Statements) == 0 {
		return v.Own
	}
	text := cmp.Or(v.Statements[0].Full, v.Own)
	source := attributed(host(v.Upstream), "")
	for _, s := range v.Statements[1:] {
		if added := strings.TrimPrefix(strings.TrimPrefix(s.Full, source), ": "); added != "" && (s.FromUpstream || s.Verbatim) {
			text += "; " + strconv.Itoa(int(s.Code)) + ": " + added
		}
	}
	return text
}

// FromMemory returns v for a failure that came out of the cache, found at the
// time found: the original statements first, then 13 Cached Error.
func (v *Verdict) FromMemory(found time.Time) *Verdict {
	if !v.isMade() {
		return v.fromMemory(found)
	}
	if c := v.made.cached.Load(); c != nil && c.found == found.Unix() {
		return c.verdict
	}
	m := v.fromMemory(found)
	v.made.cached.Store(&fromMemory{found.Unix(), m})
	return m
}

func (v *Verdict) fromMemory(found time.Time) *Verdict {
	m := *v
	m.Cached = true
	m.Statements = make([]Statement, 0, len(v.Statements)+1)
	for _, s := range v.Statements[:min(len(v.Statements), option.MaxOptions-1)] {
		if s.Code != cachedFailure.Code {
			s.Source = option.Memory
			m.Statements = append(m.Statements, s)
		}
	}
	text := "cached failure, found " + found.UTC().Format(time.TimeOnly) + "Z"
	m.Statements = append(m.Statements, Statement{Code: cachedFailure.Code, Brief: text, Full: text, Source: option.Memory})
	m.made = &made{of: &m.Statements[0]}
	m.note(text)
	return &m
}

// Again returns v for a reply that was cut and so lost its reason, which the
// same question had at the time found.
func (v *Verdict) Again(found time.Time) *Verdict {
	a := *v
	a.note("the reply was truncated; the reason is that of " + found.UTC().Format(time.TimeOnly) + "Z")
	return &a
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

// Kept returns v as it is remembered: without the evidence and the facts, which
// belong to the query that was seen.
func (v *Verdict) Kept() *Verdict {
	switch {
	case v.isMade():
	case v.seen == nil && v.notes == nil:
		return v
	default:
		return v.WithTrace(nil)
	}
	if kept := v.made.kept.Load(); kept != nil {
		return kept
	}
	v.made.kept.CompareAndSwap(nil, v.WithTrace(nil))
	return v.made.kept.Load()
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
	if e.CacheHit {
		note("out of the cache: no plugin below it was entered")
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

// FromUpstream reports whether what v says was said by an upstream.
func (v *Verdict) FromUpstream() bool {
	return slices.ContainsFunc(v.Statements, func(s Statement) bool { return s.FromUpstream })
}
