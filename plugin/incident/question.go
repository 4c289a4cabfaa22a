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

// RecallCached returns the verdict on the question k for a failure that came
// from cache at the time now. It is not to be changed.
func (t *Table) RecallCached(k *Key, now time.Time) (*cause.Verdict, bool) {
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
		if in := t.hashed[hash]; in != nil {
			in.LastGood = now
			in.open.answered(&failed)
		}
	})
}

// Remember puts v on record for the question k without counting a failure: no
// client asked, for example in a refresh that cache does on its own. Later answers from
// cache count under zone. Until there is one, the question stays with the incident that it
// counts under, unless that of v goes on already.
func (t *Table) Remember(k *Key, v *cause.Verdict, zone string) {
	if k.Name == "" {
		return
	}
	rcode := dns.RcodeServerFailure
	if k.Refused {
		rcode = dns.RcodeRefused
	}
	id := IDOf(v, rcode, zone)
	t.mu.Lock()
	defer t.mu.Unlock()
	in := t.find(&id)
	if in == nil {
		t.questions.Note(k, v, 0, t.now())
		return
	}
	in.open.failed(k)
	t.leave(k, t.questions.Note(k, v, in.hash, t.now()))
}

// keep remembers the question of f, and that it counts under in and nowhere else.
func (t *Table) keep(f *Failure, in *incident, now time.Time) {
	switch {
	case f.Key.Name == "":
	case f.Cached:
		// The verdict is on record. It may have been refined since then.
		t.leave(&f.Key, t.questions.Recount(&f.Key, in.hash, now))
	case !f.Verdict.Cause.Policy:
		// No cache answers with a refusal by policy, and that the name resolves for
		// another client does not end it.
		t.leave(&f.Key, t.questions.Note(&f.Key, f.Verdict, in.hash, now))
	}
}

// leave takes the question k out of the incident with the hash before, if there is one.
func (t *Table) leave(k *Key, before uint64) {
	if in := t.hashed[before]; in != nil {
		in.open.left(k)
	}
}

// maxOpen is how many questions of an incident are followed one by one.
const maxOpen = 64

// open is what became of the questions that count under an incident.
type open struct {
	questions []question
	// more is true if there are others, of which nothing is known.
	more bool
	// alike is true if one good answer shows that all resolve, and good if there was one
	// since the last failure.
	alike, good bool
	// moved is true once a question has failed for another cause, and counts there.
	moved bool
}

// question stands for one that failed.
type question struct {
	// hash is that of its key.
	hash uint64
	// answered is true if it was answered since it failed.
	answered bool
}

func (o *open) find(hash uint64) int {
	return slices.IndexFunc(o.questions, func(q question) bool { return q.hash == hash })
}

// failed notes a failure of the question k. One without a name is never answered.
func (o *open) failed(k *Key) {
	o.good = false
	if !o.more && !o.follow(k.Hash()) {
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
		i = slices.IndexFunc(o.questions, func(q question) bool { return q.answered })
	}
	if i >= 0 {
		o.questions[i] = question{hash: hash}
	}
	return i >= 0
}

// answered notes a good answer to the question k.
func (o *open) answered(k *Key) {
	o.good = true
	if i := o.find(k.Hash()); i >= 0 {
		o.questions[i].answered = true
	}
}

// left takes out the question k: it fails for another cause now.
func (o *open) left(k *Key) {
	if i := o.find(k.Hash()); i >= 0 {
		o.questions = slices.Delete(o.questions, i, i+1)
		o.moved = true
	}
}

// failing reports whether a question fails, or may fail for what is known.
func (o *open) failing() bool {
	return o.more || slices.ContainsFunc(o.questions, func(q question) bool { return !q.answered })
}

// join adds the questions that another table knows of.
func (o *open) join(other open) {
	o.more, o.moved = o.more || other.more, o.moved || other.moved
	for _, q := range other.questions {
		if o.find(q.hash) < 0 {
			o.questions = append(o.questions, q)
		}
	}
	if o.more || len(o.questions) > maxOpen {
		o.more, o.questions = true, nil
	}
}

// Recovered reports whether what failed is known to resolve again: every question that still
// counts under the incident, unless one answer shows it of all.
func (in Incident) Recovered() bool {
	if in.open.alike {
		return in.open.good
	}
	return len(in.open.questions) > 0 && !in.open.failing()
}

// Moved reports whether nothing of the incident is left: its questions fail for other causes by
// now, as where a diagnosis found the cause, and count there.
func (in Incident) Moved() bool {
	return in.open.moved && !in.open.failing() && !in.Recovered()
}
