package cause

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// maxRepeated is how many verdicts a Classifier holds.
const maxRepeated = 64

// Classifier is Classify with a memory. Most failures differ from one before in
// nothing but the name that was asked for: they are given that one's verdict, and
// what was made of it. It is safe for concurrent use.
type Classifier struct {
	seed  maphash.Seed
	given [maxRepeated]atomic.Pointer[Verdict]
}

// NewClassifier returns a Classifier that has seen nothing.
func NewClassifier() *Classifier { return &Classifier{seed: maphash.MakeSeed()} }

// Classify returns the verdict on e, as Classify does. It is shared by all
// failures that are alike, and its Trace is that of the first of them; a verdict
// that is for e alone has none. kept reports whether the verdict holds e, which is
// not to be freed then.
func (c *Classifier) Classify(e *ev.Evidence) (v *Verdict, kept bool) {
	var place *atomic.Pointer[Verdict]
	if repeats(e) {
		place = &c.given[c.hash(e)%maxRepeated]
		if v = place.Load(); v != nil && alike(v.seen, e) {
			return v, false
		}
	}
	// What a plugin that CoreDNS does not ship failed with is told by the wording
	// of its error, which alike does not compare.
	if v = Classify(e); place == nil || !sameForAll[v.Cause] || foreign(e) && hasError(e) {
		v.seen = nil
		return v, false
	}
	v.made = &made{of: &v.Statements[0]}
	place.Store(v)
	return v, true
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
		a.Failure.Kind == b.Failure.Kind && a.Failure.Detail == b.Failure.Detail && a.Failure.Peer == b.Failure.Peer &&
		a.Scope == b.Scope && a.CheckingDisabled == b.CheckingDisabled && a.DNSSECOK == b.DNSSECOK && a.NoEDNS == b.NoEDNS &&
		a.Returned == b.Returned && a.CacheHit == b.CacheHit && a.Background == b.Background &&
		a.Reply == b.Reply && a.UpstreamAnswered == b.UpstreamAnswered && a.Untried == b.Untried && a.Loops == b.Loops &&
		a.Zone == b.Zone && a.Template == b.Template && a.Lookups == b.Lookups &&
		a.PanicAt == b.PanicAt && a.Changed == b.Changed &&
		slices.Equal(a.Options, b.Options) && slices.Equal(a.Upstreams, b.Upstreams) && slices.Equal(a.Path, b.Path)
}

// sameForAll holds the causes whose texts say nothing of what alike leaves out.
var sameForAll = func() map[*Cause]bool {
	causes := make(map[*Cause]bool)
	for _, c := range All() {
		same := true
		for _, own := range []string{"elapsed", "error", "with error", "update", "asked", "qname", "panic", "panic at"} {
			same = same && !strings.Contains(c.Brief+c.Full, "{"+own+"}")
		}
		causes[c] = same
	}
	// It says what another cause says, too.
	causes[rcodeChanged] = false
	return causes
}()
