package incident

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// Key is a question as cache keys it, in one server block.
type Key struct {
	// Block identifies the server block; it changes when the block changes.
	Block uint64
	// Name in lower case, with its closing dot.
	Name          string
	Qtype, Qclass uint16
	DO, CD        bool
	// Refused keeps a REFUSED apart from a SERVFAIL to the same question, which
	// cache may still have.
	Refused bool
}

// remembered is the verdict on a question that failed.
type remembered struct {
	key Key
	// id is shared by all questions of the incident.
	id      *ID
	verdict *cause.Verdict
	found   time.Time
	// cached is the verdict for a failure that comes out of the cache, made with
	// the first of them: thousands may follow in a second.
	cached atomic.Pointer[cause.Verdict]
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// nameHash is FNV-1a of name in lower case.
func nameHash(name string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(name) {
		b := name[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		h = (h ^ uint64(b)) * fnvPrime
	}
	return h
}

// form is one of the eight that the question of a key can have.
type form uint8

const (
	withDO form = 1 << iota
	withCD
	refused

	forms
)

func (k Key) form() form {
	var f form
	if k.DO {
		f |= withDO
	}
	if k.CD {
		f |= withCD
	}
	if k.Refused {
		f |= refused
	}
	return f
}

// in returns k in the form f.
func (k Key) in(f form) Key {
	k.DO, k.CD, k.Refused = f&withDO != 0, f&withCD != 0, f&refused != 0
	return k
}

func (k Key) hash() uint64 {
	h := nameHash(k.Name)
	for _, v := range [...]uint64{k.Block, uint64(k.Qtype)<<16 | uint64(k.Qclass), uint64(k.form())} {
		h = (h ^ v) * fnvPrime
		h ^= h >> 29
	}
	return h
}

func (t *Table) remember(k Key, v *cause.Verdict, id *ID, now time.Time) {
	t.put(k.hash(), &remembered{key: k, id: id, verdict: v.Kept(), found: now})
}

// renewAfter is how old what is remembered of a question has to be to be
// remembered anew although nothing in it changes.
const renewAfter = time.Second

// knows reports whether the verdict of f is remembered as it is, so that a
// question that is asked all the time costs no memory each time.
func (t *Table) knows(f *Failure, now time.Time) bool {
	r, ok := t.lookup(f.Key, now)
	return ok && now.Sub(r.found) < renewAfter && *r.id == f.ID && slices.Equal(r.verdict.Statements, f.Verdict.Statements)
}

// put holds r, and lets a success of its name be heard of. It keeps expire from
// clearing the filter between the two.
func (t *Table) put(h uint64, r *remembered) {
	t.clearing.RLock()
	defer t.clearing.RUnlock()
	t.questions.Add(h, r)
	t.failing.add(nameHash(r.key.Name), r.key.form())
}

// Recall returns the verdict on the question k and when it was found.
func (t *Table) Recall(k Key) (*cause.Verdict, time.Time, bool) {
	r, ok := t.lookup(k, t.now())
	if !ok {
		return nil, time.Time{}, false
	}
	return r.verdict, r.found, true
}

// RecallCached returns the verdict on the question k for a failure that came out
// of the cache at the time now, and the zone that it counts under.
func (t *Table) RecallCached(k Key, now time.Time) (v *cause.Verdict, zone string, ok bool) {
	r, ok := t.lookup(k, now)
	if !ok {
		return nil, "", false
	}
	if v = r.cached.Load(); v == nil {
		v = r.verdict.FromMemory(r.found)
		r.cached.Store(v)
	}
	return v, r.id.Zone, true
}

func (t *Table) lookup(k Key, now time.Time) (*remembered, bool) {
	h := k.hash()
	r, ok := t.questions.Get(h)
	// Another key may have the same hash.
	if !ok || r.key != k {
		return nil, false
	}
	if now.Sub(r.found) > maxAge {
		t.questions.Remove(h)
		return nil, false
	}
	return r, true
}

// Succeeded forgets what is remembered of a question that resolves again, and
// notes the good answer on its incident. The DO and CD bits of k and
// the rcode are looked past: the name is what resolved.
func (t *Table) Succeeded(k Key) {
	may := t.failing.forms(nameHash(k.Name))
	if may == 0 {
		return
	}
	now := t.now()
	for f := range forms {
		if may&(1<<f) == 0 {
			continue
		}
		k = k.in(f)
		r, ok := t.lookup(k, now)
		if !ok {
			continue
		}
		t.questions.Remove(k.hash())
		t.good(*r.id, now)
	}
}

// Remember puts v on record for the question k without counting a failure: no
// client asked, as in a refresh that cache does on its own. What cache answers
// with counts under zone.
func (t *Table) Remember(k Key, v *cause.Verdict, zone string) {
	if k.Name == "" {
		return
	}
	rcode := dns.RcodeServerFailure
	if k.Refused {
		rcode = dns.RcodeRefused
	}
	id := IDOf(v, rcode, zone)
	t.remember(k, v, &id, t.now())
}
