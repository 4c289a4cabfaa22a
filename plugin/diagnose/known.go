package diagnose

import (
	"encoding/binary"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

// Backoff of a question that was diagnosed (RFC 9520 section 3.2).
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
)

// maxKnown bounds the questions and the zones whose diagnosis is remembered.
const maxKnown = 4096

// known is a question that was diagnosed; it has a verdict if it was explained.
type known struct {
	key     key
	verdict *cause.Verdict
	found   time.Time
	until   time.Time
	backoff time.Duration
	// silent is the upstream that answered nothing from began until found, "" if it did.
	silent string
	began  time.Time
}

// zone is one whose keys or servers were found at fault: that explains every
// name below it.
type zone struct {
	key     key
	verdict *cause.Verdict
	found   time.Time
	until   time.Time
}

// remember holds the next diagnosis under k back, twice as long each time.
func (r *Runner) remember(c Case, k key, f Finding) {
	now := r.engine.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Silent {
		r.silent[c.Failing.Name] = silence{until: now.Add(backoffOfSilence), began: now.Add(-f.Elapsed), found: now, text: f.Text, advice: f.Verdict.Advice}
	} else {
		delete(r.silent, c.Failing.Name)
	}
	backoff := minBackoff
	if before, ok := r.known.Get(k.hash()); ok && before.key == k && f.Outcome != Resolves {
		backoff = min(2*before.backoff, maxBackoff)
	}
	r.holding.Store(true)
	verdict := f.Verdict
	if verdict != nil {
		// The evidence belongs to the query that was diagnosed.
		verdict = verdict.WithTrace(nil)
	}
	found := &known{key: k, verdict: verdict, found: now, until: now.Add(backoff), backoff: backoff, began: now.Add(-f.Elapsed)}
	if f.Silent {
		found.silent = c.Failing.Name
	}
	r.known.Add(k.hash(), found)
	if f.Outcome == Explained && f.Cut && f.Zone != "" && f.Zone != "." {
		at := k.zone(strings.ToLower(f.Zone))
		r.zones.Add(at.hash(), &zone{key: at, verdict: verdict, found: now, until: now.Add(backoffOfZone)})
		for other, flight := range r.running {
			if other != k && other.scope == k.scope && dns.IsSubDomain(at.question.Name, other.question.Name) {
				flight.cancel()
			}
		}
	}
}

// backoffOfZone is how long a broken zone explains the names below it before
// one of them is diagnosed anew.
const backoffOfZone = 30 * time.Second

// backoffOfSilence is how long an upstream that answers nothing is left alone.
const backoffOfSilence = 10 * time.Second

// silence is what was seen of an upstream that answers nothing.
type silence struct {
	until, began, found time.Time
	text, advice        string
}

// Answered forgets that an upstream was silent, and that a question was found to fail for it,
// if this upstream has answered anything since the diagnosis began, last being when it did: it
// is then known of no other question that it gets no answer. The question is not diagnosed any
// sooner.
func (r *Runner) Answered(scope evidence.Scope, q dns.Question, upstream string, last time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.silent[upstream]; ok && last.After(s.began) {
		delete(r.silent, upstream)
	}
	k := keyOf(scope, q)
	if found, ok := r.known.Get(k.hash()); ok && found.key == k && found.silent != "" && found.silent == upstream && found.verdict != nil && last.After(found.began) {
		stale := *found
		stale.verdict = nil
		r.known.Add(k.hash(), &stale)
	}
}

// OfUpstream returns v, the verdict on a question that its upstream has not answered, with
// what a diagnosis of another question saw of the upstream a moment ago. ok is false if no
// such diagnosis found the upstream silent. Cause and owner of v stay.
func (r *Runner) OfUpstream(v *cause.Verdict) (with *cause.Verdict, ok bool) {
	now := r.engine.Now()
	r.mu.Lock()
	s, known := r.silent[v.Upstream]
	r.mu.Unlock()
	if !known || !now.Before(s.until) || len(v.Statements) == 0 {
		return nil, false
	}
	first := v.Statements[0]
	return cause.Observed(v, first.Brief+"; "+s.text, first.Full+"; "+s.text, s.advice).Dated(s.found), true
}

