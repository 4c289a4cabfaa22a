// Package incident remembers what fails, in bounded memory: by question, so
// that a failure out of the cache gets its cause back, and by (cause, plugin,
// upstream, zone), so that a thousand failures read as one. Log summaries,
// recovery lines, the page and reports are views of it.
package incident

import (
	"sync"
	"time"

	"github.com/coredns/coredns/plugin/pkg/cache"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// DefaultEntries is how many questions are remembered unless configured.
const DefaultEntries = 10000

// maxAge is how long a failure is remembered (RFC 9520 section 3.2: not more
// than five minutes).
const maxAge = 5 * time.Minute

// Table is the memory of one process. It is safe for concurrent use.
type Table struct {
	now       func() time.Time
	entries   int
	questions *cache.Cache[*remembered]
	failing   *formFilter
	// clearing is held to turn or clear the filter, and shared to add to it.
	clearing sync.RWMutex

	mu        sync.Mutex
	incidents map[ID]*incident
	// oldest and newest are the ends of the list by last failure.
	oldest, newest *incident
	// displaced holds what was not told of incidents that made room for others.
	displaced map[ID]*Summary
	// history is nil if nobody looks at it.
	history *History
}

// New returns an empty table for at most entries questions; now is its clock.
func New(entries int, now func() time.Time) *Table {
	return &Table{
		now:       now,
		entries:   entries,
		questions: cache.New[*remembered](entries),
		failing:   newFormFilter(entries, now()),
		incidents: make(map[ID]*incident),
		displaced: make(map[ID]*Summary),
	}
}

// Failure is one failed query as the table counts it.
type Failure struct {
	// Key is what the failure is remembered under. An empty Name is not
	// remembered by question.
	Key Key
	// ID is the incident that it belongs to.
	ID ID
	// Name is what the client asked for, as summaries list it.
	Name    string
	Verdict *cause.Verdict
	// Cached failures came out of the cache, and are not remembered anew.
	Cached bool
	// LastGood is when the same upstream last gave a usable answer, if known.
	LastGood time.Time
	// Time is when it failed; zero stands for now. Reading a clock is a good part
	// of what counting a failure costs.
	Time time.Time
}

// Failed counts f, and remembers its verdict. It returns the incident as it
// stands then; its Count is 1 for the first failure.
func (t *Table) Failed(f Failure) Incident {
	now := f.Time
	if now.IsZero() {
		now = t.now()
	}
	in, id := t.count(&f, now)
	// No cache answers with a refusal by policy, and that the name resolves for
	// another client does not end it.
	if f.Key.Name != "" && !f.Cached && !f.Verdict.Cause.Policy && !t.knows(&f, now) {
		t.remember(f.Key, f.Verdict, id, now)
	}
	return in
}

// Quiet reports whether nothing is remembered: a success then has nothing to
// clear. It costs one atomic load.
func (t *Table) Quiet() bool { return t.failing.empty() }

// Len returns how many questions and how many incidents are held.
func (t *Table) Len() (questions, incidents int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.questions.Len(), len(t.incidents)
}
