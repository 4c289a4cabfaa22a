package cause

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

// FromMemory returns v for a failure from cache whose cause was found at the time found.
// Its first text says since when it is cached.
func (v *Verdict) FromMemory(found time.Time) *Verdict {
	if !v.Shared() {
		return v.fromMemory(found)
	}
	if c := v.shared.cached.Load(); c != nil && c.found == found.Unix() {
		return c.verdict
	}
	m := v.fromMemory(found)
	v.shared.cached.Store(&fromMemory{found.Unix(), m})
	return m
}

func (v *Verdict) fromMemory(found time.Time) *Verdict {
	m := v.remembered(cachedSince(found))
	m.shared = &shared{of: &m.Statements[0]}
	m.note("from cache, found " + clock(found))
	return m
}

// Marks are what a verdict is, apart from its words.
type Marks uint16

const (
	refusedMark Marks = 1 << iota
	askedMark
	cachedMark
	weighedMark
	noRDMark
	// namesMark is that of the first statement, others follow.
	namesMark
)

// Marks returns those of v.
func (v *Verdict) Marks() (m Marks) {
	if v.rcode == dns.RcodeRefused {
		m |= refusedMark
	}
	if v.asked {
		m |= askedMark
	}
	if v.Cached {
		m |= cachedMark
	}
	if v.weighed {
		m |= weighedMark
	}
	if v.noRD {
		m |= noRDMark
	}
	for i := range v.Statements {
		if v.Statements[i].names {
			m |= namesMark << i
		}
	}
	return m
}

// Restored returns v with these marks, as a verdict that many failures share: without the
// evidence and facts of one query. It keeps the statements of v, and does not copy them.
func Restored(v Verdict, m Marks) *Verdict {
	v.seen, v.notes, v.shared = nil, nil, nil
	v.rcode = dns.RcodeServerFailure
	if m&refusedMark != 0 {
		v.rcode = dns.RcodeRefused
	}
	v.asked, v.Cached, v.weighed, v.noRD = m&askedMark != 0, m&cachedMark != 0, m&weighedMark != 0, m&noRDMark != 0
	for i := range v.Statements {
		v.Statements[i].names = m&(namesMark<<i) != 0
	}
	if len(v.Statements) > 0 {
		v.shared = &shared{of: &v.Statements[0]}
	}
	return &v
}

// Before returns known, an earlier verdict on the same question of the time found, in place
// of v if v says only that the upstream had the failure in its cache, and known is what the
// same upstream said or what a diagnosis found. Otherwise it returns v.
func (v *Verdict) Before(known *Verdict, found time.Time) *Verdict {
	if known == nil || known.noRD != v.noRD || v.Cause != upstreamEDE || !onlyCached(v.Statements) {
		return v
	}
	said := known.Cause == upstreamEDE && known.Upstream == v.Upstream && !onlyCached(known.Statements)
	if !said && (known.Cause == upstreamEDE || known.Cause.Rank < Found) {
		return v
	}
	stands := known.remembered("cached by the upstream, found " + clock(found))
	stands.At, stands.Upstream, stands.seen = v.At, v.Upstream, v.seen
	stands.note("the upstream says that it had the failure in its cache; the reason is that of " + clock(found))
	return stands
}

// remembered returns v as out of memory; since is said in its first text,
// unless it says such a thing already.
func (v *Verdict) remembered(since string) *Verdict {
	m := *v
	m.Cached, m.shared = true, nil
	m.Statements = slices.Clone(v.Statements)
	for i := range m.Statements {
		m.Statements[i].Source = option.Memory
	}
	if !isCached(m.Since) {
		m.Since = since
	}
	return &m
}

// Again returns v for a reply that was truncated and so lost its reason: v is the reason that
// the same question had at the time found.
func (v *Verdict) Again(found time.Time) *Verdict {
	a := *v
	a.note("the reply was truncated; the reason is that of " + clock(found))
	return &a
}

// onlyCached reports whether statements of an upstream say nothing but that it
// had the failure in its cache.
func onlyCached(statements []Statement) bool {
	rest := telling(statements)
	return len(rest) == 1 && rest[0].Code == cachedError && rest[0].FromUpstream
}

// dated returns text with v.Since at its end, and cut so that both take at most
// octets octets; 0 stands for no limit. A text from a server behind that says already
// that it is cached stays as it is, and so does a structured text.
func (v *Verdict) dated(text string, octets int) string {
	switch {
	case v.Since == "" || option.Structured(text) || isCached(v.Since) && saysCached(text):
		return text
	case text == "":
		return v.Since
	}
	end := " (" + v.Since + ")"
	if octets > 0 {
		text = option.Sanitize(text, octets-len(end))
	}
	return text + end
}

