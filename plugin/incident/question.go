package incident

import (
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// Key is a question as cache keys it, in one server block.
type Key = memory.Key

// Recall returns the verdict on the question k and when it was found.
func (t *Table) Recall(k *Key) (*cause.Verdict, time.Time, bool) {
	return t.questions.Recall(k, t.now())
}

// RecallCached returns the verdict on the question k for a failure that came from cache at the
// time now, and the hash of the incident that it counts under; nil if it is not remembered. The
// verdict is not to be changed.
func (t *Table) RecallCached(k *Key, now time.Time) (v *cause.Verdict, incident uint64) {
	return t.questions.RecallCached(k, now)
}

// Succeeded forgets what is remembered of a question that resolves again, and
// notes the good answer on its incident. The DO bit of k and the rcode are ignored: the name is
// what resolved. An answer with CD set ends only failures of queries with CD set.
func (t *Table) Succeeded(k *Key) {
	if !t.questions.MayHave(k) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.questions.Succeeded(k, now, func(failed Key, hash uint64) {
		question := failed.Hash()
		for in := t.newest; in != nil; in = in.older {
			if in.hash == hash || in.open.strayed && in.open.find(question) >= 0 {
				in.LastGood = now
				in.open.answered(question)
			}
		}
	})
}

// Says reports whether what is remembered of the question k says the same as v.
func (t *Table) Says(k *Key, v *cause.Verdict) bool { return t.questions.Says(k, v, t.now()) }

// Remember puts v on record for the question k without counting a failure: no
// client asked, for example in a refresh that cache does on its own. Later answers from
// cache count under zone.
func (t *Table) Remember(k *Key, v *cause.Verdict, zone string) {
	if k.Name == "" {
		return
	}
	rcode := dns.RcodeServerFailure
	if k.Refused {
		rcode = dns.RcodeRefused
	}
	id := IDOf(v, rcode, zone)
	hash := id.hash()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leave(k, t.questions.Note(k, v, hash, t.now()))
	if in := t.hashed[hash]; in != nil {
		in.open.failed(k)
	}
}

// keep remembers the question of f, and that it counts under in and nowhere else.
func (t *Table) keep(f *Failure, in *incident, now time.Time) {
	switch {
	case f.Key.Name == "":
	case f.Cached && f.Recalled == in.hash:
	case f.Cached:
		// The verdict is on record. It may have been refined since then.
		t.leave(&f.Key, t.questions.Recount(&f.Key, in.hash, now))
	case !f.Verdict.Cause.Policy:
		// No cache answers with a refusal by policy, and that the name resolves for
		// another client does not end it.
		t.leave(&f.Key, t.questions.Note(&f.Key, f.Verdict, in.hash, now))
	}
}

// leave notes that the question k, which counted under the incident with the hash before, counts
// under another one now.
func (t *Table) leave(k *Key, before uint64) {
	if in := t.hashed[before]; in != nil {
		in.open.left(k.Hash())
	}
}

// failing returns the questions that fail, whatever for.
func (t *Table) failing() map[uint64]bool {
	all := make(map[uint64]bool)
	for in := t.newest; in != nil; in = in.older {
		for _, q := range in.open.questions {
			if q.state == failing {
				all[q.hash] = true
			}
		}
	}
	return all
}

// maxOpen is how many questions of an incident are followed one by one.
const maxOpen = 64

// open is what became of the questions that failed of an incident.
type open struct {
	questions []question
	// more is true if there are others, of which nothing is known.
	more bool
	// servfail and refused are true if some got SERVFAIL, and REFUSED. To the same name these
	// are two questions.
	servfail, refused bool
	// alike is true if one good answer shows that all resolve, and good if there was one
	// since the last failure.
	alike, good bool
	// strayed is true once a question has failed for another cause, and settled once one of those
	// that are followed was answered, or has failed for another cause.
	strayed, settled bool
}

// question is one that failed of an incident.
type question struct {
	// hash is that of its key.
	hash  uint64
	state state
}

// state is what became of a question since it failed last of an incident.
type state uint8

const (
	// failing: nothing.
	failing state = iota
	// moved: it fails for another cause, and counts there.
	moved
	// answered: it resolves, whatever it failed for.
	answered
)

func (o *open) find(hash uint64) int {
	return slices.IndexFunc(o.questions, func(q question) bool { return q.hash == hash })
}

// has reports whether there is a question in the state s.
func (o *open) has(s state) bool {
	return slices.ContainsFunc(o.questions, func(q question) bool { return q.state == s })
}

// failed notes a failure of the question k. One without a name is never answered.
func (o *open) failed(k *Key) {
	o.good = false
	o.servfail, o.refused = o.servfail || !k.Refused, o.refused || k.Refused
	switch {
	case o.more && (!o.alike || len(o.questions) == maxOpen && !o.settled): // nothing would change
	case o.follow(k.Hash()):
	case o.alike:
		// Any of them will do.
		o.more = true
	default:
		o.more, o.questions = true, nil
	}
}

// follow holds the question with that hash as one that fails, in place of one that was
// answered if need be. It returns false if there is no room.
func (o *open) follow(hash uint64) bool {
	i := o.find(hash)
	if i < 0 && len(o.questions) < maxOpen {
		o.questions = append(o.questions, question{hash: hash})
		return true
	}
	if i < 0 {
		i = slices.IndexFunc(o.questions, func(q question) bool { return q.state == answered })
	}
	if i >= 0 {
		o.questions[i] = question{hash: hash}
	}
	return i >= 0
}

// answered notes a good answer to the question with that hash.
func (o *open) answered(hash uint64) {
	o.good = true
	if i := o.find(hash); i >= 0 {
		o.questions[i].state, o.settled = answered, true
	}
}

// left notes that the question with that hash fails for another cause.
func (o *open) left(hash uint64) {
	if i := o.find(hash); i >= 0 {
		o.questions[i].state, o.strayed, o.settled = moved, true, true
	}
}

// stray notes which questions fail for another cause, though they were answered since they
// failed for this one. It returns false if there are none.
func (o *open) stray(fails map[uint64]bool) (any bool) {
	for i, q := range o.questions {
		if q.state == answered && fails[q.hash] {
			o.questions[i].state, o.strayed, any = moved, true, true
		}
	}
	return any
}

// mayHide reports whether a question that fails may be among those that are not followed.
func (o *open) mayHide() bool { return o.more && !(o.alike && o.good) }

// leave lets go of the questions that fail for another cause.
func (o *open) leave() {
	o.questions = slices.DeleteFunc(o.questions, func(q question) bool { return q.state == moved })
}

// join adds the questions that another table knows of.
func (o *open) join(other open) {
	o.more, o.strayed, o.settled = o.more || other.more, o.strayed || other.strayed, o.settled || other.settled
	o.servfail, o.refused = o.servfail || other.servfail, o.refused || other.refused
	for _, q := range other.questions {
		if o.find(q.hash) < 0 {
			o.questions = append(o.questions, q)
		}
	}
	if len(o.questions) > maxOpen {
		o.more, o.questions = true, o.questions[:maxOpen]
	}
}