// Lookup returns what was found of the question in a scope: its own verdict, or
// that on the closest zone above it that was found at fault; and when.
func (r *Runner) Lookup(scope evidence.Scope, q dns.Question) (*cause.Verdict, time.Time, bool) {
	k := keyOf(scope, q)
	now := r.engine.Now()
	if found, ok := r.known.Get(k.hash()); ok && found.key == k && found.verdict != nil && now.Sub(found.found) < maxBackoff {
		return found.verdict, found.found, true
	}
	if z, ok := r.brokenZone(k, now); ok {
		return z.verdict, z.found, true
	}
	return nil, time.Time{}, false
}

// brokenZone is the closest zone at or above the name of k that was found at
// fault.
func (r *Runner) brokenZone(k key, now time.Time) (*zone, bool) {
	for at := range k.zones() {
		z, ok := r.zones.Get(at.hash())
		if ok && z.key == at && now.Before(z.until) {
			return z, true
		}
	}
	return nil, false
}

// Succeeded forgets what is known of a name that resolves again in a scope, and
// of the zones above it.
func (r *Runner) Succeeded(scope evidence.Scope, q dns.Question) {
	k := keyOf(scope, q)
	r.engine.controls.Recovered()
	if !r.mayKnow(k) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Remove(k.hash())
	for at := range k.zones() {
		r.zones.Remove(at.hash())
	}
	r.holding.Store(r.known.Len()+r.zones.Len() > 0)
}

// mayKnow reports whether something is known of the question k, or of a zone above it. It does
// without the lock of the runner: most successes have nothing to forget.
func (r *Runner) mayKnow(k key) bool {
	_, may := r.known.Get(k.hash())
	for at := range k.zones() {
		if _, ok := r.zones.Get(at.hash()); ok {
			return true
		}
	}
	return may
}

// Quiet reports whether nothing is known, so that a success has nothing to forget. Every
// success calls it, so it must be cheap: to count the entries would lock every shard.
func (r *Runner) Quiet() bool { return !r.holding.Load() }

// key is a question, or a zone, where the finding about it holds.
type key struct {
	scope    evidence.Scope
	question dns.Question
}

func keyOf(scope evidence.Scope, q dns.Question) key {
	q.Name = strings.ToLower(dns.Fqdn(q.Name))
	return key{scope, q}
}

// zones are the keys of the zones at and above the name of k, the closest first.
func (k key) zones() iter.Seq[key] {
	return func(yield func(key) bool) {
		for off, end := 0, false; !end; off, end = dns.NextLabel(k.question.Name, off) {
			if !yield(k.zone(k.question.Name[off:])) {
				return
			}
		}
	}
}

// zone is the key of a zone in the same scope.
func (k key) zone(name string) key { return key{k.scope, dns.Question{Name: name}} }

func (k key) hash() uint64 {
	b := make([]byte, 0, 128)
	b = append(append(b, k.question.Name...), ' ')
	b = append(append(b, k.scope.Zone...), ' ')
	b = strconv.AppendUint(b, k.scope.Block, 10)
	b = binary.BigEndian.AppendUint16(b, k.question.Qtype)
	b = binary.BigEndian.AppendUint16(b, k.question.Qclass)
	return cache.Hash(b)
}

// Engaged reports whether a diagnosis of q in a scope is under way, or was made lately,
// so that its question went to the upstream with an OPT record.
func (r *Runner) Engaged(scope evidence.Scope, q dns.Question) bool {
	k := keyOf(scope, q)
	now := r.engine.Now()
	r.mu.Lock()
	_, running := r.running[k]
	r.mu.Unlock()
	if running {
		return true
	}
	before, ok := r.known.Get(k.hash())
	return ok && before.key == k && now.Before(before.until)
}
