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
	if t.questions.MayHave(k) {
		now := t.now()
		t.questions.Succeeded(k, now, func(failed Key, incident uint64) { t.good(&failed, incident, now) })
	}
}

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
	t.questions.Note(k, v, id.hash(), t.now())
}

// maxOpen is how many questions of an incident are followed one by one.
const maxOpen = 64

// open is what has failed of an incident and has not been answered since.
type open struct {
	// questions are the hashes of the keys.
	questions []uint64
	// more is true if there are others, of which nothing is known.
	more bool
	// alike is true if one good answer shows that all resolve.
	alike bool
}

// failed adds the question k.
func (o *open) failed(k *Key) {
	if o.alike || o.more || k.Name == "" {
		return
	}
	if h := k.Hash(); !slices.Contains(o.questions, h) {
		if len(o.questions) >= maxOpen {
			o.more, o.questions = true, nil
			return
		}
		o.questions = append(o.questions, h)
	}
}

// answered takes the question k out.
func (o *open) answered(k *Key) {
	if i := slices.Index(o.questions, k.Hash()); i >= 0 {
		o.questions = slices.Delete(o.questions, i, i+1)
	}
}

// openOf returns a copy of what has failed of the incident id and has not been answered.
func (t *Table) openOf(id *ID) open {
	t.mu.Lock()
	defer t.mu.Unlock()
	in := t.incidents[*id]
	if in == nil {
		return open{more: true}
	}
	o := in.open
	o.questions = slices.Clone(o.questions)
	return o
}
