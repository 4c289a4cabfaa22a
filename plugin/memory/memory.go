// Package memory remembers what failed, by question, in bounded memory that the garbage
// collector does not look into: an entry has no pointers. A million questions slow no
// success down.
package memory

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// MaxAge is how long a failure is remembered (RFC 9520 section 3.2: not more
// than five minutes).
const MaxAge = 5 * time.Minute

const maxAge = MaxAge

// Memory is what one process remembers. It is safe for concurrent use.
type Memory struct {
	// began is the origin of the times in it.
	began     time.Time
	questions *cache.Cache[entry]
	verdicts  *verdicts
	failing   *formFilter
	// clearing is held to turn or clear the filter, and shared to add to it.
	clearing sync.RWMutex
	// recalled are the verdicts that cached failures were given lately.
	recalled [maxRecalled]atomic.Pointer[recalled]
	// rest is until when no expired entry is looked for.
	rest atomic.Int64
}

// entry is what is remembered of one question. It has no pointers.
type entry struct {
	// check is the half of the digest that is not its place.
	check uint64
	// incident is what the failure was counted under, as a hash.
	incident uint64
	verdict  ref
	stamp    stamp
}

// stamp is when a question failed, in milliseconds since the memory began, and the last 16
// bits of its server block: they spare a reload to take over what it has no use for.
type stamp int64

const blockBits = 16

func stampOf(found time.Duration, block uint64) stamp {
	return stamp(found.Milliseconds()<<blockBits | int64(block&(1<<blockBits-1)))
}

func (s stamp) found() time.Duration { return time.Duration(s>>blockBits) * time.Millisecond }

func (s stamp) block() uint16 { return uint16(s) }

// New returns an empty memory for at most entries questions.
func New(entries int, now time.Time) *Memory {
	return &Memory{
		began: now, questions: cache.New[entry](entries), verdicts: newVerdicts(entries), failing: newFormFilter(entries, now),
	}
}

// renewAfter is how old what is remembered of a question has to be to be
// remembered anew although nothing in it changes.
const renewAfter = time.Second

// Note remembers v for the question k, whose failure counts under incident, and returns what
// it counted under before, 0 for nothing and for the same. What is remembered as it is stays,
// so that a question that is asked all the time costs no memory each time. Calls for one
// question are not to be made at once.
func (m *Memory) Note(k *Key, v *cause.Verdict, incident uint64, now time.Time) (before uint64) {
	d, age := k.digest(), now.Sub(m.began)
	held, ok := m.lookup(d, age)
	stays := ok && held.incident == incident
	if !stays {
		before = held.incident
	}
	same := ok && m.verdicts.says(held.verdict, v, k.Name)
	if same && stays && age-held.stamp.found() < renewAfter {
		return 0
	}
	e := entry{check: d.check, incident: incident, stamp: stampOf(age, k.Block)}
	switch {
	case same && held.verdict&own == 0:
		m.verdicts.use(held.verdict, age)
		e.verdict = held.verdict
	case same:
		e.verdict = held.verdict
	default:
		e.verdict = m.verdicts.keep(v, k.Name, age)
	}
	if e.verdict == 0 {
		// v is too long. What is held stays, and is heard of where it counts now.
		e = held
		e.incident = incident
	}
	if e.verdict != 0 {
		m.put(k, d.place, e)
	}
	return before
}

// Says reports whether the verdict on the question k says the same as v.
func (m *Memory) Says(k *Key, v *cause.Verdict, now time.Time) bool {
	held, ok := m.lookup(k.digest(), now.Sub(m.began))
	return ok && m.verdicts.says(held.verdict, v, k.Name)
}

// Recount makes the question k, if it is remembered, count under incident, and returns what
// it counted under before, as Note does.
func (m *Memory) Recount(k *Key, incident uint64, now time.Time) (before uint64) {
	d := k.digest()
	e, ok := m.lookup(d, now.Sub(m.began))
	if !ok || e.incident == incident {
		return 0
	}
	before, e.incident = e.incident, incident
	m.put(k, d.place, e)
	return before
}

// put holds e, and lets a success of its name be heard of. It keeps expire from
// clearing the filter between the two.
func (m *Memory) put(k *Key, place uint64, e entry) {
	m.clearing.RLock()
	defer m.clearing.RUnlock()
	m.questions.Add(place, e)
	m.failing.add(NameHash(k.Name), k.form())
}

func (m *Memory) lookup(d digest, age time.Duration) (entry, bool) {
	e, ok := m.questions.Get(d.place)
	if !ok || e.check != d.check {
		return entry{}, false
	}
	if age-e.stamp.found() > maxAge {
		m.questions.Remove(d.place)
		return entry{}, false
	}
	return e, true
}

// Recall returns the verdict on the question k and when it was found.
func (m *Memory) Recall(k *Key, now time.Time) (*cause.Verdict, time.Time, bool) {
	e, ok := m.lookup(k.digest(), now.Sub(m.began))
	if !ok {
		return nil, time.Time{}, false
	}
	v := m.verdicts.load(e.verdict, k.Name)
	return v, m.began.Add(e.stamp.found()), v != nil
}

// maxRecalled is how many verdicts are at hand for failures that come from cache:
// thousands of one question may follow in a second.
const maxRecalled = 2048

// recalled is a verdict for failures from cache, which says when it was found, to
// the second.
type recalled struct {
	from  ref
	found int64
	// name is empty for a verdict that names no question.
	name    string
	verdict *cause.Verdict
}

// RecallCached returns the verdict on the question k for a failure that came from cache at the
// time now, and what that counts under; nil if it is not remembered. It is not to be changed.
func (m *Memory) RecallCached(k *Key, now time.Time) (v *cause.Verdict, incident uint64) {
	e, ok := m.lookup(k.digest(), now.Sub(m.began))
	if !ok {
		return nil, 0
	}
	found := m.began.Add(e.stamp.found())
	hash, name := uint64(e.verdict)*fnvPrime^uint64(found.Unix()), ""
	if e.verdict&named != 0 {
		hash, name = hash^e.check, k.Name
	}
	at := &m.recalled[hash%maxRecalled]
	if r := at.Load(); r != nil && r.from == e.verdict && r.found == found.Unix() && r.name == name {
		return r.verdict, e.incident
	}
	if v = m.verdicts.load(e.verdict, k.Name); v == nil {
		return nil, 0
	}
	v = v.FromMemory(found)
	at.Store(&recalled{e.verdict, found.Unix(), name, v})
	return v, e.incident
}

// MayHave reports whether the name of k may be remembered. It takes no lock.
func (m *Memory) MayHave(k *Key) bool { return m.failing.forms(NameHash(k.Name)) != 0 }

// Succeeded forgets what is remembered of a question that resolves again, and calls good
// with each and its incident. The DO bit of k and the rcode are looked past: the name is what
// resolved. An answer without validation (CD) says nothing of failures with it.
func (m *Memory) Succeeded(k *Key, now time.Time, good func(failed Key, incident uint64)) {
	may := m.failing.forms(NameHash(k.Name))
	for f := range forms {
		if may&(1<<f) == 0 || k.CD && f&withCD == 0 {
			continue
		}
		in := k.in(f)
		d := in.digest()
		e, ok := m.lookup(d, now.Sub(m.began))
		if !ok {
			continue
		}
		m.questions.Remove(d.place)
		good(in, e.incident)
	}
}

// Quiet reports whether nothing is remembered: a success then has nothing to
// clear. It costs one atomic load.
func (m *Memory) Quiet() bool { return m.failing.empty() }

// Len returns how many questions are held.
func (m *Memory) Len() int { return m.questions.Len() }