func cachedSince(found time.Time) string { return "cached, found " + clock(found) }

func isCached(since string) bool { return strings.HasPrefix(since, "cached") }

// saysCached reports whether text ends as since makes one end, or says nothing else.
func saysCached(text string) bool {
	if isCached(text) && strings.HasSuffix(text, "Z") {
		return true
	}
	i := strings.LastIndex(text, " (cached")
	return i >= 0 && strings.HasSuffix(text, "Z)") && !strings.Contains(text[i+1:len(text)-1], ")")
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) + "Z" }

// maxRepeated is how many verdicts a Classifier holds.
const maxRepeated = 64

// Classifier is Classify with a memory. Most failures differ from one before in
// nothing but the name that was asked for: they are given that one's verdict, and
// what was made of it. It is safe for concurrent use.
type Classifier struct {
	seed     maphash.Seed
	verdicts [maxRepeated]atomic.Pointer[Verdict]
}

// NewClassifier returns a Classifier that has seen nothing.
func NewClassifier() *Classifier { return &Classifier{seed: maphash.MakeSeed()} }

// Classify returns the verdict on e, as Classify does. Failures that are alike share one,
// whose Trace is that of the first of them; a verdict that is for e alone has none. No
// verdict holds e itself.
func (c *Classifier) Classify(e *ev.Evidence) *Verdict {
	if !repeats(e) {
		v := Classify(e)
		v.seen = nil
		return v
	}
	place := &c.verdicts[c.hash(e)%maxRepeated]
	if v := place.Load(); v != nil && alike(v.seen, e) {
		return v
	}
	v := Classify(e)
	if !sameForAll[v.Cause] || foreign(e) && hasError(e) {
		// What a plugin that CoreDNS does not ship failed with is told by the wording
		// of its error, which alike does not compare.
		v.seen = nil
		return v
	}
	v.shared = &shared{of: &v.Statements[0]}
	v.seen = e.Clone()
	place.Store(v)
	return v
}

func (c *Classifier) hash(e *ev.Evidence) uint64 {
	return maphash.String(c.seed, e.At) ^ maphash.String(c.seed, e.Upstream) ^ uint64(e.Failure.Kind) ^ uint64(e.Rcode)<<5
}

// repeats reports whether e is of the kind that comes a thousand times: an
// ordinary query that failed by itself.
func repeats(e *ev.Evidence) bool {
	return e.Opcode == dns.OpcodeQuery && e.Nested == nil && e.Shape != ev.Panicked && !isTransfer(e) && e.Earlier.At == ""
}

// alike reports whether a and b, which both repeat, differ in nothing that a
// verdict of sameForAll is made of. What is not compared are the question, the
// wording of the error, and times.
func alike(a, b *ev.Evidence) bool {
	return a.Rcode == b.Rcode && a.Shape == b.Shape && a.At == b.At && a.Upstream == b.Upstream &&
		a.Failure.Kind == b.Failure.Kind && a.Failure.Detail == b.Failure.Detail && a.Failure.NotYetValid == b.Failure.NotYetValid && a.Failure.Peer == b.Failure.Peer &&
		isLocal(a.Asked.Name) == isLocal(b.Asked.Name) && a.Scope == b.Scope && a.CheckingDisabled == b.CheckingDisabled && a.DNSSECOK == b.DNSSECOK && a.NoEDNS == b.NoEDNS && a.AskedAD == b.AskedAD && a.AskedRD == b.AskedRD && a.NoRD == b.NoRD && a.RDCleared == b.RDCleared && a.Signed == b.Signed &&
		a.Returned == b.Returned && a.CacheHit == b.CacheHit && a.Background == b.Background &&
		a.Reply == b.Reply && a.UpstreamAnswered == b.UpstreamAnswered && a.Untried == b.Untried && a.Loops == b.Loops &&
		a.Zone == b.Zone && a.Overheard == b.Overheard && a.Template == b.Template &&
		a.PanicAt == b.PanicAt && a.Changed == b.Changed && a.AboveCache == b.AboveCache &&
		slices.Equal(a.Options, b.Options) && slices.Equal(a.Upstreams, b.Upstreams) && slices.Equal(a.Path, b.Path)
}

// sameForAll holds the causes whose texts say nothing of what alike leaves out.
var sameForAll = func() map[*Cause]bool {
	causes := make(map[*Cause]bool)
	for _, c := range All() {
		same := true
		for _, own := range []string{"elapsed", "error", "with error", "update", "asked", "qname", "panic", "panicked", "panic at"} {
			same = same && !strings.Contains(c.Brief+c.Full, "{"+own+"}")
		}
		causes[c] = same
	}
	// It says what another cause says, too.
	causes[rcodeChanged] = false
	return causes
}()
