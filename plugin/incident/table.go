// Package incident remembers what fails, in bounded memory: by question, so
// that a failure from cache gets its cause back, and by (cause, plugin,
// upstream, zone), so that a thousand failures read as one. Log summaries,
// recovery lines, the page and reports are views of it.
package incident

import (
	"sync"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/memory"
)

// DefaultEntries is how many questions are remembered unless configured.
const DefaultEntries = 10000

// Table is the memory of one process. It is safe for concurrent use.
type Table struct {
	now       func() time.Time
	questions *memory.Memory

	mu        sync.Mutex
	incidents map[ID]*incident
	// hashed are the incidents by the hash that a question remembers them by.
	hashed map[uint64]*incident
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
		questions: memory.New(entries, now()),
		incidents: make(map[ID]*incident),
		hashed:    make(map[uint64]*incident),
		displaced: make(map[ID]*Summary),
	}
}

// Failure is one failed query as the table counts it.
type Failure struct {
	// Key is what the failure is remembered under. An empty Name is not
	// remembered by question.
	Key Key
	// ID is the incident that it belongs to.
	ID      ID
	Verdict *cause.Verdict
	// Cached failures came from cache, and are not remembered anew.
	Cached bool
	// Recalled is what RecallCached returned with the verdict, 0 if it was not asked.
	Recalled uint64
	// LastGood is when the same upstream last gave a usable answer, if known.
	LastGood time.Time
	// Time is when it failed; zero stands for now. Reading a clock is a good part
	// of what counting a failure costs.
	Time time.Time
}

// Failed counts f, and remembers its verdict. It returns how many failures the incident
// has then, 1 for the first.
func (t *Table) Failed(f *Failure) uint64 {
	now := f.Time
	if now.IsZero() {
		now = t.now()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	in := t.count(f, now)
	t.keep(f, in, now)
	return in.Count
}

// Quiet reports whether nothing is remembered: a success then has nothing to
// clear. It costs one atomic load.
func (t *Table) Quiet() bool { return t.questions.Quiet() }

// Len returns how many questions and how many incidents are held.
func (t *Table) Len() (questions, incidents int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.questions.Len(), len(t.incidents)
}

// Adopt takes over what other remembers of the server blocks in blocks: those
// that a reload left unchanged. Incidents are taken over as they are, since
// they belong to no block.
func (t *Table) Adopt(other *Table, blocks map[uint64]bool) {
	t.questions.Adopt(other.questions, blocks, t.now())
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, in := range other.Incidents() {
		if here := t.incidents[in.ID]; here != nil {
			here.join(in)
			continue
		}
		if len(t.incidents) >= maxIncidents {
			continue
		}
		taken := t.add(&in)
		// Incidents come newest first; each goes before the one taken last.
		taken.newer = t.oldest
		if t.oldest != nil {
			t.oldest.older = taken
		}
		t.oldest = taken
		if t.newest == nil {
			t.newest = taken
		}
	}
}

// join adds what another table has counted of the same incident. The failures that are
// counted here are the later ones.
func (in *incident) join(earlier Incident) {
	if earlier.First.Before(in.First) {
		in.First = earlier.First
	}
	if earlier.LastGood.After(in.LastGood) {
		in.LastGood = earlier.LastGood
	}
	in.Count += earlier.Count
	in.Cached += earlier.Cached
	in.open.join(earlier.open)
}
